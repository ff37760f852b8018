import type { ModelProgram } from '../../src/core/nn/model.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { Env } from '../../src/core/pipeline/env.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import type { CaptureOptions } from '../../src/curvature/capture.ts';
import { capture } from '../../src/curvature/capture.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { curvaturePropagation, exact, monteCarlo } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfra } from '../../src/curvature/kfra.ts';
import { sample } from '../../src/curvature/sample.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { batchWoodbury } from '../../src/solvers/inverses/batchWoodbury.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { poisoningBackend } from '../support/poison.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';

const net = mlp([3, 4, 5]);
const objective = { model: net, loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(4, [6, 3]), targets: tensor([0, 1, 2, 3, 4, 2], [6], 'i32') };
const state = stateOf(net, 8);

const captureWith = (task: Objective, estimator: Estimator, options: CaptureOptions, fraction = 1) =>
  pipeline(withObjective(task), forward, backward, sample({ fraction }), capture(estimator, options));

/** One row per curvature; a new one joins here. */
const curvatures: ReadonlyArray<Curvature> = [
  kfac(),
  blockKfac({ blocks: { inputs: { count: 2 }, outputs: { size: 2 } } }),
  tridiagonalKfac(),
  classKfac({ classes: 5 }),
  kfra(),
  diagonal(),
  dense(),
];

const averagesWith = async (curvature: Curvature, estimator: Estimator, options: CaptureOptions, fraction = 1) => {
  const step = pipeline(captureWith(objective, estimator, options, fraction), updateFactors(curvature));
  return (await runStage(step, state, batch)).state.curvature.averages;
};

describe.each(curvatures.map((curvature) => [curvature.name, curvature] as const))('windows, %s', (_, curvature) => {
  it.each([
    ['exact', exact(), 1],
    ['four samples', monteCarlo({ samples: 4 }), 1],
    ['four combinations', curvaturePropagation({ samples: 4 }), 1],
    ['exact of half the batch', exact(), 0.5],
  ])('law: streamed = all at once, %s', async (__, estimator, fraction) => {
    const whole = await averagesWith(curvature, estimator, { passesAtOnce: 5 }, fraction);
    for (const passesAtOnce of [1, 2, 3]) {
      const streamed = await averagesWith(curvature, estimator, { passesAtOnce }, fraction);
      expect(Object.keys(streamed)).toEqual(Object.keys(whole));
      for (const [block, averages] of Object.entries(whole)) {
        for (const [name, x] of Object.entries(averages)) {
          expect(scaledError(streamed[block][name].data, x.data)).toBeLessThan(1e-12);
        }
      }
    }
  });
});

describe('windows', () => {
  it('law: streamed = all at once, a parameter without a site', async () => {
    const program: ModelProgram = (o, params, at) => o.mul(net.program(o, params, at), params['scale']);
    const task = { model: { ...net, program }, loss: sigmoidCrossEntropy };
    const start = { ...state, params: { ...state.params, scale: tensor([2, -1, 1, 0.5, 3], [5]) } };
    const data = { ...batch, targets: gaussian(3, [6, 5]) };
    const secondWith = async (passesAtOnce: number): Promise<Tensor> => {
      const step = pipeline(captureWith(task, exact(), { passesAtOnce }), updateFactors(kfac()));
      return (await runStage(step, start, data)).state.curvature.averages['scale']['second'];
    };
    expect(scaledError((await secondWith(2)).data, (await secondWith(5)).data)).toBeLessThan(1e-12);
  });

  it('law: streamed = all at once, EKFAC’s direction', async () => {
    const directionWith = async (passesAtOnce: number) =>
      (
        await runStage(
          pipeline(
            captureWith(objective, exact(), { passesAtOnce }),
            updateFactors(kfac()),
            damp(0.1),
            solve(preconditioned(ekfac())),
          ),
          state,
          batch,
        )
      ).direction;
    const [whole, streamed] = [await directionWith(5), await directionWith(2)];
    for (const [path, d] of Object.entries(whole)) expect(scaledError(streamed[path].data, d.data)).toBeLessThan(1e-10);
  });

  it('law: scopes. What is held does not grow with the number of passes', async () => {
    const peakWith = async (samples: number): Promise<number> => {
      const poisoning = poisoningBackend();
      const env: Env<Tensor> = { backend: poisoning.backend, clock: () => 0 };
      const step = pipeline(
        captureWith(objective, monteCarlo({ samples }), { passesAtOnce: 2 }),
        updateFactors(kfac()),
      );
      const { averages } = (await runStage(step, state, batch, env)).state.curvature;
      const expected = await averagesWith(kfac(), monteCarlo({ samples }), { passesAtOnce: 2 });
      expect(averages).toEqual(expected);
      return poisoning.peak();
    };
    expect(await peakWith(16)).toBe(await peakWith(4));
  });

  it('worked example: the first window of two holds its passes times √2', async () => {
    const [whole, first] = await Promise.all(
      [4, 2].map(
        async (passesAtOnce) =>
          (await runStage(captureWith(objective, monteCarlo({ samples: 4 }), { passesAtOnce }), state, batch)).captured,
      ),
    );
    expect([whole?.more.length, first?.more.length]).toEqual([0, 1]);
    const { ops } = referenceEnv().backend;
    const expected = ops.scale(Math.SQRT2, whole?.sites[0].cotangents[1] ?? ops.full([], 0));
    expect(scaledError(first?.sites[0].cotangents[1].data ?? [], expected.data)).toBeLessThan(1e-12);
  });

  it('an estimator with training cotangents, or few passes, has one window', async () => {
    const { captured } = await runStage(captureWith(objective, exact(), {}), state, batch);
    expect(captured?.more).toEqual([]);
  });

  it('batchWoodbury, which needs all passes at once, refuses more windows', async () => {
    const step = pipeline(
      captureWith(objective, exact(), { passesAtOnce: 2 }),
      updateFactors(kfac()),
      damp(1),
      solve(batchWoodbury()),
    );
    expect(await tryStage(step, state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'estimator' },
    });
  });

  it('refuses a number of passes that makes no sense', async () => {
    expect(await tryStage(captureWith(objective, exact(), { passesAtOnce: 0 }), state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'capture.passesAtOnce', actual: '0' },
    });
  });
});
