/**
 * Choosing a backend by name, or the fastest there is.
 *
 * What is known of the array type at compile time would depend on a choice at run time, so the caller passes a function
 * that works for every array type. A choice that falls back says so in the backend's report; a backend that was asked
 * for by name is never replaced.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { attempt, describeError } from '../../errors.ts';
import type { Collective } from '../../parallel/collective.ts';
import type { GradientWorkers } from '../../parallel/spread/rows.ts';
import type { Wire } from '../../parallel/spread/wire.ts';
import { single } from '../../parallel/simulated.ts';
import { distributed } from '../../parallel/spread/distributed.ts';
import { shown } from '../../shown.ts';
import type { Shaped, Tensor } from '../../tensor.ts';

import type { Backend, SomeBackend } from '../backend.ts';
import { someBackend } from '../backend.ts';
import { gpuBackend } from '../gpu/backend.ts';
import type { GpuMode } from '../gpuModes.ts';
import { gpuModes, hardwareModes } from '../gpuModes.ts';
import { refusedLimit } from '../host/simd/instance.ts';
import { nativeBackend, opensLibraries } from '../native/backend.ts';
import { portableBackend } from '../portable/backend.ts';
import { currentProcess } from '../process.ts';
import { referenceBackend } from '../reference/backend.ts';

/** Backends by name; `gpu` on hardware is ahead of `portable`, and behind it where it is a program. */
export const backendNames = ['native', 'gpu', 'portable', 'reference'] as const;

/** A backend by name. */
export type BackendName = (typeof backendNames)[number];

/** Which backend to use. */
export interface BackendOptions {
  /**
   * `auto`, the default: what the environment variable `KFAC_BACKEND` says (a name, or `gpu:` and a mode), else the
   * first that works here of `native`, which no browser has, `gpu` on graphics hardware, `portable`, `gpu` on whatever there is, and
   * `reference`.
   */
  readonly backend?: 'auto' | BackendName;
  /** Where the gpu backend runs its kernels, `auto` unless given. Any other value asks for the gpu backend as well. */
  readonly gpuMode?: 'auto' | GpuMode;
  /** Threads of a matrix product; what the backend chooses unless given. */
  readonly threads?: number;
  /** Processes to share arrays out over, those of MPI for example; this one is alone unless given. No gpu backend does that. */
  readonly collective?: Collective;
  /** Where there are several: who keeps an inverse, see `distributed`. */
  readonly gradientWorkers?: GradientWorkers;
  /** How sums over examples travel between them, see `distributed`. */
  readonly wire?: Wire;
  /** Parts of a batch that are taken one after another, to save memory, see `distributed`; 1 unless given. No gpu backend does that. */
  readonly accumulate?: number;
  /**
   * MiB that one memory for arrays of `native` and `portable` may have, from 1 to 4096, which it is unless given; what does not fit goes
   * to the next memory. The others have no such memory.
   */
  readonly memoryLimit?: number;
  /** Precision, `f32` unless given. `gpu` and `portable` have no other; `reference` computes in `f64` always. */
  readonly dtype?: 'f32' | 'f64';
}

/** The same backend, with more to warn of in its report. */
const withWarnings = <T extends Shaped>(backend: Backend<T>, warnings: ReadonlyArray<string>): Backend<T> => ({
  ...backend,
  report: () => {
    const report = backend.report();
    return { ...report, warnings: [...warnings, ...report.warnings] };
  },
});

/** What to say of a limit where there is nothing to limit. */
const unlimited = (name: BackendName, { memoryLimit }: BackendOptions): ReadonlyArray<string> =>
  memoryLimit === undefined
    ? []
    : [`The ${name} backend has no memory to limit: memoryLimit ${memoryLimit} is ignored.`];

/** The reference has one thread and one precision. */
const referenceWarnings = ({ dtype, threads }: BackendOptions): ReadonlyArray<string> => [
  ...(threads === undefined || threads === 1
    ? []
    : [`The reference backend has one thread: threads ${threads} is ignored.`]),
  ...(dtype === 'f32' ? ['The reference backend computes in f64 always, not in f32.'] : []),
];

const bad = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected, actual });

const checked = (name: BackendName, options: BackendOptions): E.Either<KfacError, BackendOptions> => {
  const { dtype, threads, gpuMode = 'auto', collective, accumulate = 1 } = options;
  if (name === 'gpu' && collective !== undefined) {
    return bad('backend', 'native, portable or reference where processes train together', name);
  }
  if (!(Number.isSafeInteger(accumulate) && accumulate >= 1)) {
    return bad('accumulate', 'a whole number of at least 1', String(accumulate));
  }
  if (name === 'gpu' && accumulate > 1) {
    return bad('accumulate', '1 on the gpu backend: parts are arrays in host memory', String(accumulate));
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    return bad('threads', 'a whole number of at least 1', String(threads));
  }
  const limit = refusedLimit(options.memoryLimit);
  if (limit !== null) return E.left(limit);
  if ((name === 'gpu' || name === 'portable') && dtype === 'f64')
    return bad('dtype', `f32, all that the ${name} backend has`, dtype);
  if (name !== 'gpu' && gpuMode !== 'auto') return bad('gpuMode', `auto, on the ${name} backend`, gpuMode);
  return E.right(options);
};

