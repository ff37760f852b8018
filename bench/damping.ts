/**
 * What λ costs where it is held, and where it adapts: the loss that `kfac` comes to from several beginnings of λ, and the way that
 * λ goes from each. It draws the figures of `docs/damping.md`.
 *
 * @module
 */
import type { TopLevelSpec } from 'vega-lite';

import { withBackend } from '../src/core/backends/choice/choose.ts';
import { nodeFileSystem } from '../src/pipelines/files/fileSystem.ts';
import { problemNamed } from '../src/pipelines/problems/trial.ts';
import { figureFrame, vegaFigure } from '../src/pipelines/reports/vegaFigure.ts';
import { train } from '../src/pipelines/trainer/train.ts';
import { kfac } from '../src/solvers/presets/kfac.ts';
import { succeed } from './succeed.ts';

const problems = ['friedman', 'ten-layers', 'digits-by-eight', 'label-noise'];
const dampings = [1e-3, 1e-2, 1e-1, 1, 10];
const seeds = [1, 2];
/** Problems whose courses of λ are drawn. */
const followed = ['ten-layers', 'digits-by-eight'];

/** Whether λ moves. */
type Way = 'adapts' | 'held';

const ways: ReadonlyArray<Way> = ['adapts', 'held'];

const optimizerOf = (way: Way, damping: number) =>
  kfac(way === 'held' ? { damping, minDamping: damping, maxDamping: damping } : { damping });

interface Ended {
  readonly problem: string;
  readonly way: Way;
  readonly damping: number;
  readonly seed: number;
  /** Over the training set, above the problem's floor; `null` where a run did not end. */
  readonly loss: number | null;
  /** λ of each step. */
  readonly course: ReadonlyArray<number>;
}

const runsOf = async (name: string): Promise<ReadonlyArray<Ended>> => {
  const problem = succeed(problemNamed(name));
  const { task, floor } = succeed(await problem.make(nodeFileSystem)());
  const clock = () => performance.now() / 1000;
  const ended: Array<Ended> = [];
  for (const way of ways) {
    for (const damping of dampings) {
      for (const seed of seeds) {
        const { batch, steps } = problem;
        const result = await withBackend({ threads: 1 }, (backend) =>
          train({ backend, clock }, task, optimizerOf(way, damping), { duration: { steps }, batch, seed }),
        )();
        const came = result._tag === 'Right' ? result.right : null;
        const loss = came === null ? null : came.train.loss - floor;
        ended.push({
          problem: name,
          way,
          damping,
          seed,
          loss,
          course: came?.history.map(({ metrics }) => metrics['damping']) ?? [],
        });
      }
    }
  }
  return ended;
};

const geometric = (values: ReadonlyArray<number>): number =>
  Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);

const quantitative = 'quantitative' as const;
const words: Readonly<Record<Way, string>> = { adapts: 'λ adapts', held: 'λ is held' };
const colours = ['#0072b2', '#d55e00'];

/** Geometric means over seeds, in units of the least of the problem. */
const pointsOf = (runs: ReadonlyArray<Ended>) => {
  const means = problems.flatMap((problem) =>
    dampings.flatMap((damping) =>
      ways.flatMap((way) => {
        const losses = runs
          .filter((run) => run.problem === problem && run.damping === damping && run.way === way)
          .flatMap(({ loss }) => (loss === null ? [] : [loss]));
        return losses.length < seeds.length ? [] : [{ problem, damping, way, loss: geometric(losses) }];
      }),
    ),
  );
  return means.map((mean) => {
    const least = Math.min(...means.filter(({ problem }) => problem === mean.problem).map(({ loss }) => loss));
    return { ...mean, way: words[mean.way], ratio: mean.loss / least };
  });
};

/** A figure of one frame. */
type Frame = Extract<TopLevelSpec, { readonly mark: unknown }>;

/** A frame for each of some problems, side by side. */
const framesOf = (
  names: ReadonlyArray<string>,
  values: ReadonlyArray<{ readonly problem: string }>,
  frame: Pick<Frame, 'mark' | 'encoding'>,
): TopLevelSpec => ({
  ...figureFrame,
  columns: 2,
  concat: names.map((name) => ({
    title: name,
    width: 280,
    height: 180,
    data: { values: values.filter(({ problem }) => problem === name) },
    ...frame,
  })),
});

const lossesFigure = (points: ReturnType<typeof pointsOf>): TopLevelSpec =>
  framesOf(problems, points, {
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'damping', type: quantitative, scale: { type: 'log' }, title: 'λ at step 0' },
      y: { field: 'ratio', type: quantitative, scale: { type: 'log' }, title: 'loss, over the least' },
      color: { field: 'way', type: 'nominal', title: null, scale: { domain: Object.values(words), range: colours } },
    },
  });

const coursesFigure = (runs: ReadonlyArray<Ended>): TopLevelSpec =>
  framesOf(
    followed,
    runs
      .filter(({ way, seed }) => way === 'adapts' && seed === seeds[0])
      .flatMap(({ problem, damping, course }) =>
        course.map((lambda, i) => ({ problem, step: i + 1, lambda, from: String(damping) })),
      ),
    {
      mark: { type: 'line' },
      encoding: {
        x: { field: 'step', type: quantitative, title: 'step' },
        y: { field: 'lambda', type: quantitative, scale: { type: 'log' }, title: 'λ' },
        color: { field: 'from', type: 'nominal', title: 'λ at step 0', sort: dampings.map(String) },
      },
    },
  );

/** Trains and draws; some minutes. */
export const benchDamping = async (): Promise<void> => {
  const runs: Array<Ended> = [];
  for (const name of problems) {
    runs.push(...(await runsOf(name)));
    console.log(`${name}: done`);
  }
  const points = pointsOf(runs);
  console.log('problem             λ        way         loss over the least');
  for (const { problem, damping, way, ratio } of points) {
    console.log(`${problem.padEnd(20)}${String(damping).padEnd(9)}${way.padEnd(12)}${ratio.toPrecision(3)}`);
  }
  const figures = { damping: lossesFigure(points), 'damping-courses': coursesFigure(runs) };
  for (const [name, spec] of Object.entries(figures)) {
    const { png } = succeed(await vegaFigure(name, spec)());
    succeed(await nodeFileSystem.write(`docs/figures/${name}.png`, png)());
  }
};
