import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';

import { mapParams } from '../../../src/core/params.ts';
import * as E from 'fp-ts/lib/Either.js';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { createBackground } from '../../../src/core/pipeline/background.ts';
import type { Batch } from '../../../src/core/pipeline/context.ts';
import type { Env } from '../../../src/core/pipeline/env.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import type { Step } from '../../../src/core/pipeline/stage.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import type { Curvature } from '../../../src/curvature/curvature.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { dense } from '../../../src/curvature/dense.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { tridiagonalKfac } from '../../../src/curvature/tridiagonalKfac.ts';
import { driftOf } from '../../../src/solvers/solver/drift.ts';
import { iterative } from '../../../src/solvers/iterative/iterative.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { RefreshOptions, RefreshPeriod } from '../../../src/solvers/solver/refresh.ts';
import { refreshError } from '../../../src/solvers/solver/refresh.ts';
import type { Solver, SolveNeeds } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { tridiagonalInverse } from '../../../src/solvers/inverses/tridiagonalInverse.ts';
import { denseInverse } from '../../../src/solvers/inverses/denseInverse.ts';
import { lowRankInverse } from '../../../src/solvers/inverses/lowRankInverse.ts';
import { ekfac } from '../../../src/solvers/inverses/ekfac.ts';
import { eigen } from '../../../src/solvers/inverses/eigen.ts';
import { newtonSchulz } from '../../../src/solvers/inverses/newtonSchulz.ts';
import { autoInverse } from '../../../src/solvers/inverses/autoInverse.ts';
import { choleskySolve } from '../../../src/solvers/inverses/choleskySolve.ts';
import type { Inverse } from '../../../src/solvers/solver/inverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const env = referenceEnv();
const { backend } = env;

const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const start = stateOf(objective.model, 4);
const batchAt = (step: number): Batch<Tensor> => ({
  inputs: gaussian(10 + step, [6, 3]),
  targets: gaussian(50 + step, [6, 2]),
});

const stepOf = (
  solver: Solver<SolveNeeds | 'captured'>,
  curvature: Curvature = kfac({ decay: 0.7 }),
  learningRate = 0.1,
): Step =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(curvature),
    damp(0.5),
    solve(solver),
    update({ learningRate }),
  );

/** An environment in which work runs beside the steps. */
const withBackground = (): Env<Tensor> => ({ ...env, background: createBackground(backend) });

type Taken = Awaited<ReturnType<typeof take>>;

const take = (step: Step, state: TrainState<Tensor>, at: Env<Tensor> = env) =>
  runStage(step, state, batchAt(state.step), at);

/** Steps from the first on; `between` sees each state before it is used. */
const run = async (
  step: Step,
  count: number,
  at: Env<Tensor> = env,
  between: (state: TrainState<Tensor>) => TrainState<Tensor> = (state) => state,
): Promise<ReadonlyArray<Taken>> => {
  const steps: Array<Taken> = [];
  let state = start;
  for (let i = 0; i < count; i += 1) {
    const taken = await take(step, between(state), at);
    steps.push(taken);
    state = taken.next;
  }
  return steps;
};

const cg = (options: RefreshOptions): Solver<SolveNeeds> =>
  iterative('cg', { ...options, preconditioner: kroneckerInverse, maxIterations: 3 });

/** Every inverse, with a curvature that it takes. */
const inverses: ReadonlyArray<readonly [Inverse<'captured'>, Curvature | undefined]> = [
  [kroneckerInverse, undefined],
  [choleskySolve, undefined],
  [eigen, undefined],
  [ekfac(), undefined],
  [newtonSchulz(), undefined],
  [lowRankInverse({ rank: 2 }), undefined],
  [denseInverse(), dense({ decay: 0.7 })],
  [tridiagonalInverse, tridiagonalKfac({ decay: 0.7 })],
  [autoInverse, tridiagonalKfac({ decay: 0.7 })],
];

/** Every solver that prepares, with a curvature that it takes. */
const solvers: ReadonlyArray<
  readonly [string, (options: RefreshOptions) => Solver<SolveNeeds | 'captured'>, Curvature | undefined]
