/**
 * The race: several optimizers train the same model on the same batches, a step at a time, whoever is behind next.
 *
 * Everything that trains is the library's: tasks, presets, `begin`, `proceed`, `judgeOn`, `predict`. A change of settings
 * replaces the steps, which are values, and leaves the runs as they are.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Backend, KfacError, Params, Shaped, Tensor, TrainState } from 'kfac-ts/core';
import { initialState, iterate, mapParams, meanFlops } from 'kfac-ts/core';
import type { Decode, Run, Setting, Splits, Task, TrainOptions, Writer } from 'kfac-ts/pipelines';
import {
  begin,
  checkOptions,
  imageShape,
  judgeOn,
  predict,
  proceed,
  range,
  readParams,
  spelled,
  write,
} from 'kfac-ts/pipelines';

import type { Examples, Factor, Look, Picture, Report } from './messages.ts';
import type { LaneId, Setup } from './setup.ts';
import { lanesOf, optimizerOfLane, periodOf } from './setup.ts';

/** What the person in front of the page wants now. */
export interface Control {
  readonly setup: Setup;
  /** Grows with every change of the setup. */
  readonly revision: number;
  readonly paused: boolean;
}

/** What the race may use. */
export interface Track<A extends Shaped> {
  readonly backend: Backend<A>;
  readonly control: IO.IO<Control>;
  readonly tell: (report: Report) => IO.IO<void>;
  /** Seconds on a clock that only moves forward. */
  readonly clock: IO.IO<number>;
  /** A short while. */
  readonly wait: T.Task<void>;
}

interface Lane<A extends Shaped> {
  readonly id: LaneId;
  readonly setting: Setting<A>;
  readonly run: Run<A>;
  /** When to look at it again. */
  readonly lookAt: number;
}

interface Race<A extends Shaped> {
  readonly lanes: ReadonlyArray<Lane<A>>;
  readonly revision: number;
  /** When to send factors again. */
  readonly factorsAt: number;
}

const exampleCount = 10;

/** Points of the data that are shown. */
const pointCount = 500;

/** The first test examples; of points more than of images, and of texts the beginning that networks go on from. */
export const examplesOf = ({ skills: { writer } }: Task, data: Splits): Examples => {
  if (writer !== undefined) {
    return { kind: 'text', text: spelled(writer.vocabulary, data.test.batch(range(0, 1))['inputs'].data) };
  }
  const [height, width] = imageShape;
  const count = Math.min(exampleCount, data.test.size);
  const { inputs, targets } = data.test.batch(range(0, count));
  if (inputs.shape.length === 2 && inputs.shape[1] === 2) {
    const { inputs: points } = data.test.batch(range(0, Math.min(pointCount, data.test.size)));
    return { kind: 'points', points: points.data };
  }
  return {
    kind: 'images',
    count,
    height,
    width,
    pixels: inputs.data,
    labels: targets.shape.length === 1 ? Array.from(targets.data) : [],
  };
};

const optionsOf = ({ batch, seed }: Setup, steps: number): TrainOptions => ({ duration: { steps }, batch, seed });

/** A run's settings for its next step. */
const settingOf = <A extends Shaped>(
  { backend, clock }: Track<A>,
  task: Task,
  data: Splits,
  setup: Setup,
  lane: LaneId,
): E.Either<KfacError, Setting<A>> =>
  pipe(
    optimizerOfLane(setup, lane),
    E.map((optimizer) => ({
      env: { backend, clock },
      task: { ...task, data },
      step: task.step(optimizer),
      options: optionsOf(setup, 1),
    })),
  );

const shapeOf = <A extends Shaped>({ shape }: A): Shaped => ({ shape });

/** Floating-point operations of a step on average, over a period of refreshes. */
const flopsOf = <A extends Shaped>(
  setting: Setting<A>,
  run: Run<A>,
  setup: Setup,
): TE.TaskEither<KfacError, number> => {
  const { data } = setting.task;
  const batch = mapParams(data.train.batch(range(0, setup.batch)), shapeOf);
  const state: TrainState<Shaped> = initialState(mapParams(run.state.params, shapeOf), run.state.key);
  return meanFlops(setting.step, { state, batch }, periodOf(setup));
};

/** Tells who is in a lane and what a step costs. */
const announce = <A extends Shaped>(track: Track<A>, { id, setting, run }: Lane<A>, setup: Setup) =>
  pipe(
    TE.Do,
    TE.apS('optimizer', TE.fromEither(optimizerOfLane(setup, id))),
    TE.apS('flops', flopsOf(setting, run, setup)),
    TE.chainIOK(({ optimizer, flops }) => track.tell({ type: 'entered', lane: id, name: optimizer.name, flops })),
  );

