import * as E from 'fp-ts/lib/Either.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { readMetrics } from '../../../src/core/pipeline/metrics.ts';
import type { Step } from '../../../src/core/pipeline/stage.ts';
import { pipeline, stage } from '../../../src/core/pipeline/stage.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { monteCarlo } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [5, 3]), targets: gaussian(2, [5, 2]) };

describe('composition', () => {
  it('types: parts in an order that lacks a field do not compile', () => {
    const inOrder: Step = pipeline(
      forward,
      backward,
      capture(monteCarlo()),
      updateFactors(kfac()),
      damp(1),
      solve(preconditioned(kroneckerInverse)),
      update({ learningRate: 1 }),
    );
    expect(inOrder.name).toBe('forward → backward → capture → updateFactors → damp → solve → update');

    // @ts-expect-error the gradient comes from backward, which needs the outputs of forward
    pipeline(backward, forward);
    // @ts-expect-error solving needs an operator, which updateFactors adds
    pipeline(forward, backward, damp(1), solve(preconditioned(kroneckerInverse)));
    // @ts-expect-error capturing needs the gradient
    pipeline(forward, capture(monteCarlo()), backward);
    // @ts-expect-error without update there is no next state, so this is not a step
    const unfinished: Step = pipeline(forward, backward, solve(identity));
    expect(unfinished.name).toBe('forward → backward → solve');
  });

  it('law: associativity, (f then g) then h = f then (g then h)', async () => {
    const [f, g, h] = [pipeline(withObjective(objective), forward), backward, solve(identity)];
    const state = stateOf(objective.model, 3);
    const flat = await runStage(pipeline(f, g, h), state, batch);
    const nested = await runStage(pipeline(pipeline(f, g), h), state, batch);
    expect(nested.direction).toEqual(flat.direction);
  });

  it('notes the seconds of every stage on the clock of the environment', async () => {
    let now = 0;
    const tick = stage<'state', 'metrics'>('tick', () =>
      RTE.fromIO(() => {
        now += 2;
        return { metrics: {} };
      }),
    );
    const { metrics } = await runStage(pipeline(tick), stateOf(objective.model, 3), batch, {
      ...referenceEnv(),
      clock: () => now,
    });
    expect(metrics).toEqual({ 'seconds.tick': 2 });
  });

  it('law: a pipeline among stages is its stages: no second is counted twice, and stages of one name add up', async () => {
    let now = 0;
    const tick = (name: string) =>
      stage<'state', 'metrics'>(name, () =>
        RTE.fromIO(() => {
          now += 2;
          return { metrics: {} };
        }),
      );
    const nested = pipeline(tick('a'), pipeline(tick('b'), pipeline(tick('a'), tick('c'))));
    expect(nested.name).toBe('a → b → a → c');
    const env = { ...referenceEnv(), clock: () => now };
    const { metrics } = await runStage(nested, stateOf(objective.model, 3), batch, env);
    expect(metrics).toEqual({ 'seconds.a': 4, 'seconds.b': 2, 'seconds.c': 2 });
  });

  it('law: metrics are merged, each stage giving its own; the later of one name stays', async () => {
    const saying = (metrics: Readonly<Record<string, number>>) =>
      computation<'state', 'metrics'>('say', () => ({ metrics }));
    const step = pipeline(saying({ a: 1, b: 1 }), saying({ b: 2 }), saying({ c: 3 }));
    const { metrics } = await runStage(step, stateOf(objective.model, 3), batch);
    expect(metrics).toMatchObject({ a: 1, b: 2, c: 3 });
  });

  it('types: any number of stages, and one line that names what is missing', () => {
    const [s, missing] = [withObjective(objective), updateFactors(kfac())];
    pipeline(s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, forward, backward);
    // @ts-expect-error Argument of type … is not assignable to parameter of type '"No stage before this one adds: captured"'
    pipeline(s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, forward, backward, missing);
    expect(missing.name).toBe('updateFactors');
  });

  it('law: a stage that runs a pipeline reports its stages; what is left of the time is its own, and no second counts twice', async () => {
    let now = 0;
    const tick = (name: string, seconds: number) =>
      stage<'state', 'metrics'>(name, () =>
        RTE.fromIO(() => {
          now += seconds;
          return { metrics: { [`${name}s`]: 1 } };
        }),
      );
    const within = pipeline(tick('tock', 3), tick('tick', 5));
    // It hands on all that it is given, the metrics so far among it.
    const around = stage<'state' | 'batch' | 'objective', 'metrics'>('around', (context) => {
      now += 7;
      return within.run(context);
    });
    const { metrics } = await runStage(pipeline(tick('tick', 2), around), stateOf(objective.model, 3), batch, {
      ...referenceEnv(),
      clock: () => now,
    });
    expect(metrics).toEqual({ ticks: 1, tocks: 1, 'seconds.tick': 7, 'seconds.tock': 3, 'seconds.around': 7 });
  });
});

describe('errors', () => {
  it('a shape error inside a computation is a Left that names the operation and both shapes', async () => {
    const result = await tryStage(pipeline(withObjective(objective), forward), stateOf(objective.model, 3), {
      ...batch,
      inputs: gaussian(1, [5, 7]),
    });
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'ShapeMismatch', where: 'affine' } });
    expect(JSON.stringify(result)).toContain('[5, 7] and [4, 3]');
  });

  it('a failing stage stops the pipeline', async () => {
    const fail = stage<'state', 'metrics'>('fail', () =>
      RTE.left({ _tag: 'NonFinite', where: 'fail', what: 'x', advice: '' }),
    );
    const after = jest.fn();
    const watch = computation<'state', 'metrics'>('watch', () => {
      after();
      return { metrics: {} };
    });
    const result = await tryStage(pipeline(fail, watch), stateOf(objective.model, 3), batch);
    expect(E.isLeft(result)).toBe(true);
    expect(after).not.toHaveBeenCalled();
  });
});

describe('metrics', () => {
  it('are read as numbers', async () => {
    const { backend } = referenceEnv();
    const metrics = orThrow(await readMetrics(backend, { a: 1.5, b: backend.ops.full([], 2.5) })());
    expect(metrics).toEqual({ a: 1.5, b: 2.5 });
  });
});
