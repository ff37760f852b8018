import fc from 'fast-check';

import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { apply } from '../../../src/core/operators/apply.ts';
import { diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import type { Batch } from '../../../src/core/pipeline/context.ts';
import type { Objective } from '../../../src/core/pipeline/objective.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { blocksOf } from '../../../src/core/pipeline/blocks.ts';
import { toBlocks } from '../../../src/curvature/blocks.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact, monteCarlo } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { sample } from '../../../src/curvature/sample.ts';
import { burnIn } from '../../../src/solvers/update/burnIn.ts';
import { averagedParams, averageIterates } from '../../../src/solvers/update/iterateAveraging.ts';
import { levenbergMarquardt, takenBack } from '../../../src/solvers/quadraticModel/levenbergMarquardt.ts';
import { normConstraint } from '../../../src/solvers/update/normConstraint.ts';
import { quadraticUpdate } from '../../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { innerProduct } from '../../../src/core/ops/innerProduct.ts';
import { onlyFor } from '../../../src/solvers/update/rules/onlyFor.ts';
import { renamed } from '../../../src/solvers/update/rules/rule.ts';
import { weightDecay } from '../../../src/solvers/update/rules/weightDecay.ts';
import { attempt } from '../../../src/core/errors.ts';
import { momentum } from '../../../src/solvers/update/rules/momentum.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { scaledError } from '../../support/closeness.ts';
import {
  gaussian,
  mlp,
  orThrow,
  outputsOf,
  referenceEnv,
  runStage,
  stateOf,
  tryStage,
} from '../../support/training.ts';
import { singleBackend } from '../../support/single.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const env = referenceEnv();
const { ops } = env.backend;

const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [8, 3]), targets: gaussian(2, [8, 2]) };
const start = stateOf(objective.model, 4);

const solved = pipeline(
  withObjective(objective),
  forward,
  backward,
  capture(exact()),
  updateFactors(kfac()),
  damp(0.1),
  solve(preconditioned(kroneckerInverse, { every: 100 })),
);

