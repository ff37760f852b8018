/** A run that goes on from a checkpoint, through bytes, is the run that never ended, bit for bit. */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { hostKernelBackend } from '../../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import { composeOptimizer } from '../../../src/pipelines/config/compose/compose.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/pipelines/checkpoints/files.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { Snapshot } from '../../../src/pipelines/trainer/snapshot.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { plateau } from '../../../src/pipelines/trainer/steer.ts';
import { eightGaussians, ringPoints } from '../../../src/pipelines/data/ring.ts';
import { ganRingOf } from '../../../src/pipelines/tasks/gan/ganRing.ts';
import { competitiveDescent, newtonOfGames } from '../../../src/solvers/games/gamePresets.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';
import { compositions } from '../../support/grammar/optimizers.ts';
import { pathsOf } from '../../support/grammar/runs.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { signTask, sineTask, wordsTask } from '../trainer/support.ts';

/** Batches of 7 from 24 examples: checkpoints are in the middle of epochs. */
const options: TrainOptions = {
  duration: { steps: 9 },
  batch: 7,
  seed: 3,
  evaluateEvery: 2,
  earlyStopping: { patience: 3 },
};

/** Another process has nothing but the bytes. */
const throughBytes = async (snapshot: Snapshot): Promise<Snapshot> => {
  const files = orThrow(await encodeCheckpoint({ snapshot, about: null })());
  const read = (name: string) => TE.right(new Uint8Array(files[name]));
  return orThrow(await decodeCheckpoint('a checkpoint', read)()).snapshot;
};

const trained = <T extends Shaped>(
  backend: Backend<T>,
  task: TrainTask,
  optimizer: Optimizer,
  changes: Partial<TrainOptions> = {},
) => train({ backend, clock: () => 0 }, task, optimizer, { ...options, ...changes })();

/** A run whose snapshots are kept. */
const keeping = (cuts: ReadonlyArray<number>) => {
  const kept: Array<Snapshot> = [];
  return {
    kept,
    saving: {
      isDue: ({ step }: { readonly step: number }) => cuts.includes(step),
      save: (snapshot: Snapshot) => TE.fromIO(() => kept.push(snapshot)),
    },
  };
};

const goesOn = async <T extends Shaped>(
  backend: Backend<T>,
  task: TrainTask,
  optimizer: Optimizer,
  cuts: ReadonlyArray<number>,
  changes: Partial<TrainOptions> = {},
): Promise<TrainResult> => {
  const whole = orThrow(await trained(backend, task, optimizer, changes));
  const { kept, saving } = keeping(cuts);
  expect(orThrow(await trained(backend, task, optimizer, { ...changes, saving }))).toEqual(whole);
  for (const snapshot of kept) {
    const resume = await throughBytes(snapshot);
    expect(resume).toEqual(snapshot);
    expect(orThrow(await trained(backend, task, optimizer, { ...changes, resume }))).toEqual(whole);
  }
  return whole;
};

const made = (name: string, more: Readonly<Record<string, number>> = {}): Optimizer =>
  orThrow(optimizerOf(name, { ...(name === 'class-kfac' ? { classes: 2 } : {}), ...more }));

const taskFor = (name: string): TrainTask => (name === 'class-kfac' ? signTask() : sineTask());

const late = optimizerNames.filter((name) => 'inverseStaleness' in made(name).hyperparameters);

