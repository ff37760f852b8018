/**
 * Scopes: what is kept stays as it is while everything else is used again.
 *
 * Every law makes arrays, closes a scope, lets later operations of the same sizes take what the pool has, and reads.
 *
 * @module
 */
import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Shape, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { arrayOf } from '../arbitraries.ts';
import { scaledError } from '../closeness.ts';
import { orThrow } from '../training.ts';
import { inPrecision, readFrom, sameTensor } from './trial.ts';

/** Overwrites whatever a pool holds of some sizes, on the backend itself and in a scope: twenty arrays and more of each. */
const churn = <T extends Shaped>(backend: Backend<T>, shapes: ReadonlyArray<Shape>): void => {
  const scope = backend.scope();
  const different = [...new Map(shapes.map((shape) => [shape.join(), shape])).values()];
  for (const { ops } of [scope.backend, backend]) {
    for (const shape of different) {
      for (let i = 0; i < 6; i += 1) {
        const a = ops.full(shape, 1000 + i);
        ops.mul(a, ops.exp(ops.full(shape, -0.25 * i)));
        ops.pad(
          a,
          shape.map(() => 1),
          shape.map((e) => e + 2),
        );
        if (shape.length === 2) {
          ops.gram(a);
          ops.matmul(a, a, { transposeB: true });
          ops.sum(a, [0]);
        }
      }
    }
  }
  scope.close([]);
};

/** Ways to make an array from x `[m, n]` that may share its memory or not. */
const makers: Readonly<Record<string, <T extends Shaped>(ops: Ops<T>, x: T) => T>> = {
  itself: (_, x) => x,
  sum: (ops, x) => ops.add(x, x),
  product: (ops, x) => ops.matmul(x, x, { transposeB: true }),
  gram: (ops, x) => ops.gram(x),
  'view of a temporary': (ops, x) => ops.reshape(ops.mul(x, x), [x.shape[0] * x.shape[1]]),
  'view of a view': (ops, x) =>
    ops.stopGradient(ops.reshape(ops.reshape(ops.neg(x), [x.shape[0] * x.shape[1]]), x.shape)),
  'view of x': (ops, x) => ops.reshape(x, [1, ...x.shape]),
  'all of x as a slice': (ops, x) => ops.slice(x, [0, 0], x.shape),
  'first row': (ops, x) => ops.slice(ops.neg(x), [0, 0], [1, x.shape[1]]),
  'transposed once': (ops, x) => ops.transposed(x),
  'transposed by nothing': (ops, x) => ops.transpose(x, [0, 1]),
  'broadcast to itself': (ops, x) => ops.broadcastTo(x, x.shape),
  'concatenation of one': (ops, x) => ops.concat([x], 0),
  'sum over no axes': (ops, x) => ops.sum(x, []),
  'sum to itself': (ops, x) => ops.sumTo(x, x.shape),
  'padded by nothing': (ops, x) => ops.pad(x, [0, 0], x.shape),
  scaled: (ops, x) => ops.scale(1, x),
  combined: (ops, x) => ops.linearCombination(1, x, 0, x),
  softmax: (ops, x) => ops.softmax(x),
  gathered: (ops, x) => ops.gather(x, ops.constant(generate([2], () => 0, 'i32'))),
};

/** Small ones, and some that are large enough for any pool to care about. */
const side = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 17, max: 24 }));

const matrix = fc.tuple(side, side).chain((shape) => arrayOf(shape));

const chosen = fc.subarray(Object.keys(makers), { minLength: 1 });

const readAll = async <T extends Shaped>(backend: Backend<T>, xs: ReadonlyArray<T>): Promise<ReadonlyArray<Tensor>> => {
  const values: Array<Tensor> = [];
  for (const x of xs) values.push(await readFrom(backend, x));
  return values;
};

const expectUnchanged = (
  now: ReadonlyArray<Tensor>,
  before: ReadonlyArray<Tensor>,
  names: ReadonlyArray<string>,
): void => {
  expect(names.filter((_, i) => !sameTensor(now[i], before[i]))).toEqual([]);
};