> = [
  ...inverses.map(([inverse, curvature]) => {
    const make = (options: RefreshOptions) => preconditioned(inverse, options);
    return [inverse.name, make, curvature] as const;
  }),
  ['cg', cg, undefined],
];

describe('periods that follow the statistics', () => {
  const preparedAt = (steps: ReadonlyArray<Taken>): ReadonlyArray<number> =>
    steps.map(({ next }) => next.solver.preparedAt);
  const withPeriod = (every: RefreshPeriod) =>
    run(stepOf(preconditioned(kroneckerInverse, { every })), 8).then(preparedAt);

  it.each(solvers)('law: no inverse is older than the drift that is allowed (%s)', async (_, make, curvature) => {
    const step = stepOf(make({ every: { drift: 0.3 } }), curvature);
    const steps = await run(step, 10);
    for (const { next, metrics } of steps) {
      const { averages } = next.curvature;
      expect(orThrow(await driftOf(backend, averages, next.solver.preparedFrom ?? {})())).toBeLessThanOrEqual(0.3);
      const fresh = next.solver.preparedAt === next.step - 1;
      if (next.step > 1) expect(Number(metrics['drift']) > 0.3).toBe(fresh);
    }
    const times = new Set(preparedAt(steps)).size;
    expect(times).toBeGreaterThan(1);
    expect(times).toBeLessThan(10);
  });

  it('law: any drift is too much for a tolerance near 0, none for a large one, up to the greatest age', async () => {
    expect(await withPeriod({ drift: 1e-12 })).toEqual(await withPeriod(1));
    expect(await withPeriod({ drift: 1e9, atMost: 3 })).toEqual(await withPeriod(3));
    expect(await withPeriod({ drift: 1e9 })).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('statistics that begin at 0 have drifted without a bound: an inverse is due, and no number is reported', async () => {
    const step = stepOf(preconditioned(kroneckerInverse, { every: { drift: 1e9 } }));
    const [first] = await run(step, 1);
    const { solver } = first.next;
    const preparedFrom = pipe(
      solver.preparedFrom ?? {},
      R.map((arrays) => mapParams(arrays, (x) => backend.ops.scale(0, x))),
    );
    const { next, metrics } = await take(step, { ...first.next, solver: { ...solver, preparedFrom } });
    expect(next.solver.preparedAt).toBe(1);
    expect(Object.keys(metrics)).not.toContain('drift');
  });

  it('law: between two preparations lie at least so many steps', async () => {
    expect(await withPeriod({ drift: 1e-12, atLeast: 3 })).toEqual(await withPeriod(3));
  });

  it('averages are remembered only where their drift is measured', async () => {
    const [first] = await run(stepOf(preconditioned(kroneckerInverse, { every: 2 })), 1);
    expect(first.next.solver.preparedFrom).toBe(null);
    expect(Object.keys(first.metrics)).not.toContain('drift');
  });

  it.each([
    ['every', { every: 0 }],
    ['every', { every: 1.5 }],
    ['every.drift', { every: { drift: 0 } }],
    ['every.drift', { every: { drift: Number.NaN } }],
    ['every.atLeast', { every: { drift: 1, atLeast: 0 } }],
    ['every.atMost', { every: { drift: 1, atLeast: 4, atMost: 3 } }],
    ['overlap.staleness', { overlap: { staleness: -1 } }],
    ['overlap.staleness', { overlap: { staleness: 0.5 } }],
  ] as const)('refuses %s in %j', async (path, options) => {
    expect(refreshError(options)).toMatchObject({ _tag: 'BadConfig', path });
    const step = stepOf(preconditioned(kroneckerInverse, options));
    expect(await tryStage(step, start, batchAt(0))).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path } });
  });
});