describe('law: n steps, a checkpoint and m more steps are n + m steps', () => {
  it.each(optimizerNames)('%s', async (name) => {
    await goesOn(referenceBackend(), taskFor(name), made(name), [1, 4, 8, 9]);
  });

  it.each(late)('%s, whose inverses are not due, drift, and are under way', async (name) => {
    const optimizer = made(name, { inverseEvery: 3, inverseDrift: 0.1, inverseStaleness: 2 });
    await goesOn(referenceBackend(), taskFor(name), optimizer, [4, 5, 7]);
  });

  it.each(['kfac', 'ekfac', 'adam'])('%s on words', async (name) => {
    await goesOn(referenceBackend(), wordsTask(), made(name), [5]);
  });

  it('an optimizer of parts, with drift, overlap and burn-in', async () => {
    const optimizer = composeOptimizer({
      estimator: 'exact',
      curvature: 'kfac',
      solver: { kind: 'kroneckerInverse', damping: 0.5, every: { drift: 0.02 }, staleness: 2 },
      update: { learningRate: 0.2, burnIn: 4, rules: [{ kind: 'momentum', mu: 0.8 }] },
    });
    await goesOn(referenceBackend(), sineTask(), orThrow(optimizer), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it.each([
    ['kfac in turns', made('kfac')],
    ['competitive-descent', competitiveDescent()],
    ['game-newton', newtonOfGames()],
  ])('a game of two networks, %s', async (_, optimizer) => {
    const task = ganRingOf({ size: 'small' });
    const data = orThrow(ringPoints(eightGaussians, { train: 24, test: 8 }));
    const backend = orThrow(hostKernelBackend('webasm', { threads: 1 }));
    const some = { duration: { steps: 5 }, earlyStopping: { patience: 9 } };
    await goesOn(backend, { ...task, data }, optimizer, [3], some);
    orThrow(await backend.dispose());
  });

  onEveryBackend((backendName, use) => {
    const some = ['kfac', 'ekfac', 'tridiagonal-kfac', 'kfac-cg'];
    it.each(['native f32', 'gpu, WebAssembly'].includes(backendName) ? optimizerNames : some)(
      `${backendName}: %s`,
      async (name) => {
        const more = late.includes(name) ? { inverseEvery: 3, inverseDrift: 0.1, inverseStaleness: 2 } : {};
        await use(async (backend) => {
          await goesOn(backend, taskFor(name), made(name, more), [5]);
        });
      },
    );
  });

  it('any optimizer that can be written', async () => {
    const numRuns = Number(process.env['FC_RUNS'] ?? 20);
    await fc.assert(
      fc.asyncProperty(compositions(pathsOf('sine')), fc.integer({ min: 1, max: 3 }), async (parts, cut) => {
        // What is refused, or does not train, is no run.
        const optimizer = composeOptimizer(parts);
        fc.pre(E.isRight(optimizer));
        const short = { duration: { steps: 4 } };
        fc.pre(E.isRight(await trained(referenceBackend(), sineTask(), optimizer.right, short)));
        await goesOn(referenceBackend(), sineTask(), optimizer.right, [cut], short);
      }),
      { numRuns },
    );
  }, 600_000);

  it('best parameters and patience are remembered, and a stop comes when it would have come', async () => {
    const whole = await goesOn(referenceBackend(), sineTask(), made('sgd', { learningRate: 2 }), [2, 4, 5], {
      duration: { steps: 40 },
      earlyStopping: { patience: 2 },
    });
    expect(whole.steps).toBeLessThan(40);
    expect(whole.paramsFrom).toBeLessThan(whole.steps);
  });

  it('whoever steers is on the same course', async () => {
    const steer = plateau({
      optimizer: (learningRate) => made('sgd', { learningRate }),
      learningRate: 1,
      patience: 1,
    });
    await goesOn(referenceBackend(), sineTask(), made('sgd', { learningRate: 1 }), [3, 6, 8], {
      duration: { steps: 12 },
      steer,
    });
  });
});

describe('a run that goes on', () => {
  const snapshot = async (): Promise<Snapshot> => {
    const { kept, saving } = keeping([3]);
    orThrow(await trained(referenceBackend(), sineTask(), made('kfac'), { saving }));
    return kept[0];
  };

  it.each<[string, Partial<TrainOptions>, Optimizer, TrainTask, string]>([
    ['another batch', { batch: 6 }, made('kfac'), sineTask(), 'batch 6'],
    ['another seed', { seed: 4 }, made('kfac'), sineTask(), 'seed 4'],
    ['another optimizer', {}, made('adam'), sineTask(), 'optimizer "adam"'],
    ['another setting', {}, made('kfac', { learningRate: 0.5 }), sineTask(), 'settings.learningRate 0.5'],
    ['another task', {}, made('kfac'), signTask(), 'task "sign"'],
    ['other examples', {}, made('kfac'), sineTask(28), 'examples 28'],
  ])('law: the first difference is named: %s', async (_, changes, optimizer, task, expected) => {
    const resume = await snapshot();
    const error = errorOf(await trained(referenceBackend(), task, optimizer, { ...changes, resume }));
    expect(error).toMatchObject({ _tag: 'BadCheckpoint', source: 'checkpoint of step 3' });
    expect('expected' in error ? error.expected : '').toContain(expected);
  });

  it('has no second state, and no fewer steps', async () => {
    const resume = await snapshot();
    const refused = async (changes: Partial<TrainOptions>) =>
      errorOf(await trained(referenceBackend(), sineTask(), made('kfac'), { ...changes, resume }));
    expect(await refused({ from: resume.state })).toMatchObject({ _tag: 'BadConfig', path: 'from' });
    expect(await refused({ hold: ['0'] })).toMatchObject({ _tag: 'BadConfig', path: 'hold' });
    expect(await refused({ duration: { steps: 2 } })).toMatchObject({ _tag: 'BadConfig', path: 'steps' });
  });

  it('has names in its file that explain themselves', async () => {
    const { kept, saving } = keeping([3]);
    orThrow(await trained(referenceBackend(), sineTask(), made('kfac'), { saving }));
    const files = orThrow(await encodeCheckpoint({ snapshot: kept[0], about: null })());
    const bytes = files['arrays.safetensors'];
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const names = Object.keys(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as object);
    expect(names).toEqual(expect.arrayContaining(['params/0.weight', 'curvature/0/A', 'curvature/0/G']));
    expect(names.filter((name) => !name.startsWith('__')).toSorted()).toMatchInlineSnapshot(`
     [
       "best/params/0.bias",
       "best/params/0.weight",
       "best/params/2.bias",
       "best/params/2.weight",
       "curvature/0/A",
       "curvature/0/G",
       "curvature/2/A",
       "curvature/2/G",
       "evaluations/layout",
       "evaluations/values",
       "history/layout",
       "history/values",
       "params/0.bias",
       "params/0.weight",
       "params/2.bias",
       "params/2.weight",
       "prepared/0/A",
       "prepared/0/G",
       "prepared/2/A",
       "prepared/2/G",
       "rules/lastStep/before/0.bias",
       "rules/lastStep/before/0.weight",
       "rules/lastStep/before/2.bias",
       "rules/lastStep/before/2.weight",
       "rules/momentum/velocity/0.bias",
       "rules/momentum/velocity/0.weight",
       "rules/momentum/velocity/2.bias",
       "rules/momentum/velocity/2.weight",
       "slots/units/0",
       "slots/units/2",
     ]
    `);
  });
});
