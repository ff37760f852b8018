import { materialiseBlocks } from '../../../src/core/operators/materialise.ts';
import { stack } from '../../../src/core/operators/vec.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { mapParams } from '../../../src/core/params.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import type { Context } from '../../../src/core/pipeline/context.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { left } from 'fp-ts/lib/TaskEither.js';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { toBlocks } from '../../../src/curvature/blocks.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { gaussNewtonAction } from '../../../src/solvers/iterative/gaussNewton.ts';
import type { KfacCgOptions } from '../../../src/solvers/iterative/kfacCg.ts';
import { kfacCg as kfacCgSolver } from '../../../src/solvers/iterative/kfacCg.ts';
import { kfacCg } from '../../../src/solvers/presets/kfacCg.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { Preconditioner } from '../../../src/solvers/solver/inverse.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { poisoningBackend } from '../../support/poison.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';

const env = referenceEnv();
const { ops } = env.backend;

const classifier = { model: mlp([3, 5, 4]), loss: softmaxCrossEntropy };
const classes = {
  inputs: gaussian(1, [16, 3]),
  targets: tensor(
    Array.from({ length: 16 }, (_, i) => i % 4),
    [16],
    'i32',
  ),
};

interface Options extends KfacCgOptions {
  readonly damping: number;
}

const solverStep = (objective: typeof classifier, { damping, ...options }: Options) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(kfac()),
    damp(damping),
    solve(kfacCgSolver(options)),
  );

const solving = (options: Options, state = stateOf(classifier.model, 3)) =>
  runStage(solverStep(classifier, options), state, classes);

const iterationsOf = ({ metrics }: Context<Tensor, 'metrics'>): number => Number(metrics['solveIterations']);

describe('kfacCg', () => {
  it('law: the direction solves (E[Jᵀ H J] + λ I) d = ∇, against the dense solution', async () => {
    const state = stateOf(classifier.model, 3);
    const lambda = 0.05;
    const context = await solving({ damping: lambda, tolerance: 1e-12, martens: null }, state);
    const { blocks } = context;
    const action = gaussNewtonAction(context);
    const b = toBlocks(ops, blocks, context.gradient);
    const G = materialiseBlocks(
      ops,
      action,
      mapParams(b, ({ shape }) => shape),
    );
    const names = Object.keys(b);
    const expected = orThrow(await env.backend.linearAlgebra.solve(ops.addDiagonal(G, lambda), stack(ops, b, names))());
    const direction = stack(ops, toBlocks(ops, blocks, context.direction), names);
    expect(scaledError(direction.data, expected.data)).toBeLessThan(1e-8);
    expect(Number(context.metrics['solveResidual'])).toBeLessThanOrEqual(1e-12);
  });

  it('law: where K-FAC is exact one iteration is enough: one linear layer with squared error', async () => {
    const linear = { model: mlp([3, 2]), loss: squaredError };
    const batch = { inputs: gaussian(1, [12, 3]), targets: gaussian(2, [12, 2]) };
    const context = await runStage(solverStep(linear, { damping: 1e-14 }), stateOf(linear.model, 1), batch);
    expect(iterationsOf(context)).toBe(1);
  });

  it.each<readonly [string, KfacCgOptions, number]>([
    ['its tolerance', { tolerance: 1e-8, martens: null }, 1],
    ["Martens' rule", { tolerance: 0, martens: { epsilon: 5e-4 } }, 1],
    ['the limit of iterations', { tolerance: 0, martens: null, maxIterations: 1 }, 0],
  ])('says whether a rule of its own ended it: %s', async (_, options, converged) => {
    const { metrics } = await solving({ damping: 0.05, ...options });
    expect(metrics['solveConverged']).toBe(converged);
  });

  it('K-FAC as preconditioner saves iterations', async () => {
    const options = { damping: 1e-4, martens: null, tolerance: 1e-8 };
    const [plain, preconditioned] = [await solving({ ...options, preconditioner: null }), await solving(options)];
    expect(iterationsOf(preconditioned)).toBeLessThan(iterationsOf(plain));
    for (const [path, d] of Object.entries(plain.direction)) {
      expect(scaledError(preconditioned.direction[path].data, d.data)).toBeLessThan(1e-3);
    }
  });

  it('the last direction is remembered, and the next iteration starts from ζ times it', async () => {
    const options = { damping: 0.01, martens: null, tolerance: 1e-8 };
    const first = await solving(options);
    expect(first.state.solver.slots['lastDirection']).toEqual(first.direction);
    // Same parameters and batch again: with ζ = 1 the start is the solution.
    const again = async (warmStart: number): Promise<number> => {
      const state = { ...first.state, step: 1 };
      return iterationsOf(await solving({ ...options, warmStart }, state));
    };
    expect(await again(1)).toBe(0);
    expect(await again(0)).toBe(iterationsOf(first));
  });

  it('option: maxIterations, tolerance and Martens’ rule each stop it sooner', async () => {
    const thorough = { damping: 1e-4, martens: null, tolerance: 1e-10 };
    const all = iterationsOf(await solving(thorough));
    expect(all).toBeGreaterThan(8);
    expect(iterationsOf(await solving({ ...thorough, maxIterations: 3 }))).toBe(3);
    expect(iterationsOf(await solving({ ...thorough, tolerance: 1e-1 }))).toBeLessThan(all);
    expect(iterationsOf(await solving({ ...thorough, martens: { window: 2, epsilon: 0.05 } }))).toBeLessThan(all);
  });

  it('the preconditioner is prepared every so many steps, and its age is reported', async () => {
    const options = { damping: 0.1, every: 3 };
    const first = await solving(options);
    const kept = await solving(options, { ...first.state, step: 1 });
    expect(kept.metrics).toMatchObject({ inverseAge: 1 });
    expect(kept.state.solver.prepared).toBe(first.state.solver.prepared);
    const renewed = await solving(options, { ...first.state, step: 3 });
    expect(renewed.metrics).toMatchObject({ inverseAge: 0, damping: 0.1 });
  });

  it('a preparation that refuses the curvature is an error', async () => {
    const refusing: Preconditioner = {
      name: 'refusing',
      prepare: () => left({ _tag: 'BadConfig', path: 'operator', expected: 'another', actual: 'this' }),
    };
    const stage = solverStep(classifier, { damping: 1, preconditioner: refusing });
    expect(await tryStage(stage, stateOf(classifier.model, 1), classes)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig' },
    });
  });

  it('law: memory. The products of one iteration are handed back before the next', async () => {
    const peakOf = async (maxIterations: number): Promise<number> => {
      const { backend, peak } = poisoningBackend();
      const options = { damping: 1e-4, martens: null, tolerance: 0, maxIterations };
      const state = stateOf(classifier.model, 3);
      const { direction } = await runStage(solverStep(classifier, options), state, classes, { ...env, backend });
      const expected = await solving(options, state);
      expect(direction).toEqual(expected.direction);
      return peak();
    };
    expect(await peakOf(12)).toBe(await peakOf(6));
  });
});

