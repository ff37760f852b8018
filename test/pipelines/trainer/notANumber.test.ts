/** A NaN in any array of any stage is found, by its stage and its place, and no checkpoint ever has it. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import { arraysWithin } from '../../../src/core/pipeline/arraysIn.ts';
import { takeStep } from '../../../src/core/pipeline/takeStep.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { checkpointing } from '../../../src/pipelines/checkpoints/checkpointing.ts';
import { loadLatest, stepsIn } from '../../../src/pipelines/checkpoints/store.ts';
import { trainWithBackoff } from '../../../src/pipelines/trainer/backoff.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { Snapshot } from '../../../src/pipelines/trainer/snapshot.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { GradientOptimizer, Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { turns } from '../../../src/solvers/games/turns.ts';
import { partition } from '../../../src/solvers/groups/partition.ts';
import type { Place } from '../../support/poisonedStage.ts';
import { lookedAt, placesOf, poisoned } from '../../support/poisonedStage.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';
import { gameBatch, gameStart, playersOf } from '../../solvers/games/twoNetworks.ts';
import { signTask, sineTask, wordsTask } from './support.ts';

const env = () => ({ backend: referenceBackend(), clock: () => 0 });
const options: TrainOptions = { duration: { steps: 7 }, batch: 8, seed: 1 };

/** Steps before the one that is spoilt. */
const before = 3;

const spoil = (array: Shaped): Tensor => {
  const { data, shape, dtype } = array as Tensor;
  const spoilt = Array.from(data, (x, i) => (i === data.length - 1 ? NaN : x));
  return tensor(spoilt, shape, dtype === 'i32' ? 'f64' : dtype);
};

/** The arrays that an optimizer's stages add in the step that is to be spoilt, and the paths of its sites. */
const seenIn = async (
  task: TrainTask,
  optimizer: GradientOptimizer,
): Promise<{ readonly places: ReadonlyArray<Place>; readonly sites: ReadonlyArray<string> }> => {
  const places: Array<Place> = [];
  let sites: ReadonlyArray<string> = [];
  const known = new Set<unknown>();
  const watched = lookedAt(optimizer, (stage, step, added) => {
    const found = placesOf(stage, added, known);
    if (step === before) places.push(...found);
    if ('sites' in added) sites = added.sites.map(({ site }) => site.path);
    return added;
  });
  orThrow(await train(env(), task, watched, options)());
  return { places, sites };
};

/** An optimizer that meets a NaN in one place, once. */
const spoiltAt = (optimizer: GradientOptimizer, place: Place): GradientOptimizer => {
  let isDone = false;
  return lookedAt(optimizer, (stage, step, added) => {
    if (isDone || stage !== place.stage || step !== before) return added;
    isDone = true;
    return poisoned(added, place.path, spoil);
  });
};

/** Stages by the field that they add. */
const stages: Readonly<Record<string, string>> = {
  ...{ sites: 'forward', outputs: 'forward', loss: 'forward', siteCotangents: 'backward', gradient: 'backward' },
  ...{ captured: 'capture', operator: 'updateFactors', direction: 'solve', next: 'before the step|update' },
  metrics: 'forward|update',
};

/** What an error must say of an array: its stage, and the site, block or parameter that it is of. */
const expectedOf = ({ path }: Place, sites: ReadonlyArray<string>): RegExp => {
  const [field, ...rest] = path;
  const named = (stage: string, name?: string): RegExp => {
    const of = name === undefined ? '' : ` (.* )?${name.replaceAll('.', '\\.')} is not finite$`;
    return new RegExp(`^training step [4-7], (${stage}):${of}`);
  };
  const blocks = path.indexOf('blocks');
  if (field === 'state') {
    if (rest[0] === 'curvature') return named('updateFactors', path[3]);
    // Units of a curvature are a memory of the solver, and a part of the operator from then on.
    if (rest[1] === 'slots') return named(rest[2] === 'units' ? 'updateFactors' : 'solve', path[4]);
    return named('solve', blocks < 0 ? undefined : path[blocks + 1]);
  }
  if (['sites', 'siteCotangents'].includes(field)) return named(stages[field], sites[Number(rest[0])]);
  if (field === 'captured' && rest[0] === 'sites') return named('capture', sites[Number(rest[1])]);
  if (field === 'captured') return named('capture', path[3]);
  if (field === 'operator') return named('updateFactors', blocks < 0 ? undefined : path[blocks + 1]);
  return named(stages[field], rest.at(-1));
};

const sentenceOf = (error: KfacError): string =>
  error._tag === 'NonFinite' ? `${error.where}: ${error.what} is not finite` : JSON.stringify(error);

const isFinite = (value: object): boolean =>
  [...arraysWithin<Tensor>(value)].every(({ data }) => Array.from(data).every(Number.isFinite));

/** All that checkpoints of a run hold, the last one first. */
const checkpointsIn = async (files: ReturnType<typeof memoryFiles>): Promise<Snapshot | null> =>
  orThrow(
    await pipe(
      loadLatest(files, 'run'),
      TE.map((found) => found?.checkpoint.snapshot ?? null),
    )(),
  );