/** Options as JavaScript may give them: a name alone is no record of options, and no other name is a backend's. */
const asked = (options: BackendOptions): E.Either<KfacError, BackendOptions> => {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    return bad('backend', "a record of options, as in { backend: 'native' }", shown(given));
  }
  const { backend = 'auto' } = options;
  return ['auto', ...backendNames].includes(backend)
    ? E.right(options)
    : bad('backend', `auto, ${backendNames.join(', ')}`, shown(backend));
};

/** Whether arrays have to be in host memory: those of several processes, or of parts of a batch. */
const needsHost = ({ collective, accumulate = 1 }: BackendOptions): boolean =>
  collective !== undefined || accumulate > 1;

/** A backend in host memory, shared out over processes where there are several, in parts where they are asked for. */
const someHost =
  (options: BackendOptions) =>
  (backend: Backend<Tensor>): SomeBackend => {
    const { collective = single(), gradientWorkers, wire, accumulate } = options;
    if (!needsHost(options)) return someBackend(backend);
    return someBackend(
      distributed(backend, collective, {
        ...(gradientWorkers === undefined ? {} : { gradientWorkers }),
        ...(wire === undefined ? {} : { wire }),
        ...(accumulate === undefined ? {} : { accumulate }),
      }),
    );
  };

/**
 * Opens a backend in the memory of the processor by name.
 *
 * @param name - which one
 * @param options - precision and threads
 * @returns the backend of this process alone, or why it cannot be had
 */
export const openHost = (
  name: Exclude<BackendName, 'gpu'>,
  options: BackendOptions,
): E.Either<KfacError, Backend<Tensor>> =>
  pipe(
    checked(name, options),
    E.chain(({ dtype, threads, memoryLimit }): E.Either<KfacError, Backend<Tensor>> => {
      const settings = {
        ...(threads === undefined ? {} : { threads }),
        ...(memoryLimit === undefined ? {} : { memoryLimit }),
      };
      switch (name) {
        case 'native':
          return nativeBackend({ ...settings, ...(dtype === undefined ? {} : { dtype }) });
        case 'portable':
          return portableBackend(settings);
        case 'reference':
          return E.right(
            withWarnings(referenceBackend(), [...unlimited(name, options), ...referenceWarnings(options)]),
          );
      }
    }),
  );

/**
 * Opens a backend by name.
 *
 * @param name - which one
 * @param options - precision, threads and mode
 * @returns the backend, or why it cannot be had
 * @example
 * ```ts
 * import { pipe } from 'fp-ts/lib/function.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { openBackend } from 'kfac-ts/core';
 *
 * const name = await pipe(
 *   openBackend('reference'),
 *   TE.map((opened) => opened((backend) => backend.name)),
 * )();
 * name; // => { _tag: 'Right', right: 'reference' }
 * ```
 */
export const openBackend = (
  name: BackendName,
  options: Omit<BackendOptions, 'backend'> = {},
): TE.TaskEither<KfacError, SomeBackend> =>
  name === 'gpu'
    ? pipe(
        TE.fromEither(checked(name, options)),
        TE.chain(({ threads, gpuMode }) =>
          gpuBackend({
            ...(threads === undefined ? {} : { threads }),
            ...(gpuMode === undefined ? {} : { mode: gpuMode }),
          }),
        ),
        TE.map((opened) => opened((backend) => someBackend(withWarnings(backend, unlimited(name, options))))),
      )
    : pipe(
        TE.fromIOEither(() => openHost(name, options)),
        TE.chainEitherK((backend) => attempt(() => someHost(options)(backend))),
      );

/** What `auto` tries. */
type Way = BackendName | 'gpu hardware';

const openWay = (way: Way, options: BackendOptions): TE.TaskEither<KfacError, SomeBackend> =>
  way === 'gpu hardware' ? gpuBackend({ modes: hardwareModes }) : openBackend(way, options);

/** A setting that is wrong for the fastest backend is wrong, and no reason to take a slower one; a precision it has not is one. */
export const isOfSettings = (error: KfacError): boolean => error._tag === 'BadConfig' && error.path !== 'dtype';