describe('preparations beside the steps', () => {
  const overlapping = { every: 3, overlap: { staleness: 2 } };

  it.each(solvers)('law: staleness 0 is waiting (%s)', async (_, make, curvature) => {
    const [waited, overlapped] = [
      await run(stepOf(make({ every: 3 }), curvature), 5),
      await run(stepOf(make({ every: 3, overlap: { staleness: 0 } }), curvature), 5, withBackground()),
    ];
    expect(overlapped.map(({ next }) => next)).toEqual(waited.map(({ next }) => next));
  });

  it('law: the inverses are those of a run that waits, used k steps later', async () => {
    // With a learning rate of 0 the statistics do not depend on the inverses.
    const still = (options: RefreshOptions) => stepOf(preconditioned(kroneckerInverse, options), undefined, 0);
    const waited = await run(still({ every: 3 }), 12);
    for (const staleness of [1, 2, 3, 4]) {
      const overlapped = await run(still({ every: 3, overlap: { staleness } }), 12, withBackground());
      // With 4 the one begun at 3 is taken at 7, and none is begun at 6 meanwhile.
      const begun = staleness < 4 ? [3, 6, 9] : [3, 9];
      overlapped.forEach(({ next, metrics }, step) => {
        const from = Math.max(0, ...begun.filter((t) => t + staleness <= step));
        expect(next.solver.prepared).toEqual(waited[from].next.solver.prepared);
        expect(metrics['inverseAge']).toBe(step - from);
      });
    }
  });

  it.each(solvers)(
    'law: a run resumed after every step is the uninterrupted one, with drift too (%s)',
    async (_, make, curvature) => {
      for (const every of [3, { drift: 0.3 }]) {
        const step = stepOf(make({ ...overlapping, every }), curvature);
        const uninterrupted = await run(step, 9, withBackground());
        // A copy is what loading a saved state gives: nothing that has begun is known for it.
        const resumed = await run(step, 9, withBackground(), structuredClone);
        const alone = await run(step, 9);
        expect(resumed.map(({ next }) => next)).toEqual(uninterrupted.map(({ next }) => next));
        expect(alone.map(({ next }) => next)).toEqual(uninterrupted.map(({ next }) => next));
        expect(uninterrupted.some(({ next }) => next.solver.pending !== null)).toBe(true);
        expect(uninterrupted[8].next.solver.preparedAt).toBeGreaterThan(0);
      }
    },
  );

  it('option: staleness changes the trajectory', async () => {
    const [waited, stale] = [
      await run(stepOf(preconditioned(kroneckerInverse, { every: 3 })), 6),
      await run(stepOf(preconditioned(kroneckerInverse, overlapping)), 6),
    ];
    expect(stale[4].next.params).not.toEqual(waited[4].next.params);
  });

  /** Prepares the curvature itself, counts how often, and fails at the given call. */
  const counted = (failing = 0) => {
    let calls = 0;
    const failure = { _tag: 'NotPositiveDefinite', where: 'head', order: 1, damping: 5 } as const;
    const inverse: Inverse = {
      name: 'counted',
      prepare: (_, operator) => async () => {
        calls += 1;
        await Promise.resolve();
        return calls === failing ? E.left(failure) : E.right({ operator, metrics: {} });
      },
    };
    return { inverse, calls: () => calls };
  };

  it('work begins in the step that is due, and is done once', async () => {
    const { inverse, calls } = counted();
    const step = stepOf(preconditioned(inverse, overlapping), undefined, 0);
    const at = withBackground();
    const [, , , due] = await run(step, 4, at);
    expect(due.next.solver.pending).toMatchObject({ since: 3, damping: 0.5 });
    expect(calls()).toBe(2);
    const stepped = await take(step, due.next, at);
    const taken = await take(step, stepped.next, at);
    expect(taken.next.solver).toMatchObject({ pending: null, preparedAt: 3 });
    expect(calls()).toBe(2);
  });

  it('a failure beside the steps is the same error, in the step that wants the inverse', async () => {
    for (const at of [env, withBackground()]) {
      const step = stepOf(preconditioned(counted(2).inverse, overlapping), undefined, 0);
      const steps = await run(step, 5, at);
      const failed = await tryStage(step, steps[4].next, batchAt(5), at);
      expect(failed).toMatchObject({ _tag: 'Left', left: { _tag: 'NotPositiveDefinite', where: 'head', damping: 5 } });
    }
  });
});
