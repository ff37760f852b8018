import { programOf } from '../../support/programOf.ts';
import { gaussNewtonProduct } from '../../../src/core/autodiff/products.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { createBackground } from '../../../src/core/pipeline/background.ts';
import type { Env } from '../../../src/core/pipeline/env.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { lastUpdate } from '../../../src/solvers/quadraticModel/coefficients.ts';
import type { QuadraticModel } from '../../../src/solvers/quadraticModel/quadraticModel.ts';
import { minimiseModel, modelChange } from '../../../src/solvers/quadraticModel/quadraticModel.ts';
import { quadraticUpdate } from '../../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { Inverse } from '../../../src/solvers/solver/inverse.ts';
import type { RefreshOptions } from '../../../src/solvers/solver/refresh.ts';
import { innerProduct } from '../../../src/core/ops/innerProduct.ts';
import type { SeparateDampingOptions, SeparateNeeds } from '../../../src/solvers/quadraticModel/separateDamping.ts';
import { gammaCandidates, leastModel, separateDamping } from '../../../src/solvers/quadraticModel/separateDamping.ts';
import type { Solver } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { ekfac } from '../../../src/solvers/inverses/ekfac.ts';
import { eigen } from '../../../src/solvers/inverses/eigen.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const env = referenceEnv();
const { ops } = env.backend;

const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [12, 3]), targets: gaussian(2, [12, 2]) };
const start = stateOf(objective.model, 3);
const damping = 0.3;

const stepOf = (solver: Solver<SeparateNeeds>, lambda = damping) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(kfac()),
    damp(lambda),
    solve(solver),
    quadraticUpdate,
  );

type Make = (options?: RefreshOptions) => Solver<SeparateNeeds>;

const direct =
  (inverse: Inverse<'captured'>): Make =>
  (options) =>
    preconditioned(inverse, options);

interface Options extends SeparateDampingOptions {
  readonly damping?: number;
}

const separate = ({ damping: lambda, ...options }: Options = {}, make: Make = direct(kroneckerInverse), every = 1) =>
  stepOf(separateDamping({ every: 1, decay: 0.5, ...options }, make({ every })), lambda);

const run = async (
  step: ReturnType<typeof stepOf>,
  count: number,
  at: Env<Tensor> = env,
  between: (state: TrainState<Tensor>) => TrainState<Tensor> = (state) => state,
) => {
  const steps: Array<Awaited<ReturnType<typeof runStage<'next' | 'state' | 'direction' | 'gradient' | 'metrics'>>>> =
    [];
  let state = start;
  for (let i = 0; i < count; i += 1) {
    const taken = await runStage(step, between(state), batch, at);
    steps.push(taken);
    state = taken.next;
  }
  return steps;
};

describe('choosing γ', () => {
  it.each([
    ['the least', [3, 1, 2], 1],
    ['the first of equal ones, so γ itself stays', [1, 1, 1], 0],
    ['of decreases, the greatest', [-1, -3, -2], 1],
    ['never what is not a number', [2, Number.NaN, 3], 0],
    ['even where that comes first', [Number.NaN, 5, 4], 2],
    ['γ itself where nothing is a number', [Number.NaN, Number.NaN, Number.NaN], 0],
    ['−∞ before any number', [0, -Infinity, -1], 1],
    ['a single one', [7], 0],
  ] as const)('table: %s of %j is at %d', (_, values, expected) => {
    expect(leastModel(values)).toBe(expected);
  });

  it.each([
    ['between the bounds', 1, 0.1, 10, [1, 0.5, 2]],
    ['at the least', 0.5, 0.5, 10, [0.5, 1]],
    ['at the greatest', 10, 0.5, 10, [10, 5]],
    ['below the least', 0.01, 0.5, 10, [0.5]],
  ] as const)('table: candidates %s: γ = %d in [%d, %d] tries %j', (_, gamma, minimum, maximum, expected) => {
    expect(gammaCandidates(gamma, 0.5, minimum, maximum)).toEqual(expected);
  });
});

