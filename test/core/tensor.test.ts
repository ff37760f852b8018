import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { attempt } from '../../src/core/errors.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { normal } from '../../src/core/random/normal.ts';
import { signs } from '../../src/core/random/signs.ts';
import { uniform } from '../../src/core/random/uniform.ts';
import type { DType, Tensor } from '../../src/core/tensor.ts';
import {
  allocate,
  bytesOf,
  cast,
  checkTensor,
  generate,
  sameShape,
  showShape,
  sizeOf,
  tensor,
} from '../../src/core/tensor.ts';
import { anything } from '../support/anything.ts';
import { arrayOf, integersOf, shapeOf } from '../support/arbitraries.ts';

const dtypes: ReadonlyArray<DType> = ['f32', 'f64', 'i32'];
const dtype = fc.constantFrom(...dtypes);
const anyArray = shapeOf().chain((shape) => arrayOf(shape));

describe('shapes', () => {
  it('law: the size of a product is the product of the sizes, and that of [] is 1', () => {
    fc.assert(
      fc.property(shapeOf(), shapeOf(), (a, b) => {
        expect(sizeOf([...a, ...b])).toBe(sizeOf(a) * sizeOf(b));
      }),
    );
    expect(sizeOf([])).toBe(1);
  });

  it('law: shapes are the same exactly if they read the same', () => {
    fc.assert(
      fc.property(shapeOf(), shapeOf(), (a, b) => {
        expect(sameShape(a, b)).toBe(showShape(a) === showShape(b));
        expect(sameShape(a, [...a])).toBe(true);
        expect(sameShape(a, [...a, 1])).toBe(false);
      }),
    );
    expect(showShape([128, 785])).toBe('[128, 785]');
  });
});

