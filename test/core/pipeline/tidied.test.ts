/**
 * Temporaries of stages go back when they end, and nothing else changes.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { vectorUnit } from '../../../src/core/backends/host/simd/instance.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import { tidied, tidily, tidilyDone } from '../../../src/core/pipeline/tidied.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { mapParams } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { loopBackend } from '../backends/host/support.ts';

/** Elements of a large array, and the memory that it takes. */
const n = 2 ** 18;
const bytes = 4 * n;

const taken = (): number => vectorUnit()?.memory.usage().taken ?? 0;

describe('tidily', () => {
  const { backend } = loopBackend('f32');

  it('law: temporaries go back, results stay. What was there before is left alone', () => {
    const x = backend.ops.full([n], 2);
    const before = taken();
    const { y, same } = tidily(backend, [x], ({ ops }) => ({ y: ops.mul(ops.add(x, x), ops.add(x, x)), same: x }));
    expect(taken() - before).toBe(bytes);
    expect(same).toBe(x);
    backend.ops.full([n], 7);
    backend.ops.full([n], 7);
    expect([x.data[0], x.data[n - 1], y.data[0], y.data[n - 1]]).toEqual([2, 2, 16, 16]);
  });

  it('raises what is raised, with nothing kept', () => {
    const x = backend.ops.full([n], 2);
    const before = taken();
    expect(() => tidily(backend, [x], ({ ops }) => ({ sum: ops.add(ops.add(x, x), ops.full([3], 1)) }))).toThrow();
    expect(taken()).toBe(before);
  });

  it('opens no scope where arrays are small', () => {
    const x = backend.ops.full([10], 2);
    expect(tidily(backend, [x], (inner) => ({ inner })).inner).toBe(backend);
  });
});

describe('tidilyDone', () => {
  const { backend } = loopBackend('f32');

  it('law: temporaries go back when the task is done, and not before', async () => {
    const x = backend.ops.full([n], 2);
    const before = taken();
    const task = tidilyDone(backend, [x], ({ ops }) =>
      pipe(
        TE.right(ops.add(x, x)),
        TE.chain((sum) => TE.fromTask(() => Promise.resolve({ y: ops.mul(sum, sum), held: taken() - before }))),
      ),
    );
    const outcome = await task();
    expect(taken() - before).toBe(bytes);
    expect(E.isRight(outcome) ? [outcome.right.y.data[5], outcome.right.held] : outcome.left).toEqual([16, 2 * bytes]);
  });

  it('keeps nothing of a task that fails', async () => {
    const x = backend.ops.full([n], 2);
    const before = taken();
    const failing = tidilyDone(backend, [x], ({ ops }) => {
      ops.add(x, x);
      return TE.left<KfacError, { readonly y: Tensor }>({ _tag: 'NonFinite', where: 'a task', what: 'x', advice: '' });
    });
    expect(E.isLeft(await failing())).toBe(true);
    expect(taken()).toBe(before);
  });

  it('law: an inverse outlives the scope that it was asked for in', async () => {
    const { backend: solving } = loopBackend('f32');
    const m = solving.ops.addDiagonal(solving.ops.full([300, 300], 0), 4);
    const inverted = await tidilyDone(solving, [m], ({ linearAlgebra }) => linearAlgebra.inverse(m))();
    solving.ops.full([300, 300], 7);
    expect(E.isRight(inverted) ? [inverted.right.data[0], inverted.right.data[1]] : inverted.left).toEqual([0.25, 0]);
  });
});

describe('tidied', () => {
  const doubled = computation<'state', 'direction'>('doubled', (ops, { state }) => ({
    direction: mapParams(state.params, (p) => ops.add(ops.scale(0.5, p), ops.scale(1.5, p))),
  }));

  it('law: a stage gives what it gave, and takes the memory of what it adds', async () => {
    const { backend } = loopBackend('f32');
    const state = initialState<Tensor>({ weight: backend.ops.full([n], 3) }, keyOf(1));
    const env = { backend, clock: () => 0 };
    const before = taken();
    const outcome = await tidied(doubled).run<Tensor>({ state })(env)();
    expect(E.isRight(outcome) ? outcome.right.direction['weight'].data[5] : outcome.left).toBe(6);
    expect(taken() - before).toBe(bytes);
  });
});