describe('norm constraint', () => {
  const constrained = (bound: number, learningRate: number) =>
    pipeline(solved, normConstraint({ bound, learningRate }));

  it('law: η² ΔᵀFΔ ≤ c, with equality when it is active, and the direction only scaled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 1e-6, max: 10, noNaN: true }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        async (bound, eta) => {
          const found = await runStage(constrained(bound, eta), start, batch);
          const free = await runStage(solved, start, batch);
          const blocks = blocksOf(found.sites, Object.keys(start.params));
          const sizeOf = (direction: typeof found.direction): number => {
            const delta = toBlocks(ops, blocks, direction);
            return eta ** 2 * innerProduct(ops, delta, apply(ops, found.operator, delta)).data[0];
          };
          const [before, after] = [sizeOf(free.direction), sizeOf(found.direction)];
          expect(Math.abs(after / Math.min(before, bound) - 1)).toBeLessThan(1e-10);
          const scale = Math.min(1, Math.sqrt(bound / before));
          for (const path of Object.keys(start.params)) {
            const expected = ops.scale(scale, free.direction[path]);
            expect(scaledError(found.direction[path].data, expected.data)).toBeLessThan(1e-12);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('worked example: F = 4, Δ = 3, η = ½, c = 1: η² ΔᵀFΔ = 9, so Δ becomes 1', async () => {
    const context = {
      state: { ...start, params: { p: tensor([0], [1]) } },
      blocks: [{ kind: 'parameter', name: 'p' } as const],
      operator: blockDiagonal({ p: diagonal(tensor([4], [1])) }),
      direction: { p: tensor([3], [1]) },
    };
    const { direction, metrics } = orThrow(await normConstraint({ bound: 1, learningRate: 0.5 }).run(context)(env)());
    expect(direction['p'].data[0]).toBeCloseTo(1, 14);
    expect(metrics['normScale']).toMatchObject({ data: Float64Array.of(1 / 3) });
  });

  it('a direction of length 0 stays as it is', async () => {
    const context = {
      state: { ...start, params: { p: tensor([0], [1]) } },
      blocks: [{ kind: 'parameter', name: 'p' } as const],
      operator: blockDiagonal({ p: diagonal(tensor([0], [1])) }),
      direction: { p: tensor([3], [1]) },
    };
    const { direction } = orThrow(await normConstraint({ bound: 1e-9, learningRate: 1 }).run(context)(env)());
    expect(Array.from(direction['p'].data)).toEqual([3]);
  });

  it('bounds that 32 bits do not hold are bounds: of 1e-300 on a length of 0, and of 1e300', async () => {
    const of32 = { backend: singleBackend(), clock: () => 0 };
    for (const [bound, curvature] of [
      [1e-300, 0],
      [1e300, 1],
    ]) {
      const context = {
        state: { ...start, params: { p: tensor([0], [1]) } },
        blocks: [{ kind: 'parameter', name: 'p' } as const],
        operator: blockDiagonal({ p: diagonal(tensor([curvature], [1])) }),
        direction: { p: tensor([3], [1]) },
      };
      const { direction } = orThrow(await normConstraint({ bound, learningRate: 1 }).run(context)(of32)());
      expect(Array.from(direction['p'].data)).toEqual([3]);
    }
  });
});

const lossOf = (task: Objective, state: TrainState<Tensor>, data: Batch<Tensor>): number =>
  ops.mean(task.loss.value(ops, outputsOf(env.backend, task, state, data['inputs']), data['targets']), [0]).data[0];

/** Steps of plain K-FAC with momentum and a last stage. */
const steps = async (
  count: number,
  last: (state: TrainState<Tensor>, next: TrainState<Tensor>) => Promise<TrainState<Tensor>>,
): Promise<ReadonlyArray<TrainState<Tensor>>> => {
  const step = pipeline(solved, update({ learningRate: 0.3, rules: [momentum(0.9)] }));
  const states = [start];
  for (let i = 0; i < count; i += 1) {
    const { state, next } = await runStage(step, states[i], batch);
    states.push(await last(state, next));
  }
  return states;
};

describe('rules of an update', () => {
  it('two of one name are refused where the stage is made', () => {
    const twice = [momentum(0.9), weightDecay(0.1), momentum(0.5)];
    expect(attempt(() => update({ learningRate: 1, rules: twice }))).toMatchObject({
      left: { _tag: 'BadConfig', path: 'update.rules', actual: 'momentum twice' },
    });
  });

  it('law: under names of their own, two rules of one kind have memories of their own', async () => {
    const both = update({ learningRate: 0, rules: [momentum(0.5), renamed('slow', momentum(0.75))] });
    const given = await runStage(solved, start, batch);
    const direction = { p: tensor([8], [1]) };
    const state = { ...start, params: { p: tensor([0], [1]) }, held: {} };
    const first = orThrow(await both.run({ ...given, state, gradient: direction, direction })(env)()).next;
    const next = orThrow(await both.run({ ...given, state: first, gradient: direction, direction })(env)()).next;
    // v: 8, 12; w: 8, 18.
    expect(next.rules).toEqual({
      momentum: { velocity: { p: tensor([12], [1]) } },
      slow: { velocity: { p: tensor([18], [1]) } },
    });
  });

  it('a path that no parameter of the model has is refused', async () => {
    const step = pipeline(solved, update({ learningRate: 1, rules: [onlyFor(['0', 'head'], weightDecay(0.1))] }));
    expect(await tryStage(step, start, batch)).toMatchObject({
      left: { _tag: 'BadConfig', path: 'rules.weightDecay', actual: 'head' },
    });
  });
});

describe('iterate averaging', () => {
  const averaging =
    (options: Parameters<typeof averageIterates>[0]) =>
    async (state: TrainState<Tensor>, next: TrainState<Tensor>): Promise<TrainState<Tensor>> =>
      orThrow(await averageIterates(options).run({ state, next })(env)()).next;

  it('law: until ρ binds the average is the plain mean of the iterates, and then the recursion', async () => {
    const states = await steps(4, averaging({ decay: 0.6 }));
    const at = (i: number): Tensor => states[i].params['0.weight'];
    const averageAt = (i: number): Tensor => averagedParams(states[i])['0.weight'];
    expect(averageAt(1)).toEqual(at(1));
    expect(scaledError(averageAt(2).data, ops.linearCombination(0.5, at(1), 0.5, at(2)).data)).toBeLessThan(1e-14);
    // k = 3: ρ = min(2/3, 0.6) = 0.6.
    for (const k of [3, 4]) {
      const expected = ops.linearCombination(0.6, averageAt(k - 1), 0.4, at(k));
      expect(scaledError(averageAt(k).data, expected.data)).toBeLessThan(1e-14);
    }
  });

  it('law: training does not see the average', async () => {
    const [averaged, plain] = [await steps(3, averaging({})), await steps(3, (_, next) => Promise.resolve(next))];
    expect(averaged[3].params).toEqual(plain[3].params);
    expect(averaged[3].rules['momentum']).toEqual(plain[3].rules['momentum']);
  });

  it('without an average the parameters are what to evaluate with', () => {
    expect(averagedParams(start)).toEqual(start.params);
  });

  it.each([
    ['decay', { decay: 0.1 }],
    ['start', { start: 2 }],
  ])('option: %s changes the average', async (_, option) => {
    const [base, changed] = [await steps(4, averaging({})), await steps(4, averaging(option))];
    const [x, y] = [base, changed].map((states) => averagedParams(states[4])['0.weight'].data);
    expect(scaledError(x, y)).toBeGreaterThan(1e-6);
  });
});

describe('burn-in', () => {
  const burning =
    (k: number) =>
    async (state: TrainState<Tensor>, next: TrainState<Tensor>): Promise<TrainState<Tensor>> =>
      orThrow(await burnIn(k).run({ state, next })(env)()).next;

  it('law: for k steps parameters, momentum and scalars stay, statistics and steps go on', async () => {
    const states = await steps(3, burning(2));
    for (const i of [1, 2]) {
      expect(states[i]).toMatchObject({ step: i, curvature: { updates: i } });
      expect(states[i].params).toEqual(start.params);
      expect([states[i].rules, states[i].scalars]).toEqual([start.rules, start.scalars]);
    }
    expect(states[3].params).not.toEqual(start.params);
  });

  it('the first step that counts prepares from all statistics, whatever the refresh period', async () => {
    const states = await steps(3, burning(2));
    expect(states[2].solver.prepared).toBe(null);
    expect(states[3].solver.preparedAt).toBe(2);
  });

  it('option: no burn-in is the step itself', async () => {
    const [none, plain] = [await steps(2, burning(0)), await steps(2, (_, next) => Promise.resolve(next))];
    expect(none[2]).toEqual(plain[2]);
  });
});

describe('step rejection', () => {
  const adapting = (rejectSteps: boolean, every = 5) => levenbergMarquardt({ every, decay: 0.5, rejectSteps });
  /** A step that moves every parameter by a multiple of the gradient. */
  const moved = async (rate: number, stage = adapting(true), predictedChange = -1) => {
    const given = await runStage(pipeline(withObjective(objective), forward, backward), start, batch);
    const params = Object.fromEntries(
      Object.entries(start.params).map(([path, p]) => [path, ops.linearCombination(1, p, -rate, given.gradient[path])]),
    );
    const next = {
      ...start,
      step: 1,
      params,
      rules: { lastUpdate: { update: given.gradient } },
      curvature: { averages: {}, updates: 7 },
      scalars: { other: 3 },
    };
    return { next, out: orThrow(await stage.run({ ...given, damping: 1, next, predictedChange })(env)()) };
  };

  it('law: a step that raises the loss leaves parameters and momentum; statistics, step and λ go on', async () => {
    const { next, out } = await moved(-1);
    expect(out.next).toEqual({ ...next, params: start.params, rules: start.rules });
    expect(out.next).toMatchObject({ step: 1, curvature: { updates: 7 }, scalars: { other: 3 } });
    expect(out.metrics).toMatchObject({ rejected: 1 });
    expect(takenBack(start, next)).toEqual(out.next);
  });

  it('law: a step that lowers the loss is kept, also where λ is not adapted', async () => {
    const { next, out } = await moved(0.01);
    expect(out.next).toBe(next);
    expect(out.metrics).toMatchObject({ rejected: 0 });
    expect(Object.keys(out.metrics)).not.toContain('reductionRatio');
  });

  it('a loss that is not a number rejects', async () => {
    const { next, out } = await moved(Number.NaN);
    expect(out.next).toEqual({ ...next, params: start.params, rules: start.rules });
  });

  it('λ adapts on a rejected step where that is due', async () => {
    const { out } = await moved(-1, adapting(true, 1));
    expect(out.next.params).toEqual(start.params);
    expect(out.next.scalars).toEqual({ other: 3, damping: 2 });
  });

  it.each([
    ['a good step, above its least value', 0.01, { minimum: 0.1 }, 0],
    ['a good step, at its least value', 0.01, { minimum: 1 }, -1],
    ['a bad step, at its greatest value', -1, { maximum: 1 }, 1],
    ['a bad step, below its greatest value', -1, { maximum: 2 }, 0],
  ] as const)('says which bound keeps λ: %s', async (_, rate, bounds, expected) => {
    const { out } = await moved(rate, levenbergMarquardt({ every: 1, decay: 0.5, ...bounds }), -1e-3);
    expect(out.metrics['dampingLimit']).toBe(expected);
  });

  it('option: without it a bad step is kept', async () => {
    const { next, out } = await moved(-1, adapting(false));
    expect(out.next).toBe(next);
    expect(Object.keys(out.metrics)).not.toContain('rejected');
  });

  it('option: rejectSteps keeps the loss from rising on its batch', async () => {
    // Saturated sigmoids have hardly any curvature, so with a tiny λ the model overshoots.
    const steep = { model: mlp([3, 4, 2]), loss: sigmoidCrossEntropy };
    const data = { inputs: ops.scale(3, batch.inputs), targets: ops.greater(batch.targets, ops.full([], 0)) };
    const lossesOf = async (rejectSteps: boolean): Promise<ReadonlyArray<number>> => {
      const step = pipeline(
        withObjective(steep),
        forward,
        backward,
        sample({ fraction: 0.25 }),
        capture(monteCarlo()),
        updateFactors(kfac()),
        damp(1e-9),
        solve(preconditioned(kroneckerInverse)),
        quadraticUpdate,
        levenbergMarquardt({ every: 50, minimum: 1e-12, rejectSteps }),
      );
      const losses: Array<number> = [];
      let state = stateOf(steep.model, 4);
      for (let i = 0; i < 8; i += 1) {
        losses.push(lossOf(steep, state, data));
        state = (await runStage(step, state, data)).next;
      }
      return losses;
    };
    const falls = (losses: ReadonlyArray<number>): boolean => losses.every((l, i) => i === 0 || l <= losses[i - 1]);
    expect(falls(await lossesOf(true))).toBe(true);
    expect(falls(await lossesOf(false))).toBe(false);
  });
});