describe('tensors', () => {
  it.each(dtypes)('law: allocate(%s, n) is n zeros of the announced width', (type) => {
    fc.assert(
      fc.property(fc.nat(20), (length) => {
        const data = allocate(type, length);
        expect(Array.from(data)).toEqual(new Array<number>(length).fill(0));
        expect(data.BYTES_PER_ELEMENT).toBe(bytesOf(type));
      }),
    );
  });

  it('law: a tensor holds a copy. Writing to the source leaves it as it was', () => {
    fc.assert(
      fc.property(anyArray, (x) => {
        const source = Float64Array.from(x.data);
        const made = tensor(source, x.shape);
        source.fill(99);
        expect(made).toEqual(x);
      }),
    );
  });

  it('law: generate is tensor of the values at its positions', () => {
    fc.assert(
      fc.property(shapeOf(), dtype, (shape, type) => {
        const values = Array.from({ length: sizeOf(shape) }, (_, i) => 3 * i - 7);
        expect(generate(shape, (i) => 3 * i - 7, type)).toEqual(tensor(values, shape, type));
      }),
    );
  });

  it('law: casting to the type that it has gives the tensor itself, and casting up and down again the same values', () => {
    fc.assert(
      fc.property(anyArray, (x) => {
        expect(cast(x, 'f64')).toBe(x);
        const single = cast(x, 'f32');
        expect(Array.from(single.data)).toEqual(Array.from(x.data, Math.fround));
        expect(cast(cast(single, 'f64'), 'f32')).toEqual(single);
      }),
    );
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => integersOf(shape)),
        (i) => {
          expect(cast(cast(i, 'f32'), 'i32')).toEqual(i);
        },
      ),
    );
  });

  it('worked example: values of the wrong number are refused', () => {
    expect(attempt(() => tensor([1, 2, 3], [2, 2]))).toEqual(
      E.left({
        _tag: 'ShapeMismatch',
        where: 'tensor',
        expected: '4 values for shape [2, 2]',
        actual: '3 values',
      }),
    );
  });

  it('worked example: f64 unless another type is asked for', () => {
    expect(tensor([0.1], [1]).dtype).toBe('f64');
    expect(tensor([0.1], [1], 'f32').data[0]).toBe(Math.fround(0.1));
  });

  it('law: i32 holds what it is given, exactly, or refuses it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), (value) => {
        const fits = Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
        for (const made of [
          attempt(() => tensor([value], [1], 'i32')),
          attempt(() => tensor(Float64Array.of(value), [1], 'i32')),
          attempt(() => generate([1], () => value, 'i32')),
          attempt(() => cast(tensor([value], [1]), 'i32')),
        ]) {
          expect(E.isRight(made)).toBe(fits);
          if (E.isRight(made)) expect(made.right.data[0]).toBe(value === 0 ? 0 : value);
        }
      }),
    );
  });

  it.each([
    ['NaN', NaN],
    ['a fraction', 1.7],
    ['more than 32 bits', 3e9],
    ['an infinity', -Infinity],
  ])('worked example: i32 refuses %s and says where it is', (_, value) => {
    expect(attempt(() => tensor([1, value], [2], 'i32'))).toEqual(
      E.left({
        _tag: 'BadData',
        source: 'tensor',
        expected: 'whole numbers from -2^31 to 2^31 - 1',
        actual: `${value} at position 1`,
        advice: 'Round or clip the values first, or take f32 or f64.',
      }),
    );
  });

  it.each<readonly [string, unknown, string]>([
    ['text', ['1'], '"1"'],
    ['words', ['cat'], '"cat"'],
    ['nested lists', [[1, 2]], '[1,2]'],
    ['nothing', [undefined], 'undefined'],
    ['null', [null], 'null'],
    ['big integers', BigInt64Array.of(1n), '1'],
  ])('worked example: values that are %s are refused in every type', (_, values, shown) => {
    for (const type of dtypes) {
      expect(attempt(() => tensor(anything(values), [1], type))).toMatchObject(
        E.left({ _tag: 'BadData', source: 'tensor', actual: `${shown} at position 0` }),
      );
      const given = anything<ArrayLike<number>>(values);
      expect(attempt(() => generate([1], (i) => given[i], type))).toMatchObject(
        E.left({ _tag: 'BadData', source: 'generate', actual: `${shown} at position 0` }),
      );
    }
  });

  it.each<readonly [string, unknown, string]>([
    ['a negative extent', [-1], '[-1]'],
    ['two negative extents', [-2, -3], '[-2, -3]'],
    ['a fraction', [2.5, 2], '[2.5, 2]'],
    ['NaN', [NaN], '[NaN]'],
    ['text', ['3'], '["3"]'],
    ['nested lists', [[1, 2], 3], '[[1,2],3]'],
    ['a number', 3, '3'],
    ['nothing', undefined, 'undefined'],
    ['more elements than a number counts', [1e10, 1e10], '[10000000000, 10000000000]'],
  ])('worked example: a shape of %s is refused wherever a tensor is made', (_, shape, shown) => {
    const error = (where: string): unknown =>
      E.left({ _tag: 'ShapeMismatch', where, expected: 'a shape of whole numbers of at least 0', actual: shown });
    expect(attempt(() => tensor([], anything(shape)))).toEqual(error('tensor'));
    expect(attempt(() => generate(anything(shape), () => 0))).toEqual(error('generate'));
    expect(attempt(() => uniform(keyOf(1), anything(shape), 'f32'))).toEqual(error('uniform'));
    expect(attempt(() => normal(keyOf(1), anything(shape), 'f64'))).toEqual(error('normal'));
    expect(attempt(() => signs(keyOf(1), anything(shape), 'f32'))).toEqual(error('signs'));
    const made = { shape: anything<Tensor>(shape), dtype: 'f32', data: new Float32Array(6) };
    expect(attempt(() => checkTensor('a door', anything(made)))).toEqual(error('a door'));
  });

  it.each<readonly [string, unknown, string]>([
    ['no data', undefined, 'nothing'],
    ['a list', [1, 2], 'Array'],
    ['data of another type', Float64Array.of(1, 2), 'Float64Array'],
  ])('worked example: a tensor made by hand of %s is refused', (_, data, shown) => {
    expect(attempt(() => checkTensor('a door', anything({ shape: [2], dtype: 'f32', data })))).toEqual(
      E.left({
        _tag: 'BadData',
        source: 'a door',
        expected: 'data of type f32 in a Float32Array',
        actual: shown,
        advice: 'Make tensors with tensor(values, shape, dtype).',
      }),
    );
  });

  it('worked example: an element type that there is not is refused', () => {
    const unknown = anything<DType>('f16');
    for (const made of [() => tensor([1.5], [1], unknown), () => generate([1], () => 1.5, unknown)]) {
      expect(attempt(made)).toMatchObject(
        E.left({ _tag: 'BadData', expected: 'an element type f32, f64, i32', actual: '"f16"' }),
      );
    }
  });
});