describe('separateDamping', () => {
  /** M(δ) of a direction at its best α and μ, with products from the Gauss–Newton matrix itself. */
  const leastChange = (state: TrainState<Tensor>, gradient: typeof start.params, direction: typeof start.params) => {
    const d = Object.fromEntries(Object.entries(direction).map(([path, x]) => [path, ops.scale(-1, x)]));
    const last =
      lastUpdate.in(state.rules)?.update ?? Object.fromEntries(Object.entries(d).map(([p, x]) => [p, ops.scale(0, x)]));
    const product = (v: typeof d) =>
      gaussNewtonProduct(
        ops,
        programOf(objective.model),
        (outputs: Tensor, u: Tensor) => squaredError.hessianProduct(ops, outputs, u),
        state.params,
        v,
        [batch.inputs],
      );
    const times = (x: typeof d, y: typeof d): number => innerProduct(ops, x, y).data[0];
    const [Fd, Fl] = [product(d), product(last)];
    const model: QuadraticModel = {
      curvature: [times(d, Fd) / 12, times(last, Fd) / 12, times(last, Fl) / 12],
      squares: [times(d, d), times(d, last), times(last, last)],
      slopes: [times(gradient, d), times(gradient, last)],
    };
    return modelChange(model, damping, minimiseModel(model, damping));
  };

  it.each([
    ['kroneckerInverse', direct(kroneckerInverse)],
    ['eigen', direct(eigen)],
    ['ekfac', direct(ekfac())],
  ])('law: of γ, ω₂ γ and γ / ω₂ the one with the least M(δ) is chosen (%s)', async (_, make) => {
    let state = start;
    let gamma = Math.sqrt(damping);
    for (let i = 0; i < 4; i += 1) {
      const chosen = await runStage(separate({}, make), state, batch);
      const candidates = gammaCandidates(gamma, 0.5, 1e-4, 1e4);
      const plain = await Promise.all(
        candidates.map((g) =>
          runStage(stepOf(make(), g ** 2), { ...state, solver: { ...state.solver, prepared: null } }, batch),
        ),
      );
      const changes = plain.map(({ direction, gradient }) => leastChange(state, gradient, direction));
      const best = changes.indexOf(Math.min(...changes));
      expect(chosen.metrics).toMatchObject({ gamma: candidates[best], damping });
      for (const path of Object.keys(start.params)) {
        expect(scaledError(chosen.direction[path].data, plain[best].direction[path].data)).toBeLessThan(1e-12);
      }
      gamma = candidates[best];
      state = chosen.next;
    }
    expect(gamma).not.toBe(Math.sqrt(damping));
  });

  it('law: between its periods it is the solver with damping γ²', async () => {
    const steps = await run(separate({ every: 3 }), 3);
    const gamma = Number(steps[0].metrics['gamma']);
    for (const i of [1, 2]) {
      const plain = await runStage(stepOf(preconditioned(kroneckerInverse), gamma ** 2), steps[i - 1].next, batch);
      expect(steps[i].direction).toEqual(plain.direction);
      expect(steps[i].metrics).toMatchObject({ gamma, damping });
    }
  });

  it('law: λ in the state stays as it is, and γ is beside it', async () => {
    const [without] = await run(separate(), 1);
    expect(Object.keys(without.next.scalars)).toEqual(['gamma']);
    const adapted = { ...start, scalars: { damping: 7, other: 1 } };
    const { next, metrics } = await runStage(separate(), adapted, batch);
    expect(next.scalars).toMatchObject({ damping: 7, other: 1 });
    expect(Math.abs(Math.log2(next.scalars['gamma'] / Math.sqrt(7)))).toBeLessThan(1 + 1e-12);
    expect(metrics).toMatchObject({ damping: 7 });
  });

  it('law: resumed = uninterrupted, with preparations under way', async () => {
    const late: Make = (options) => preconditioned(kroneckerInverse, { ...options, overlap: { staleness: 2 } });
    const step = separate({ every: 4 }, late, 3);
    const uninterrupted = await run(step, 9, { ...env, background: createBackground(env.backend) });
    const resumed = await run(step, 9, env, structuredClone);
    expect(resumed.map(({ next }) => next)).toEqual(uninterrupted.map(({ next }) => next));
    expect(uninterrupted.some(({ next }) => next.solver.pending !== null)).toBe(true);
  });

  it.each([
    ['every', { every: 2 }],
    ['decay', { decay: 0.7 }],
    ['minimum', { minimum: 0.5 }],
    ['maximum', { maximum: 0.3 }],
    ['damping', { damping: 5 }],
  ] as const)('option: %s changes the trajectory', async (_, option) => {
    const [base, changed] = [await run(separate(), 4), await run(separate(option), 4)];
    const [x, y] = [base, changed].map((steps) => steps[3].next.params['0.weight'].data);
    expect(scaledError(x, y)).toBeGreaterThan(1e-9);
  });

  it('refuses a period that is no whole number', async () => {
    expect(await tryStage(separate({ every: 0.5 }), start, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'gamma.every' },
    });
  });
});