const enter = <A extends Shaped>(
  track: Track<A>,
  task: Task,
  data: Splits,
  setup: Setup,
  id: LaneId,
): TE.TaskEither<KfacError, Lane<A>> =>
  pipe(
    TE.fromEither(settingOf(track, task, data, setup, id)),
    TE.bindTo('setting'),
    TE.bind('run', ({ setting }) => TE.fromEither(begin(setting))),
    TE.map(({ setting, run }) => ({ id, setting, run, lookAt: 0 })),
    TE.chainFirst((lane) => announce(track, lane, setup)),
  );

/** The lanes with the steps of a new setup. */
const adjusted = <A extends Shaped>(
  track: Track<A>,
  task: Task,
  data: Splits,
  race: Race<A>,
  { setup, revision }: Control,
): TE.TaskEither<KfacError, Race<A>> =>
  pipe(
    race.lanes,
    TE.traverseSeqArray((lane) =>
      pipe(
        TE.fromEither(settingOf(track, task, data, setup, lane.id)),
        TE.map((setting) => ({ ...lane, setting: { ...setting, options: lane.setting.options } })),
        TE.chainFirst((next) => announce(track, next, { ...setup, batch: next.setting.options.batch })),
      ),
    ),
    TE.map((lanes) => ({ ...race, lanes, revision })),
  );

/** Probabilities of the classes. */
const softmax: Decode = (ops, outputs) => ops.softmax(outputs);

const classesOf = ({ shape: [count, classes], data }: Tensor): Picture => {
  const rows = Array.from({ length: count }, (_, i) => Array.from(data).slice(i * classes, (i + 1) * classes));
  return {
    kind: 'classes',
    classes: rows.map((row) => row.indexOf(Math.max(...row))),
    certainty: rows.map((row) => Math.max(...row)),
  };
};

/** Tokens that are written at a look: more take long without a graphics card. */
const writtenTokens = 80;

/** What a network goes on with after the beginning of the test text. */
const textOf = <A extends Shaped>(
  { env: { backend }, task: { data } }: Setting<A>,
  writer: Writer,
  params: Params<Tensor>,
): TE.TaskEither<KfacError, Picture> =>
  pipe(
    write(backend, writer, params, Array.from(data.test.batch(range(0, 1))['inputs'].data), { tokens: writtenTokens }),
    TE.map((tokens) => ({ kind: 'text', text: spelled(writer.vocabulary, tokens) })),
  );

/** What a task has to show is text, images or points, or it is a classifier, whose outputs are shown. */
const pictureOf = <A extends Shaped>(task: Task, { setting, run }: Lane<A>): TE.TaskEither<KfacError, Picture> => {
  const { backend } = setting.env;
  const { data } = setting.task;
  const { writer } = task.skills;
  return pipe(
    readParams(setting.env, run.state.params),
    TE.chain((params): TE.TaskEither<KfacError, Picture> => {
      if (writer !== undefined) return textOf(setting, writer, params);
      return task.preview === null
        ? pipe(
            predict(backend, task.networks[0], params, data.test.batch(range(0, exampleCount)), { decode: softmax }),
            TE.map(classesOf),
          )
        : pipe(
            task.preview.look(backend, { params, held: {}, running: {} }, data),
            TE.map((arrays) =>
              Object.hasOwn(arrays, 'points')
                ? { kind: 'points', points: arrays['points'].data }
                : { kind: 'images', pixels: arrays['outputs'].data },
            ),
          );
    }),
  );
};

const lookAt = <A extends Shaped>(task: Task, lane: Lane<A>): TE.TaskEither<KfacError, Look> =>
  pipe(
    TE.Do,
    TE.bind('judged', () => judgeOn(lane.setting, lane.run, lane.setting.task.data.test)),
    TE.bind('picture', () => pictureOf(task, lane)),
    TE.map(({ judged, picture }) => ({ ...judged, picture, step: lane.run.state.step })),
  );

/** Averaged matrices of the statistics, in host memory. */
const factorsOf = <A extends Shaped>({ setting, run }: Lane<A>): TE.TaskEither<KfacError, ReadonlyArray<Factor>> =>
  pipe(
    Object.entries(run.state.curvature.averages).flatMap(([block, averages]) =>
      Object.entries(averages)
        .filter(([, { shape }]) => shape.length === 2 && shape[0] === shape[1] && shape[0] > 1)
        .map(([name, matrix]) => ({ block, name, matrix })),
    ),
    TE.traverseSeqArray(({ block, name, matrix }) =>
      pipe(
        setting.env.backend.read(matrix),
        TE.map(({ data, shape: [order] }) => ({ block, name, order, data })),
      ),
    ),
  );

