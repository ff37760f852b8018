import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { attempt } from '../../../src/core/errors.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { innerProduct } from '../../../src/core/ops/innerProduct.ts';
import { mapParams, zipParams } from '../../../src/core/params.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { kfacAdaptive } from '../../../src/solvers/presets/kfacAdaptive.ts';
import { quadraticUpdate, quadraticUpdateWithin } from '../../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf } from '../../support/training.ts';

const { ops } = referenceEnv().backend;
const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(1, [12, 3]), targets: generate([12], (i) => i % 3, 'i32') };

const stepBy = (kappa: number | null, trust = 1) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    damp(1e-3),
    solve(identity),
    kappa === null ? quadraticUpdate : quadraticUpdateWithin(kappa, 1, trust),
  );

/** A step within κ, its slope ∇ᵀδ and where it leads. */
const taken = async (kappa: number | null, from: TrainState<Tensor>, trust = 1) => {
  const { next, gradient, loss, metrics } = await runStage(stepBy(kappa, trust), from, batch);
  const delta = zipParams(next.params, from.params, (after, before) => ops.linearCombination(1, after, -1, before));
  const [slope] = innerProduct(ops, gradient, delta).data;
  const [promised] = innerProduct(ops, gradient, gradient).data;
  return { slope, promised, loss: loss.data[0], delta, metrics, next };
};

describe('the step of the quadratic model within a bound', () => {
  it('law: |∇ᵀδ| ≤ κ |loss|, in the direction of the step without a bound, and as long where that is below', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.double({ min: -3, max: 1, noNaN: true }).map((x) => 10 ** x),
        async (seed, kappa) => {
          // The second step has a momentum, too.
          const from = (await runStage(stepBy(null), stateOf(objective.model, seed), batch)).next;
          const [free, bound] = [await taken(null, from), await taken(kappa, from)];
          const most = kappa * Math.abs(free.loss);
          expect(Math.abs(bound.slope)).toBeLessThanOrEqual(most * (1 + 1e-9));
          const scale = Math.min(1, most / Math.abs(free.slope));
          expect(bound.metrics['slopeScale']).toBeCloseTo(scale, 9);
          for (const [path, { data }] of Object.entries(free.delta)) {
            const shorter = Array.from(data, (x) => scale * x);
            expect(scaledError(bound.delta[path].data, shorter)).toBeLessThan(1e-8);
          }
          // Where neither the step nor the direction, which is the gradient, promises more, it is the same bit for bit.
          if (scale === 1 && free.promised <= most) expect(bound.next).toEqual(free.next);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('a saturated softmax of a wrong class, whose curvature has vanished, makes a moderate step', async () => {
    // Logits of 100 and 0 where the second class is right: the loss is 100, p (1 − p) is 1e-44.
    const wrong = { model: mlp([1, 2], 'identity', false), loss: softmaxCrossEntropy };
    const data = { inputs: tensor([1], [1, 1]), targets: tensor([1], [1], 'i32') };
    const from = initialState({ '0.weight': tensor([100, 0], [2, 1]) }, keyOf(1));
    const moved = async (lossBound: number): Promise<ReadonlyArray<number>> => {
      const step = pipeline(withObjective(wrong), kfacAdaptive({ lossBound, damping: 1e-6, minDamping: 1e-6 }).step);
      const { next } = await runStage(step, from, data);
      return Array.from(next.params['0.weight'].data);
    };
    const [first, second] = await moved(1);
    expect(Math.hypot(first - 100, second)).toBeGreaterThan(1);
    // The gradient is (1, −1): of a loss of 100 the bound makes a step of at most 50 in each.
    expect(Math.abs(first - 100)).toBeLessThanOrEqual(50 * (1 + 1e-9));
    expect(Math.abs(second)).toBeLessThanOrEqual(50 * (1 + 1e-9));
    expect(second).toBeGreaterThan(0);
  });

  it('law: of a bound that steps are trusted with in part, they promise at most that part', async () => {
    const from = stateOf(objective.model, 3);
    const half = await taken(0.02, { ...from, scalars: { trust: 0.5 } });
    const own = await taken(0.01, from);
    expect(own.metrics['slopeScale']).toBeLessThan(1);
    expect(half.next.params).toEqual(own.next.params);
  });

  it('law: a first step may be trusted with a part, which the state then knows; what it knows already counts', async () => {
    const from = stateOf(objective.model, 3);
    const half = await taken(0.02, from, 0.5);
    const known = await taken(0.02, { ...from, scalars: { trust: 0.5 } });
    expect(half.next).toEqual(known.next);
    expect(half.next.scalars).toEqual({ trust: 0.5 });
    expect((await taken(0.02, { ...from, scalars: { trust: 0.5 } }, 0.1)).next).toEqual(known.next);
  });

  it.each([0, 1.5, Number.NaN])('a first step trusted with %d of its bound is refused', (trust) => {
    expect(attempt(() => quadraticUpdateWithin(1, 1, trust))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'quadraticUpdate.trust', actual: String(trust) }),
    );
  });

  it('law: how long the direction was before makes no difference, though its squares be infinite', async () => {
    const times = (c: number) =>
      computation<'direction', 'direction'>('times', (ops, { direction }) => ({
        direction: mapParams(direction, (d) => ops.scale(c, d)),
      }));
    const stepOf = (c: number) =>
      pipeline(
        withObjective(objective),
        forward,
        backward,
        damp(1e-3),
        solve(identity),
        times(c),
        quadraticUpdateWithin(1),
      );
    const from = stateOf(objective.model, 3);
    const [one, other] = [await runStage(stepOf(1), from, batch), await runStage(stepOf(1e200), from, batch)];
    for (const [path, { data }] of Object.entries(one.next.params)) {
      expect(scaledError(other.next.params[path].data, data)).toBeLessThan(1e-9);
    }
    const { directionNorm } = other.metrics;
    expect(typeof directionNorm === 'number' ? directionNorm : directionNorm.data[0]).toBeLessThan(1e3);
  });

  it.each([0, -1, Number.NaN, Infinity])('a bound of %d is refused', (kappa) => {
    expect(attempt(() => quadraticUpdateWithin(kappa))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'quadraticUpdate.bound', expected: 'a number above 0', actual: String(kappa) }),
    );
  });
});
