import { jvp, jvpTree } from '../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { attempt } from '../../../src/core/errors.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { countingProducts, noise, ops } from './support.ts';

const vector = (...values: ReadonlyArray<number>): ReturnType<typeof tensor> => tensor(values, [values.length]);

describe('jvp', () => {
  it('worked example: the tangent of x² y', () => {
    // d(x² y) = 2 x y dx + x² dy: at (3, 2) along (1, 10) it is 12 + 90.
    const f: Program = (on, { x, y }) => on.mul(on.square(x), y);
    const { value, tangent } = jvp(ops, f, { x: vector(3), y: vector(2) }, { x: vector(1), y: vector(10) }, []);
    expect(Array.from(value.data)).toEqual([18]);
    expect(Array.from(tangent.data)).toEqual([102]);
  });

  it('worked example: a maximum moves with the mean of its ties', () => {
    // max(x) at (2, 5, 5) along (1, 1, 3): both winners count half.
    const f: Program = (on, { x }) => on.max(x, [0]);
    expect(Array.from(jvp(ops, f, { x: vector(2, 5, 5) }, { x: vector(1, 1, 3) }, []).tangent.data)).toEqual([2]);
  });

  it('takes a parameter without a tangent as a constant, and does no work for it', () => {
    const { ops: counted, count } = countingProducts();
    const f: Program = (on, { a, b }, [x]) => on.matmul(on.matmul(x, a), b);
    const params = { a: noise(1, [2, 3]), b: noise(2, [3, 4]) };
    const inputs = [noise(3, [5, 2])];
    const db = noise(4, [3, 4]);
    const { tangent } = jvp(counted, f, params, { b: db }, inputs);
    expect(count()).toBe(3); // two for the value, (x a) db for the tangent
    expect(tangent).toEqual(ops.matmul(ops.matmul(inputs[0], params.a), db));
  });

  it('gives zeros when nothing moves', () => {
    const f: Program = (on, { x }) => on.concat([x, on.exp(x)], 0);
    expect(Array.from(jvp(ops, f, { x: vector(1, 2) }, {}, []).tangent.data)).toEqual([0, 0, 0, 0]);
  });

  it('rejects a tangent of no parameter, and one in another shape', () => {
    const f: Program = (on, { x }) => on.exp(x);
    expect(attempt(() => jvp(ops, f, { x: vector(1) }, { y: vector(1) }, []))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'jvp', expected: 'tangents of the parameters x', actual: 'a tangent of y' },
    });
    expect(attempt(() => jvp(ops, f, { x: vector(1) }, { x: vector(1, 2) }, []))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'jvp at x', actual: '[2]' },
    });
  });
});

describe('jvpTree', () => {
  it('worked example: the tangents of (xy, y)', () => {
    // d(xy) = 5 dx + 2 dy = 5 at (2, 5) along (1, 0); y stays.
    const { value, tangent } = jvpTree(
      ops,
      (on, { x, y }) => ({ product: on.mul(x, y), second: y }),
      { x: vector(2), y: vector(5) },
      { x: vector(1) },
      [],
    );
    expect([value['product'], value['second']].map(({ data }) => Array.from(data))).toEqual([[10], [5]]);
    expect([tangent['product'], tangent['second']].map(({ data }) => Array.from(data))).toEqual([[5], [0]]);
  });
});