/** A look takes at most about this fraction of the time. */
const lookShare = 0.15;

/** Seconds between two messages with factors, which are large and whose eigenvalues take seconds. */
const factorsEvery = 10;

/** Looks at a lane when it is time. */
const looked = <A extends Shaped>(track: Track<A>, task: Task, lane: Lane<A>): TE.TaskEither<KfacError, Lane<A>> => {
  const start = track.clock();
  return start < lane.lookAt
    ? TE.right(lane)
    : pipe(
        lookAt(task, lane),
        TE.chainIOK((look) => track.tell({ type: 'looked', lane: lane.id, look })),
        TE.map(() => {
          const now = track.clock();
          return { ...lane, lookAt: now + Math.max(1, (now - start) / lookShare) };
        }),
      );
};

/** Sends the factors of the second-order lane when it is time. */
const shown = <A extends Shaped>(track: Track<A>, race: Race<A>, lane: Lane<A>): TE.TaskEither<KfacError, number> =>
  lane.id !== 'second' || track.clock() < race.factorsAt
    ? TE.right(race.factorsAt)
    : pipe(
        factorsOf(lane),
        TE.chainIOK((factors) =>
          factors.length === 0 ? () => undefined : track.tell({ type: 'factors', step: lane.run.state.step, factors }),
        ),
        TE.map(() => track.clock() + factorsEvery),
      );

/** One step of a run by the library's trainer. */
const stepped = <A extends Shaped>(track: Track<A>, lane: Lane<A>): TE.TaskEither<KfacError, Lane<A>> => {
  const { setting, run } = lane;
  const options = { ...setting.options, duration: { steps: run.state.step + 1 } };
  return pipe(
    proceed({ ...setting, options }, run),
    TE.map((next) => ({ ...lane, run: next })),
    TE.chainFirstIOK(({ id, run: { steps } }) =>
      steps === null
        ? () => undefined
        : track.tell({
            type: 'stepped',
            lane: id,
            points: [{ step: steps.last.step, seconds: steps.last.seconds, loss: steps.last.loss }],
          }),
    ),
  );
};

const isBehind = <A extends Shaped>({ pace }: Setup, a: Lane<A>, b: Lane<A>): boolean =>
  pace === 'seconds' ? a.run.seconds < b.run.seconds : a.run.state.step < b.run.state.step;

const turn = <A extends Shaped>(
  track: Track<A>,
  task: Task,
  setup: Setup,
  race: Race<A>,
): TE.TaskEither<KfacError, Race<A>> => {
  const last = race.lanes.reduce((behind, lane) => (isBehind(setup, lane, behind) ? lane : behind));
  return pipe(
    stepped(track, last),
    TE.chain((lane) => looked(track, task, lane)),
    TE.bindTo('lane'),
    TE.bind('factorsAt', ({ lane }) => shown(track, race, lane)),
    TE.map(({ lane, factorsAt }) => ({
      ...race,
      factorsAt,
      lanes: race.lanes.map((other) => (other.id === lane.id ? lane : other)),
    })),
  );
};

const nobody: KfacError = { _tag: 'BadConfig', path: 'optimizers', expected: 'at least one', actual: 'none' };

/**
 * Races until something fails; whoever ends it ends the worker.
 *
 * @param track - backend, clock and the page
 * @param task - what is learned
 * @param data - on which examples
 */
export const race = <A extends Shaped>(track: Track<A>, task: Task, data: Splits): TE.TaskEither<KfacError, never> => {
  const { setup, revision } = track.control();
  const examples = examplesOf(task, data);
  return pipe(
    TE.fromEither(checkOptions(optionsOf(setup, 1), data.train.size)),
    TE.chainEitherK(() => (lanesOf(setup).length === 0 ? E.left(nobody) : E.right(undefined))),
    TE.chainIOK(() => track.tell({ type: 'loaded', train: data.train.size, test: data.test.size, examples })),
    TE.chain(() => TE.traverseSeqArray((id: LaneId) => enter(track, task, data, setup, id))(lanesOf(setup))),
    TE.map((lanes): Race<A> => ({ lanes, revision, factorsAt: 0 })),
    TE.chain((start) =>
      iterate<KfacError, Race<A>, never>(start, (current) => {
        const control = track.control();
        if (control.revision !== current.revision) {
          return pipe(adjusted(track, task, data, current, control), TE.map(E.left));
        }
        return control.paused
          ? pipe(
              track.wait,
              T.map(() => E.right(E.left(current))),
            )
          : pipe(turn(track, task, control.setup, current), TE.map(E.left));
      }),
    ),
  );
};