/** How the fastest backend that works was found: what it is, and what was tried before it. */
const openFastest = (
  [way, ...slower]: ReadonlyArray<Way>,
  options: BackendOptions,
  missed: ReadonlyArray<string>,
): TE.TaskEither<KfacError, SomeBackend> =>
  pipe(
    openWay(way, options),
    TE.map((opened) => opened((backend) => someBackend(withWarnings(backend, missed)))),
    TE.orElse((error) =>
      slower.length === 0 || isOfSettings(error)
        ? TE.left(error)
        : openFastest(slower, options, way === 'gpu hardware' ? missed : [...missed, describeError(error)]),
    ),
  );

/**
 * What `auto` tries, fastest first. What nobody can have in a place like this is not missed there, and graphics hardware is missed
 * nowhere: it has single precision only.
 */
const automaticWays = (options: BackendOptions): ReadonlyArray<Way> => [
  ...(opensLibraries() ? ['native' as const] : []),
  ...(options.dtype === 'f64' || needsHost(options) ? [] : ['gpu hardware' as const]),
  'portable',
  ...(needsHost(options) ? [] : ['gpu' as const]),
  'reference',
];

/** What `KFAC_BACKEND` may say: a backend, or the gpu backend in a mode. */
const choices: Readonly<Record<string, Pick<BackendOptions, 'backend' | 'gpuMode'>>> = Object.fromEntries([
  ...['auto' as const, ...backendNames].map((backend) => [backend, { backend }] as const),
  ...gpuModes.map((gpuMode) => [`gpu:${gpuMode}`, { backend: 'gpu', gpuMode }] as const),
]);

const fromText = (text: string): E.Either<KfacError, Pick<BackendOptions, 'backend' | 'gpuMode'>> =>
  Object.hasOwn(choices, text) ? E.right(choices[text]) : bad('KFAC_BACKEND', Object.keys(choices).join(', '), text);

/** The backend that is asked for, or the fastest that works. */
const chosenBackend = (
  options: BackendOptions,
  fromEnvironment: string | undefined,
): TE.TaskEither<KfacError, SomeBackend> => {
  const { backend = 'auto', gpuMode = 'auto' } = options;
  if (backend !== 'auto') return openBackend(backend, options);
  if (gpuMode !== 'auto') return openBackend('gpu', options);
  if (fromEnvironment === undefined || fromEnvironment === '') return openFastest(automaticWays(options), options, []);
  return pipe(
    TE.fromEither(fromText(fromEnvironment)),
    TE.chain((named) =>
      named.backend === undefined || named.backend === 'auto'
        ? openFastest(automaticWays(options), options, [])
        : openBackend(named.backend, { ...options, ...named }),
    ),
  );
};

/**
 * Opens the backend that the options and the environment ask for.
 *
 * @param options - see {@link BackendOptions}
 * @param fromEnvironment - what `auto` stands for, `KFAC_BACKEND` unless given
 * @example
 * ```ts
 * import { chooseBackend } from 'kfac-ts/core';
 *
 * // What `auto` finds fastest here, in 32 bits.
 * const opened = await chooseBackend({ dtype: 'f32' })();
 * opened._tag; // => 'Right'
 * ```
 */
export const chooseBackend = (
  options: BackendOptions = {},
  fromEnvironment: string | undefined = currentProcess()?.env['KFAC_BACKEND'],
): TE.TaskEither<KfacError, SomeBackend> =>
  pipe(
    TE.fromEither(asked(options)),
    TE.chain((given) => chosenBackend(given, fromEnvironment)),
  );

/**
 * Runs a computation on a backend and frees the backend afterwards, whatever comes of it.
 *
 * @param options - which backend
 * @param use - works for any array type
 * @returns what the computation gives, or why there is no backend
 * @example
 * ```ts
 * import { pipe } from 'fp-ts/lib/function.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { tensor, withBackend } from 'kfac-ts/core';
 *
 * const product = withBackend({ backend: 'reference' }, (backend) => {
 *   const { ops } = backend;
 *   const x = ops.constant(tensor([1, 2, 3, 4], [2, 2]));
 *   return pipe(
 *     backend.read(ops.matmul(x, x)),
 *     TE.map(({ data }) => Array.from(data)),
 *   );
 * });
 * await product(); // => { _tag: 'Right', right: [7, 10, 15, 22] }
 * ```
 */
export const withBackend = <A>(
  options: BackendOptions,
  use: <T extends Shaped>(backend: Backend<T>) => TE.TaskEither<KfacError, A>,
): TE.TaskEither<KfacError, A> =>
  pipe(
    chooseBackend(options),
    TE.chain((chosen) =>
      chosen((backend) => async () => {
        try {
          const used = attempt(() => use(backend));
          return E.isLeft(used) ? used : await used.right();
        } finally {
          await backend.dispose();
        }
      }),
    ),
  );
