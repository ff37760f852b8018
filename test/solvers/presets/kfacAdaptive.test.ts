import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { adaptedDamping, reductionRatio } from '../../../src/solvers/quadraticModel/levenbergMarquardt.ts';
import { kfacAdaptive } from '../../../src/solvers/presets/kfacAdaptive.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, outputsOf, referenceEnv, runStage, stateOf } from '../../support/training.ts';

describe('Levenberg–Marquardt', () => {
  it.each([
    ['above ¾', 0.9, 0.5],
    ['exactly ¾', 0.75, 1],
    ['between', 0.5, 1],
    ['exactly ¼', 0.25, 1],
    ['below ¼', 0.1, 2],
    ['negative', -3, 2],
    ['NaN', Number.NaN, 2],
    ['−∞', -Infinity, 2],
  ])('table: ρ %s (%d) takes λ = 1 to %d with ω = ½', (_, rho, expected) => {
    expect(adaptedDamping(1, rho, 0.5)).toBe(expected);
  });

  it('worked example: ρ is measured over predicted change', () => {
    expect(reductionRatio(10, 7, -4)).toBe(0.75);
  });

  it('a loss that is not finite, or a model that predicts no fall, is the worst ratio', () => {
    expect(reductionRatio(10, Number.NaN, -4)).toBe(-Infinity);
    expect(reductionRatio(10, 9, 0)).toBe(-Infinity);
  });
});

describe('kfac-adaptive', () => {
  const linear = { model: mlp([3, 2], 'identity'), loss: squaredError };
  const batch = { inputs: gaussian(1, [40, 3]), targets: gaussian(2, [40, 2]) };

  const lossOf = (state: TrainState<Tensor>): number => {
    const { backend } = referenceEnv();
    const { ops } = backend;
    return ops.mean(squaredError.value(ops, outputsOf(backend, linear, state, batch.inputs), batch.targets), [0])
      .data[0];
  };

  it('law: on a quadratic objective the model predicts the change of its own batch exactly, ρ = 1', async () => {
    const step = pipeline(withObjective(linear), kfacAdaptive({ modelFraction: 1 }).step);
    let state = stateOf(linear.model, 3);
    for (let i = 0; i < 4; i += 1) {
      const before = lossOf(state);
      const { next, metrics } = await runStage(step, state, batch);
      // The first step is judged by the second.
      if (i === 0) expect(Object.keys(metrics)).not.toContain('reductionRatio');
      else expect(metrics['reductionRatio']).toBeCloseTo(1, 6);
      expect(metrics['rejected']).toBe(0);
      expect(lossOf(next)).toBeLessThan(before);
      state = next;
    }
  });

  it('a least λ above the usual greatest one raises both', async () => {
    const step = pipeline(withObjective(linear), kfacAdaptive({ minDamping: 1e12, dampingEvery: 1 }).step);
    const { next } = await runStage(step, stateOf(linear.model, 3), batch);
    expect(next.scalars['damping']).toBe(1e12);
  });

  it('a model that foretells nothing has no ratio to report, and λ stays', async () => {
    const still = {
      ...batch,
      targets: outputsOf(referenceEnv().backend, linear, stateOf(linear.model, 3), batch.inputs),
    };
    const step = pipeline(withObjective(linear), kfacAdaptive({ damping: 1, dampingEvery: 1 }).step);
    const first = await runStage(step, stateOf(linear.model, 3), still);
    const { metrics, next } = await runStage(step, first.next, still);
    expect(Object.keys(metrics)).not.toContain('reductionRatio');
    expect(next.scalars['damping']).toBe(1);
  });

  it('λ adapts in the state once a step has been judged, is used in the next step and is reported', async () => {
    const step = pipeline(withObjective(linear), kfacAdaptive({ damping: 2, dampingEvery: 1, dampingDecay: 0.5 }).step);
    const first = await runStage(step, stateOf(linear.model, 3), batch);
    expect(first.metrics).toMatchObject({ damping: 2, nextDamping: 2 });
    const { next, metrics } = await runStage(step, first.next, batch);
    expect(metrics).toMatchObject({ damping: 2, nextDamping: 1 });
    // Of their bound first steps promise 0.3; a step that is taken gives back what λ may fall by.
    expect(first.next.scalars['trust']).toBeCloseTo(0.6, 12);
    expect(next.scalars).toEqual({ damping: 1, trust: 1 });
    const third = await runStage(step, next, batch);
    expect(third.metrics).toMatchObject({ damping: 1 });
  });

  it.each<readonly [name: string, option: object, given: object]>([
    ['damping', { damping: 3 }, {}],
    ['minDamping', { minDamping: 50 }, {}],
    ['dampingEvery', { dampingEvery: 3 }, {}],
    ['dampingDecay', { dampingDecay: 0.1 }, {}],
    ['decay', { decay: 0 }, {}],
    ['gammaEvery', { gammaEvery: 1 }, {}],
    ['gammaDecay', { gammaEvery: 1, gammaDecay: 0.1 }, {}],
    ['statisticsEvery', { statisticsEvery: 3 }, {}],
    ['statisticsFraction', { statisticsFraction: 1 }, { atLeast: 1 }],
    ['modelFraction', { modelFraction: 1 }, { atLeast: 1 }],
    ['atLeast', { atLeast: 20 }, { atLeast: 1 }],
    ['equilibrated', { equilibrated: 'whole' }, {}],
    ['lossBound', { lossBound: 0.1 }, {}],
    ['inverseEvery', { inverseEvery: 3 }, {}],
    ['inverseDrift', { inverseDrift: 1e-9 }, {}],
    ['inverseStaleness', { inverseStaleness: 1 }, {}],
  ])('option: %s changes the trajectory', async (_, option, given) => {
    const objective = { model: mlp([3, 4, 2]), loss: squaredError };
    const run = async (options: object): Promise<TrainState<Tensor>> => {
      const step = pipeline(
        withObjective(objective),
        kfacAdaptive({ damping: 1, dampingEvery: 1, inverseEvery: 2, settling: 0, share: 0, ...given, ...options })
          .step,
      );
      let state = stateOf(objective.model, 3);
      for (let i = 0; i < 4; i += 1) state = (await runStage(step, state, batch)).next;
      return state;
    };
    const [base, changed] = [await run({}), await run(option)];
    const gaps = Object.keys(base.params).map((path) => scaledError(base.params[path].data, changed.params[path].data));
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });
});