describe('preset kfac-cg', () => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };
  const batch = { inputs: gaussian(1, [12, 3]), targets: gaussian(2, [12, 2]) };

  const stepOf = (options: object) => pipeline(withObjective(objective), kfacCg(options).step);

  const run = async (options: object, count = 6): Promise<TrainState<Tensor>> => {
    const step = stepOf({ damping: 0.1, ...options });
    let state = stateOf(objective.model, 3);
    for (let i = 0; i < count; i += 1) state = (await runStage(step, state, batch)).next;
    return state;
  };

  it('law: on a quadratic objective one undamped step reaches the minimum', async () => {
    const linear = { model: mlp([3, 2]), loss: squaredError };
    const step = pipeline(
      withObjective(linear),
      kfacCg({ damping: 1e-10, minDamping: 1e-10, tolerance: 1e-12, lossBound: 100 }).step,
    );
    const { next } = await runStage(step, stateOf(linear.model, 3), batch);
    const { gradient } = await runStage(pipeline(withObjective(linear), forward, backward), next, batch);
    for (const g of Object.values(gradient)) expect(Math.max(...Array.from(g.data, Math.abs))).toBeLessThan(1e-8);
  });

  it('reports iterations, residual, λ and ρ', async () => {
    const { metrics } = await runStage(stepOf({ damping: 0.1 }), await run({}, 1), batch);
    const keys = ['solveIterations', 'solveResidual', 'damping', 'inverseAge', 'reductionRatio', 'learningRate'];
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(keys));
  });

  // Few iterations, so that where they start and how they are preconditioned shows.
  const few = { maxIterations: 6, tolerance: 1e-10, progress: 0 };

  it.each<readonly [string, object, object]>([
    ['damping', { damping: 3 }, few],
    ['minDamping', { minDamping: 50 }, few],
    ['equilibrated', { equilibrated: 'whole' }, few],
    ['lossBound', { lossBound: 1e-3 }, few],
    ['dampingEvery', { dampingEvery: 2 }, few],
    ['dampingDecay', { dampingDecay: 0.1 }, few],
    ['decay', { decay: 0 }, few],
    ['statisticsEvery', { statisticsEvery: 3 }, few],
    ['inverseEvery', { inverseEvery: 3 }, few],
    ['maxIterations', { maxIterations: 2 }, few],
    ['tolerance', { tolerance: 0.1 }, few],
    ['progress', { progress: 0.5 }, { progress: 0 }],
    ['warmStart', { warmStart: 0 }, few],
  ])('option: %s changes the trajectory', async (_, option, base) => {
    const [plain, changed] = [await run(base), await run({ ...base, ...option })];
    const gaps = Object.keys(plain.params).map((path) =>
      scaledError(changed.params[path].data, plain.params[path].data),
    );
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });
});
