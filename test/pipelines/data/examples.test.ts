import * as E from 'fp-ts/lib/Either.js';

import type { Batch } from '../../../src/core/pipeline/context.ts';
import type { ReadonlyVector, Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { checkExamples, examplesAt } from '../../../src/pipelines/data/examples.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

/** A source of its own: example i is made when it is asked for. */
const source = (batch: Dataset['batch'], size = 10): Dataset => ({ name: 'sensor', size, batch });

const rows = (indices: ReadonlyVector, valueOf: (index: number) => number): Tensor =>
  generate([indices.length, 1], (i) => valueOf(indices[i]));

const at = Int32Array.of(4, 7);

describe('examples of a data source', () => {
  it.each([NaN, Infinity])('law: %p is an error that names the source, the array and the example', (value) => {
    const broken = source((indices) => ({
      inputs: rows(indices, (i) => i),
      targets: rows(indices, (i) => (i === 7 ? value : i)),
    }));
    expect(examplesAt(broken, at, 'f64')).toEqual(
      E.left({
        _tag: 'BadData',
        source: 'sensor, targets',
        expected: 'finite numbers',
        actual: `${value} in example 7`,
        advice: 'Remove or repair the example.',
      }),
    );
    expect(E.isRight(examplesAt(broken, Int32Array.of(1, 2), 'f64'))).toBe(true);
  });

  it('worked example: 1e39 is a number in f64 and none in f32, whoever gives it', () => {
    const large = tensor([1, 2, 1e39, 4], [4, 1]);
    const known = orThrow(datasetOf('lengths', large, large));
    for (const data of [known, { ...known, batch: (indices: ReadonlyVector) => known.batch(indices) }]) {
      expect(E.isRight(examplesAt(data, Int32Array.of(2), 'f64'))).toBe(true);
      expect(errorOf(examplesAt(data, Int32Array.of(0, 2), 'f32'))).toEqual({
        _tag: 'BadData',
        source: 'lengths, inputs',
        expected: 'numbers that f32 holds',
        actual: '1e+39 in example 2',
        advice: 'Scale the data, or compute in f64.',
      });
    }
    expect(E.isRight(checkExamples(known, 'f64'))).toBe(true);
    expect(errorOf(checkExamples(known, 'f32'))).toMatchObject({ actual: '1e+39 in example 2' });
  });

  it.each([
    ['a promise of examples', () => Promise.resolve({ inputs: tensor([1], [1]) }), 'sensor', 'a promise'],
    ['a promise that is rejected', () => Promise.reject(new Error('the cable is out')), 'sensor', 'a promise'],
    ['nothing', () => undefined, 'sensor', 'undefined'],
    ['a list', () => [1, 2], 'sensor', '[1,2]'],
    ['a promise of an array', () => ({ inputs: Promise.resolve(1) }), 'sensor, inputs', 'a promise'],
    ['nothing for an array', () => ({ inputs: undefined }), 'sensor, inputs', 'undefined'],
  ])('a source that gives %s is named', (_, give, where, actual) => {
    // From JavaScript.
    const wrong = source(() => give() as unknown as Batch<Tensor>);
    expect(errorOf(examplesAt(wrong, at, 'f32'))).toMatchObject({ _tag: 'BadData', source: where, actual });
    const known = source(Object.assign(() => give() as unknown as Batch<Tensor>, { largest: 1 }));
    expect(errorOf(checkExamples(known, 'f32', [{ array: 'inputs', admits: () => null }]))).toMatchObject({
      _tag: 'BadData',
      source: where,
    });
  });

  it('a source that throws, gives too few examples or no tensors is named', () => {
    const x = (indices: ReadonlyVector): Tensor => rows(indices, (i) => i);
    const thrown = source(() => {
      throw new Error('the cable is out');
    });
    expect(errorOf(examplesAt(thrown, at, 'f32'))).toMatchObject({
      _tag: 'BadData',
      source: 'sensor',
      actual: 'the error “the cable is out”',
    });
    const short = source((indices) => ({ inputs: x(indices), targets: tensor([1], [1, 1]) }));
    expect(errorOf(examplesAt(short, at, 'f32'))).toMatchObject({
      source: 'sensor, targets',
      expected: '2 examples',
      actual: '[1, 1]',
    });
    const hollow = source((indices) => ({
      inputs: { shape: [2, 1000], dtype: 'f32', data: new Float32Array(0) },
      targets: x(indices),
    }));
    expect(errorOf(examplesAt(hollow, at, 'f32'))).toMatchObject({ _tag: 'ShapeMismatch', where: 'sensor, inputs' });
  });
});