/** What is wrong with how a run takes a NaN, or nothing; a NaN that nobody looks at may change nothing. */
const faultOf = async (
  task: TrainTask,
  optimizer: GradientOptimizer,
  place: Place,
  sites: ReadonlyArray<string>,
): Promise<string | null> => {
  const files = memoryFiles({});
  const { saving, last } = checkpointing(files, {
    every: { steps: 1 },
    keep: 9,
    directory: TE.right('run'),
    about: null,
    warn: () => () => undefined,
    savesLast: () => true,
  });
  const result = await train(env(), task, spoiltAt(optimizer, place), { ...options, saving })();
  await last();
  const saved = await checkpointsIn(files);
  const steps = orThrow(await stepsIn(files, 'run')());
  const at = place.path.join('/');
  if (saved === null || saved.state.step < before || !isFinite(saved.state))
    return `${at}: the last checkpoint is lost`;
  if (steps.length < before) return `${at}: only ${steps.join(', ')} are there`;
  if (E.isRight(result)) return isFinite(result.right.params) ? null : `${at}: ends with a NaN`;
  const sentence = sentenceOf(result.left);
  return expectedOf(place, sites).test(sentence) ? null : `${at}: ${sentence}`;
};

/** All that goes wrong with a NaN in each place, or in each of some places. */
const faultsOf = async (
  task: TrainTask,
  optimizer: GradientOptimizer,
  isLookedAt: (place: number) => boolean = () => true,
): Promise<ReadonlyArray<string>> => {
  const { places, sites } = await seenIn(task, optimizer);
  // Targets are no numbers that a stage makes; a class that is none is refused as data.
  const made = places.filter(({ path }) => path.join('/') !== 'captured/targets').filter((_, i) => isLookedAt(i));
  expect(made.length).toBeGreaterThan(4);
  const faults: Array<string | null> = [];
  for (const place of made) faults.push(await faultOf(task, optimizer, place, sites));
  return faults.flatMap((fault) => fault ?? []);
};

const law = 'law: a NaN in any array of a step is named with its stage and its place, and is in no checkpoint';

describe.each(optimizerNames.map((name, i) => [name, i] as const))('%s', (name, i) => {
  const isOfClasses = name === 'class-kfac';
  const optimizer = orThrow(optimizerOf(name, isOfClasses ? { classes: 2 } : {}));

  // All of them take a quarter of a minute; one in three of each preset comes to every kind of array.
  it(law, async () => {
    const isLookedAt = (place: number): boolean => name === 'kfac' || place % 3 === i % 3;
    expect(await faultsOf(isOfClasses ? signTask() : sineTask(), optimizer, isLookedAt)).toEqual([]);
  });
});

describe('a model with every kind of site, inverses that are kept', () => {
  it(law, async () => {
    expect(await faultsOf(wordsTask(), kfac({ inverseEvery: 3 }), (place) => place % 2 === 0)).toEqual([]);
  });
});

describe('optimizers within an optimizer', () => {
  const named = async (task: TrainTask, optimizer: Optimizer): Promise<string> =>
    sentenceOf(errorOf(await train(env(), task, optimizer, options)()));

  /** A place of a group's own stages, by the names of the stage and of the array. */
  const placeIn = (optimizer: GradientOptimizer, stage: string, path: ReadonlyArray<string>): Place => ({
    stage: (optimizer.descent.stages ?? []).findIndex(({ name }) => name === stage),
    path,
  });

  const curved = kfac({ inverseEvery: 3 });

  it.each<[string, ReadonlyArray<string>, string]>([
    ['capture', ['captured', 'sites', '0', 'cotangents', '0'], 'capture: the cotangent at 2 is not finite'],
    ['updateFactors', ['state', 'curvature', 'averages', '2', 'G'], 'updateFactors: the average G of 2 is not finite'],
    ['solve', ['direction', '2.weight'], 'solve: the direction of 2.weight is not finite'],
  ])('groups: a NaN that one of them makes in %s is named', async (stage, path, expected) => {
    const spoilt = spoiltAt(curved, placeIn(curved, stage, path));
    const both = partition({
      head: { parameters: ['2'], optimizer: spoilt },
      rest: { parameters: 'rest', optimizer: adam() },
    });
    expect(await named(sineTask(), both)).toBe(`training step 4, ${expected}`);
  });

  it('players in turn: a NaN in the gradient of one of them is named', async () => {
    const gradient: Place = { stage: 1, path: ['gradient', 'generator.1.weight'] };
    const step = turns(playersOf(kfac(), spoiltAt(adam(), gradient)));
    const game = { ...gameStart(), step: before };
    expect(sentenceOf(errorOf(await takeStep(env(), step, game, gameBatch(0))()))).toBe(
      'training step 4, backward: the gradient of generator.1.weight is not finite',
    );
  });
});

describe('a run that goes back', () => {
  it('law: a NaN that comes once costs steps and nothing else, wherever it was', async () => {
    const optimizer = kfac({ inverseEvery: 2 });
    const { places } = await seenIn(sineTask(), optimizer);
    for (const place of places) {
      const backoff = { atMost: 1, every: 1 };
      const result = await trainWithBackoff(env(), sineTask(), spoiltAt(optimizer, place), options, backoff)();
      const { state, steps } = orThrow(result);
      expect([place.path.join('/'), steps, isFinite(state)]).toEqual([place.path.join('/'), 7, true]);
    }
  });
});
