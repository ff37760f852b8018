import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { attempt } from '../../src/core/errors.ts';
import type { DType } from '../../src/core/tensor.ts';
import { allocate, bytesOf, cast, generate, sameShape, showShape, sizeOf, tensor } from '../../src/core/tensor.ts';
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
    expect(tensor([1.9, -1.9], [2], 'i32')).toEqual(tensor([1, -1], [2], 'i32'));
  });
});
