/**
 * A small network in training on a device that is watched, and on one that goes away.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { withBackend } from '../../../src/core/backends/choice/choose.ts';
import type { DeviceUsage } from '../../../src/core/backends/gpu/device/slots.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { uniform } from '../../../src/core/random/uniform.ts';
import type { UnaryKind } from '../../../src/core/ops/primitives.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { autoencoder } from '../../../src/pipelines/tasks/mnistAutoencoder.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { Run, Setting } from '../../../src/pipelines/trainer/run.ts';
import { proceed } from '../../../src/pipelines/trainer/proceed.ts';
import { begin } from '../../../src/pipelines/trainer/run.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { orThrow } from '../../support/training.ts';
import type { Held, Watch } from './objects.ts';

/** Modes that can be watched and lost. */
export type GraphicsMode = 'webgl2' | 'webgpu';

const units = [12, 6, 3];

const task = (): TrainTask => {
  const pixels = uniform(keyOf(7), [16, units[0]], 'f64');
  const noise = orThrow(datasetOf('noise', pixels, pixels));
  return supervised({
    name: 'noise',
    model: autoencoder('noise', units),
    loss: sigmoidCrossEntropy,
    data: { train: noise, test: noise },
  });
};

const optimizer = kfac({ estimator: 'empirical', inverseEvery: 2 });

/** What is held after some steps. */
export interface Holding {
  readonly step: number;
  /** What the backend says that arrays take up. */
  readonly usage: DeviceUsage;
  /** What the browser has made and not destroyed. */
  readonly held: Held;
  /** Bytes of the program's own memory, where the browser tells. */
  readonly heap: number | null;
}

const heapNow = (): number | null => {
  const { memory } = performance as { readonly memory?: { readonly usedJSHeapSize: number } };
  return memory?.usedJSHeapSize ?? null;
};

/** Waits until the device has done what it was told. */
const drained = <T extends Shaped>(backend: Backend<T>): TE.TaskEither<KfacError, void> => {
  const scope = backend.scope();
  return pipe(
    scope.backend.read(scope.backend.ops.constant(generate([1], () => 0))),
    TE.map(() => scope.close([])),
  );
};

const usageOf = <T extends Shaped>(backend: Backend<T>): DeviceUsage => {
  const { usage } = backend as Backend<T> & { readonly usage: () => DeviceUsage };
  const { arrays, bytes } = usage();
  return { arrays, bytes };
};

/**
 * Trains, and counts on the way.
 *
 * @param watch - counts the browser's objects
 * @param mode - where
 * @param steps - after which to count, ascending
 */
export const holdings = (
  watch: Watch,
  mode: GraphicsMode,
  steps: ReadonlyArray<number>,
): Promise<E.Either<KfacError, ReadonlyArray<Holding>>> =>
  withBackend({ gpuMode: mode }, <T extends Shaped>(backend: Backend<T>) => {
    const noise = task();
    const setting = (until: number): Setting<T> => ({
      env: { backend, clock: () => 0 },
      task: noise,
      step: noise.step(optimizer),
      options: { duration: { steps: until }, batch: 8, seed: 3 },
    });
    return async () => {
      const counted: Array<Holding> = [];
      let run: E.Either<KfacError, Run<T>> = begin(setting(0));
      for (const step of steps) {
        if (E.isLeft(run)) return run;
        run = await proceed(setting(step), run.right)();
        orThrow(await drained(backend)());
        counted.push({ step, usage: usageOf(backend), held: watch.held(), heap: heapNow() });
      }
      return E.right(counted);
    };
  })();

/** What came of everything that was under way when a device went away, and of what came after. */
export interface Lost {
  /** How many devices were taken away. */
  readonly devices: number;
  readonly pending: ReadonlyArray<E.Either<KfacError, unknown>>;
  readonly later: ReadonlyArray<E.Either<KfacError, unknown>>;
  /** Of training whose device went away in its first step, and after some. */
  readonly training: ReadonlyArray<E.Either<KfacError, unknown>>;
  /** Steps of a backend that was opened afterwards. */
  readonly again: E.Either<KfacError, number>;
}

/** Seconds after which something that has not settled never will. */
const patience = 60;

const hangs: KfacError = {
  _tag: 'DeviceFailed',
  where: 'the page',
  reason: `nothing came for ${patience} seconds`,
  advice: 'Find out who forgets to answer.',
};

const settled = <A>(waiting: TE.TaskEither<KfacError, A>): Promise<E.Either<KfacError, A>> =>
  Promise.race([
    waiting(),
    new Promise<E.Either<KfacError, A>>((resolve) => setTimeout(() => resolve(E.left(hangs)), 1000 * patience)),
  ]);

const x = generate([3, 3], (i) => (i % 4 === 0 ? 2 : 0.1));

/** Reads and factorisations; some need kernels for a function and a length that may be new to the device. */
const everything = <T extends Shaped>(
  { ops, read, linearAlgebra }: Backend<T>,
  known: T,
  kind: UnaryKind,
  length: number,
): ReadonlyArray<Promise<E.Either<KfacError, unknown>>> => [
  settled(read(known)),
  settled(read(ops.matmul(known, known))),
  settled(read(ops.unary(kind, known))),
  settled(read(ops.constant(generate([length], (i) => i)))),
  settled(linearAlgebra.inverse(known)),
];

/** Takes steps; the device goes away at a reading of the clock. */
const trained = <T extends Shaped>(
  backend: Backend<T>,
  steps: number,
  losing: { readonly at: number; readonly lose: () => void } | null,
): TE.TaskEither<KfacError, number> => {
  let readings = 0;
  const clock = (): number => {
    readings += 1;
    if (readings === losing?.at) losing.lose();
    return 0;
  };
  return pipe(
    train({ backend, clock }, task(), optimizer, { duration: { steps }, batch: 8, seed: 3 }),
    TE.map((result) => result.steps),
  );
};

/**
 * Loses a device twice: with reads under way, and in training.
 *
 * @param watch - knows the devices
 * @param mode - where
 */
export const losing = async (watch: Watch, mode: GraphicsMode): Promise<E.Either<KfacError, Lost>> => {
  const read = await withBackend({ gpuMode: mode }, <T extends Shaped>(backend: Backend<T>) => async () => {
    const known = backend.ops.constant(x);
    orThrow(await backend.read(backend.ops.neg(known))());
    const waiting = everything(backend, known, 'exp', 5);
    const devices = watch.lose();
    const pending = await Promise.all(waiting);
    const later = await Promise.all(everything(backend, known, 'tanh', 7));
    return E.right<KfacError, Pick<Lost, 'devices' | 'pending' | 'later'>>({ devices, pending, later });
  })();
  if (E.isLeft(read)) return read;
  const training = await TE.traverseSeqArray((at: number) =>
    TE.fromTask(() =>
      settled(withBackend({ gpuMode: mode }, (backend) => trained(backend, 40, { at, lose: () => void watch.lose() }))),
    ),
  )([3, 30])();
  const again = await settled(withBackend({ gpuMode: mode }, (backend) => trained(backend, 3, null)));
  return pipe(
    training,
    E.map((ended) => ({ ...read.right, training: ended, again })),
  );
};