const copyOf = (x: Tensor): Tensor => tensor(x.data, x.shape, x.dtype);

/** The laws of scopes, retirement and reading. */
export const scopeLaws = <T extends Shaped>(subject: () => Backend<T>): void => {
  it('law: kept arrays survive their scope, and arrays from outside survive scopes, bit for bit', async () => {
    const backend = subject();
    await fc.assert(
      fc.asyncProperty(matrix, chosen, fc.boolean(), async (host, names, isOutside) => {
        const values = inPrecision(host, backend.dtype);
        const outside = backend.ops.constant(values);
        const scope = backend.scope();
        const x = isOutside ? outside : scope.backend.ops.constant(values);
        const kept = names.map((name) => makers[name](scope.backend.ops, x));
        const before = await readAll(scope.backend, kept);
        scope.close(kept);
        churn(backend, [host.shape, ...kept.map(({ shape }) => shape)]);
        expectUnchanged(await readAll(backend, [...kept, outside]), [...before, values], [...names, 'outside']);
      }),
    );
  });

  it('law: arrays kept from an inner scope survive the outer one, if that keeps them', async () => {
    const backend = subject();
    await fc.assert(
      fc.asyncProperty(matrix, chosen, async (host, names) => {
        const outer = backend.scope();
        const inner = outer.backend.scope();
        const x = inner.backend.ops.constant(inPrecision(host, backend.dtype));
        const kept = names.map((name) => makers[name](inner.backend.ops, x));
        const before = await readAll(inner.backend, kept);
        inner.close(kept);
        churn(outer.backend, [host.shape]);
        expectUnchanged(await readAll(outer.backend, kept), before, names);
        outer.close(kept);
        churn(backend, [host.shape]);
        expectUnchanged(await readAll(backend, kept), before, names);
      }),
    );
  });

  it('law: what a computation within keeps survives it, in a scope or not, and so does what is outside', async () => {
    const backend = subject();
    await fc.assert(
      fc.asyncProperty(matrix, chosen, fc.boolean(), async (host, names, isScoped) => {
        const scope = isScoped ? backend.scope() : null;
        const { ops } = scope?.backend ?? backend;
        const values = inPrecision(host, backend.dtype);
        const outside = ops.constant(values);
        const kept = ops.within((on) => {
          const made = names.map((name) => makers[name](on, on.neg(outside)));
          return [made, made];
        });
        const before = await readAll(backend, kept);
        const expected = await readAll(
          backend,
          names.map((name) => makers[name](ops, ops.neg(outside))),
        );
        expect(names.filter((_, i) => !(scaledError(before[i].data, expected[i].data) < 1e-5))).toEqual([]);
        churn(backend, [host.shape, ...kept.map(({ shape }) => shape)]);
        expectUnchanged(await readAll(backend, [...kept, outside]), [...before, values], [...names, 'outside']);
        scope?.close([...kept, outside]);
        churn(backend, [host.shape, ...kept.map(({ shape }) => shape)]);
        expectUnchanged(await readAll(backend, kept), before, names);
      }),
    );
  });

  it('law: a sum that is spent by the next one is that of all parts', async () => {
    const backend = subject();
    const { ops } = backend;
    const shape = [32, 32];
    const sum = [1, 2, 3, 4].reduce(
      (before: T | null, value): T =>
        ops.within((on) => {
          const part = on.mul(on.full(shape, value), on.full(shape, 2));
          const after = before === null ? part : on.add(before, part);
          return [after, [after], before === null ? [] : [before]];
        }),
      null,
    );
    churn(backend, [shape]);
    const found = sum === null ? [] : Array.from((await readFrom(backend, sum)).data);
    expect(found.filter((x) => x !== 20)).toEqual([]);
  });

  it('law: retirement. Other arrays survive it, kept ones and views of what is retired among them', async () => {
    const backend = subject();
    await fc.assert(
      fc.asyncProperty(matrix, chosen, async (host, names) => {
        const values = inPrecision(host, backend.dtype);
        const old = backend.ops.neg(backend.ops.constant(values));
        const other = backend.ops.neg(backend.ops.constant(values));
        const scope = backend.scope();
        const kept = names.map((name) => makers[name](scope.backend.ops, old));
        const before = await readAll(backend, [...kept, other]);
        scope.close(kept, [old]);
        churn(backend, [host.shape, ...kept.map(({ shape }) => shape)]);
        expectUnchanged(await readAll(backend, [...kept, other]), before, [...names, 'other']);
      }),
    );
  });

  it('law: an array that is retired twice, or retired and a temporary of the scope, is used again once', async () => {
    const backend = subject();
    const shape = [32, 32];
    const scope = backend.scope();
    const temporary = scope.backend.ops.full(shape, 1);
    const old = backend.ops.full(shape, 2);
    scope.close([], [temporary, old, old]);
    // Were a buffer in the pool twice, two of these would be one.
    const made = [1, 2, 3, 4, 5, 6].map((value) => backend.ops.full(shape, value));
    const firsts = (await readAll(backend, made)).map(({ data }) => data[0]);
    expect(firsts).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('law: a host tensor is never written to, whatever becomes of its constant', async () => {
    const backend = subject();
    await fc.assert(
      fc.asyncProperty(matrix, fc.boolean(), (host, isRetired) => {
        const values = inPrecision(host, backend.dtype);
        const copy = copyOf(values);
        const outside = backend.ops.constant(values);
        const scope = backend.scope();
        scope.backend.ops.constant(values);
        scope.close([], isRetired ? [outside] : []);
        churn(backend, [host.shape]);
        expect(sameTensor(values, copy)).toBe(true);
        return Promise.resolve();
      }),
    );
  });

  it('law: what was read is a copy, and stays when its scope ends', async () => {
    const backend = subject();
    const scope = backend.scope();
    const { ops } = scope.backend;
    const shape = [32, 32];
    const x = ops.mul(ops.full(shape, 3), ops.full(shape, 2));
    const first = await readFrom(scope.backend, x);
    const second = await readFrom(scope.backend, x);
    expect(first.data.buffer).not.toBe(second.data.buffer);
    scope.close([]);
    churn(backend, [shape]);
    expect(Array.from(first.data).filter((value) => value !== 6)).toEqual([]);
  });

  it('law: results of factorisations belong to their scope like any other array', async () => {
    const backend = subject();
    const n = 24;
    const m = backend.ops.addDiagonal(backend.ops.full([n, n], 0.5), 2);
    const scope = backend.scope();
    const { linearAlgebra } = scope.backend;
    const l = orThrow(await linearAlgebra.cholesky(m)());
    const inverse = orThrow(await linearAlgebra.inverse(m)());
    const { values, vectors } = orThrow(await linearAlgebra.eigh(m)());
    const kept = [l, inverse, values, vectors];
    const before = await readAll(backend, kept);
    scope.close(kept);
    churn(backend, [[n, n], [n]]);
    expectUnchanged(await readAll(backend, kept), before, ['cholesky', 'inverse', 'values', 'vectors']);
  });

  it('law: nothing is left of an array that was used again. A fresh array holds its own values', async () => {
    const backend = subject();
    await fc.assert(
      fc.asyncProperty(matrix, async (host) => {
        churn(backend, [host.shape]);
        const scope = backend.scope();
        const { ops } = scope.backend;
        const zeros = [
          ops.full(host.shape, 0),
          ops.scatterAdd(ops.constant(tensor([], [0], 'i32')), ops.full([0, host.shape[1]], 1), host.shape[0]),
          ops.pad(ops.full([0, 0], 1), [0, 0], host.shape),
          ops.matmul(ops.full([host.shape[0], 0], 1), ops.full([0, host.shape[1]], 1)),
          ops.sum(ops.full([0, ...host.shape], 1), [0]),
        ];
        const values = await readAll(scope.backend, zeros);
        scope.close([]);
        expect(values.map(({ data }) => Array.from(data).filter((x) => x !== 0))).toEqual(zeros.map(() => []));
      }),
    );
  });
};
