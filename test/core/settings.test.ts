import * as E from 'fp-ts/lib/Either.js';

import { attempt } from '../../src/core/errors.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import { gaussian } from '../../src/core/nn/initialisers/gaussian.ts';
import { orthogonal } from '../../src/core/nn/initialisers/orthogonal.ts';
import { sparse } from '../../src/core/nn/initialisers/sparse.ts';
import { layerNorm } from '../../src/core/nn/layers/layerNorm.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { initialParams, model } from '../../src/core/nn/model.ts';
import { reshape } from '../../src/core/nn/layers/reshape.ts';
import { scaleShift } from '../../src/core/nn/layers/scaleShift.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { generate } from '../../src/core/tensor.ts';
import { levenbergMarquardt } from '../../src/solvers/quadraticModel/levenbergMarquardt.ts';
import { anything } from '../support/anything.ts';

const noExtents: ReadonlyArray<unknown> = [-1, 0, 2.5, NaN, Infinity, '3', undefined, null, [3], 2 ** 60];

const extents: ReadonlyArray<readonly [string, (value: never) => unknown]> = [
  ['dense.in', (value) => dense({ in: value, out: 3 })],
  ['dense.out', (value) => dense({ in: 3, out: value })],
  ['embedding.vocabulary', (value) => embedding({ vocabulary: value, out: 3 })],
  ['embedding.out', (value) => embedding({ vocabulary: 3, out: value })],
  ['scaleShift.features', (value) => scaleShift({ features: value })],
  ['layerNorm.features', (value) => layerNorm({ features: value })],
];

describe('settings of layers', () => {
  it.each(extents)('%s is a whole number of at least 1, or refused where the layer is made', (path, make) => {
    for (const value of noExtents) {
      expect(attempt(() => make(anything(value)))).toMatchObject(
        E.left({ _tag: 'BadConfig', path, expected: 'a whole number of at least 1' }),
      );
    }
    expect(E.isRight(attempt(() => make(anything(3))))).toBe(true);
  });

  it.each<readonly [string, () => unknown, string]>([
    ['layerNorm.epsilon', () => layerNorm({ features: 3, epsilon: 0 }), '0'],
    ['layerNorm.epsilon', () => layerNorm({ features: 3, epsilon: -1e-5 }), '-0.00001'],
    ['meanPool.axis', () => meanPool(0), '0'],
    ['meanPool.axis', () => meanPool(1.5), '1.5'],
    ['activation', () => activation(anything('swish')), '"swish"'],
    ['gaussian.deviation', () => gaussian(-1), '-1'],
    ['gaussian.deviation', () => gaussian(NaN), 'NaN'],
    ['orthogonal.gain', () => orthogonal(0), '0'],
    ['orthogonal.gain', () => orthogonal(Infinity), 'Infinity'],
    ['sparse.count', () => sparse(0), '0'],
    ['sparse.count', () => sparse(1.5), '1.5'],
    ['sparse.deviation', () => sparse(15, -1), '-1'],
    ['levenbergMarquardt.minimum', () => levenbergMarquardt({ minimum: 10, maximum: 1 }), '10'],
    ['levenbergMarquardt.minimum', () => levenbergMarquardt({ minimum: 1e9 }), '1000000000'],
    ['levenbergMarquardt.maximum', () => levenbergMarquardt({ maximum: NaN }), 'NaN'],
    ['levenbergMarquardt.every', () => levenbergMarquardt({ every: 0 }), '0'],
    ['levenbergMarquardt.decay', () => levenbergMarquardt({ decay: 1.5 }), '1.5'],
    ['sequential', () => sequential({ b: activation('relu'), 0: activation('tanh') }), '"0"'],
    ['sequential', () => sequential({ 'a.b': activation('relu') }), '"a.b"'],
    ['sequential', () => sequential({ '': activation('relu') }), '""'],
  ])('worked example: %s is refused where it is set', (path, make, actual) => {
    expect(attempt(make)).toMatchObject(E.left({ _tag: 'BadConfig', path, actual }));
  });

  it('worked example: shapes of models and of reshaped examples are shapes', () => {
    expect(attempt(() => reshape([2, -1]))).toMatchObject(E.left({ _tag: 'ShapeMismatch', actual: '[2, -1]' }));
    expect(attempt(() => model('m', [2.5], activation('relu')))).toMatchObject(
      E.left({ _tag: 'ShapeMismatch', where: 'model', actual: '[2.5]' }),
    );
  });

  it('worked example: an initialiser that gives another shape, or data that do not fill it, is refused by the path', () => {
    const wide = model(
      'm',
      [2],
      dense({ in: 2, out: 3, initialiser: (_, __, dtype) => generate([3, 3], () => 0, dtype) }),
    );
    expect(attempt(() => initialParams(wide, keyOf(1), 'f32'))).toEqual(
      E.left({
        _tag: 'ShapeMismatch',
        where: 'initial value of weight',
        expected: 'shape [3, 2]',
        actual: '[3, 3]',
      }),
    );
    const empty = model(
      'm',
      [2],
      dense({ in: 2, out: 3, biasInitialiser: (_, shape) => ({ shape, dtype: 'f32', data: new Float32Array(0) }) }),
    );
    expect(attempt(() => initialParams(empty, keyOf(1), 'f32'))).toMatchObject(
      E.left({ _tag: 'ShapeMismatch', where: 'initial value of bias', expected: '3 values for shape [3]' }),
    );
  });
});
