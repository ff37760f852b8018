import { dampedBlock, kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { arraysIn } from '../../../src/core/pipeline/arraysIn.ts';

const numbered = (n: number): Tensor => tensor([n], []);

describe('arraysIn', () => {
  it('finds the arrays of every part of a state, each once', () => {
    const [w, a, g, A, G, d, m, velocity, from, next] = Array.from({ length: 10 }, (_, n) => numbered(n));
    const prepared = damped(blockDiagonal({ x: dampedBlock(kroneckerOf(A, G), 0.1), y: diagonal(d) }), 0.2);
    const state = {
      ...initialState({ w }, keyOf(1)),
      curvature: { averages: { x: { A: a, G: g } }, updates: 3 },
      solver: {
        prepared,
        preparedAt: 0,
        preparedFrom: { x: { A: from } },
        pending: { operator: blockDiagonal({ y: diagonal(next) }), damping: 1, since: 0, allowance: null },
        slots: { m: { w: m }, again: { w: m } },
      },
      rules: { momentum: { w: velocity } },
      scalars: { damping: 0.5 },
    };
    expect(arraysIn(state)).toEqual(new Set([w, a, g, A, G, d, m, velocity, from, next]));
  });

  it('an initial state holds its parameters only', () => {
    const w = numbered(1);
    expect([...arraysIn(initialState({ w }, keyOf(1)))]).toEqual([w]);
  });
});
