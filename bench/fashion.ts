/**
 * Seconds and steps to an accuracy on Fashion-MNIST: K-FAC beside Adam, each at the best of as many tried settings.
 *
 * Settings are tried from one seed, which is none of those that the comparison is made from. The best one reaches the accuracy
 * in the fewest seconds; where none does, it is the most accurate one at the end. Time for judging does not count.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import type { Shaped } from '../src/core/tensor.ts';
import { nodeFileSystem } from '../src/pipelines/files/fileSystem.ts';
import { fashionClassifier } from '../src/pipelines/tasks/fashionClassifier.ts';
import type { TaskSize } from '../src/pipelines/tasks/task.ts';
import type { TrainTask } from '../src/pipelines/trainer/learning.ts';
import type { EvaluationRecord } from '../src/pipelines/trainer/events.ts';
import { train } from '../src/pipelines/trainer/train.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { numberAfter, textAfter } from './flags.ts';
import { succeed } from './succeed.ts';

/** What is to be reached, of the test examples. */
const goal = 0.9;

type Settings = Readonly<Record<string, number>>;

/** As many settings of each. */
const tried: Readonly<Record<string, ReadonlyArray<Settings>>> = {
  kfac: [{ learningRate: 0.03 }, { learningRate: 0.06 }, { learningRate: 0.1 }, { learningRate: 0.2 }],
  adam: [{ learningRate: 1e-3 }, { learningRate: 2e-3 }, { learningRate: 5e-3 }, { learningRate: 1e-2 }],
};

const seedOfTrials = 100;
const seeds = [1, 2, 3];

/** A run, as far as it was judged. */
interface Course {
  readonly curve: ReadonlyArray<Pick<EvaluationRecord, 'step' | 'seconds'> & { readonly accuracy: number }>;
  readonly reached: { readonly step: number; readonly seconds: number } | null;
  readonly last: { readonly seconds: number; readonly accuracy: number };
}

interface Comparison {
  readonly size: TaskSize;
  readonly steps: number;
  readonly every: number;
  readonly directory: string | null;
}

const comparisonOf = (flags: ReadonlyArray<string>): Comparison => {
  const size = flags.includes('full') ? 'full' : 'small';
  return {
    size,
    steps: numberAfter(flags, 'steps', size === 'small' ? 1500 : 600),
    every: numberAfter(flags, 'every', size === 'small' ? 50 : 20),
    directory: textAfter(flags, 'data') ?? null,
  };
};

const run = async <T extends Shaped>(
  backend: Backend<T>,
  task: TrainTask,
  batch: number,
  { steps, every }: Comparison,
  name: string,
  settings: Settings,
  seed: number,
): Promise<Course> => {
  const env = { backend, clock: () => performance.now() / 1000 };
  const options = { duration: { steps }, batch, seed, evaluateEvery: every };
  const { evaluations } = succeed(await train(env, task, succeed(optimizerOf(name, settings)), options)());
  const curve = evaluations.map(({ step, seconds, measures }) => ({ step, seconds, accuracy: measures['accuracy'] }));
  return {
    curve,
    reached: curve.find(({ accuracy }) => accuracy >= goal) ?? null,
    last: curve[curve.length - 1],
  };
};

const shown = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const tell = ({ reached, last }: Course): string =>
  `${reached === null ? `never ${percent(goal)}` : `${percent(goal)} after ${reached.step} steps, ${reached.seconds.toFixed(1)} s`}, ${percent(last.accuracy)} at the end, ${last.seconds.toFixed(1)} s`;

/** Whether a run is better than another: it is there sooner, or nearer at the end. */
const isBetter = (a: Course, b: Course): boolean => {
  if (a.reached !== null && b.reached !== null) return a.reached.seconds < b.reached.seconds;
  return a.reached === null && b.reached === null ? a.last.accuracy > b.last.accuracy : a.reached !== null;
};

/** The accuracy that a run had after some seconds. */
const accuracyAfter = ({ curve }: Course, seconds: number): number =>
  curve.filter((at) => at.seconds <= seconds).reduce((best, { accuracy }) => Math.max(best, accuracy), 0);

/**
 * Tries settings, compares the best ones, prints both.
 *
 * @param backend - where to run
 * @param flags - `small` or `full`, `steps=N`, `every=N` steps between evaluations, `data=DIRECTORY`
 */
export const benchFashion = async <T extends Shaped>(
  backend: Backend<T>,
  flags: ReadonlyArray<string>,
): Promise<void> => {
  const comparison = comparisonOf(flags);
  const family = fashionClassifier.ofSize(comparison.size);
  const {
    task: found,
    warnings,
    ...data
  } = succeed(await family.load(nodeFileSystem, comparison.directory ?? undefined)());
  const task = { ...found, data };
  const { batch } = family.defaults;
  console.log(`\n${task.name} ${comparison.size}, batch ${batch}, ${comparison.steps} steps of ${data.train.name}`);
  for (const warning of warnings) console.log(warning);
  const chosen: Array<readonly [name: string, courses: ReadonlyArray<Course>]> = [];
  for (const [name, all] of Object.entries(tried)) {
    let best: readonly [Settings, Course] | null = null;
    for (const settings of all) {
      const course = await run(backend, task, batch, comparison, name, settings, seedOfTrials);
      console.log(`tried ${name}, ${shown(settings)}, seed ${seedOfTrials}: ${tell(course)}`);
      if (best === null || isBetter(course, best[1])) best = [settings, course];
    }
    if (best === null) continue;
    const courses: Array<Course> = [];
    for (const seed of seeds) {
      const course = await run(backend, task, batch, comparison, name, best[0], seed);
      console.log(`${name}, ${shown(best[0])}, seed ${seed}: ${tell(course)}`);
      courses.push(course);
    }
    chosen.push([name, courses]);
  }
  const together = Math.min(...chosen.flatMap(([, courses]) => courses.map(({ last }) => last.seconds)));
  for (const [name, courses] of chosen) {
    const accuracies = courses.map((course) => percent(accuracyAfter(course, together)));
    console.log(`${name} after ${together.toFixed(1)} s: ${accuracies.join(', ')}`);
  }
};
