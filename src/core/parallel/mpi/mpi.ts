/**
 * The collective of the processes that a launcher of MPI has started.
 *
 * All operations are posted without blocking. Whoever waits holds this thread, since calls on other threads crash MPICH; whoever does
 * not wait polls between turns of the event loop. Where ranks share cores, those that wait give way to those that compute: Open MPI does
 * so by itself when its launcher has counted more ranks than cores, but `MPI_Wait` of MPICH holds the core, so MPICH is asked again and
 * again there. Where each rank has a core that would only cost: a sum of 4 MB over two ranks took about a quarter longer.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { ForeignArgument, ForeignFunction } from '../../backends/native/koffi.ts';
import { currentProcess } from '../../backends/process.ts';
import { processorCount } from '../../backends/threads/worker.ts';
import type { BackendUnavailable, CollectiveFailed, KfacError } from '../../errors.ts';
import { attempt, raise } from '../../errors.ts';
import type { ReadonlyVector } from '../../tensor.ts';
import type { Collective, Posted } from '../collective.ts';
import { carriedBy, startsOf } from '../collective.ts';
import type { Launch } from './launch.ts';
import { launchOf } from './launch.ts';
import type { MpiLibrary } from './library.ts';
import { mpiAdvice, openMpiLibrary } from './library.ts';

const textOf = (bytes: Uint8Array): string =>
  new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.indexOf(0)))).trim();

/** What a routine leaves in a buffer of text. */
const textFrom = (call: (buffer: Uint8Array, length: Int32Array) => void): string => {
  const [buffer, length] = [new Uint8Array(8192), new Int32Array(1)];
  call(buffer, length);
  return textOf(buffer);
};

/** Calls of one rank whose failures are typed. */
interface Caller {
  readonly failure: (operation: string, code: number) => CollectiveFailed;
  /** Calls a routine; raises where it fails. */
  readonly call: (operation: string, routine: ForeignFunction, ...args: ReadonlyArray<ForeignArgument>) => void;
}

const callerOf = ({ routines }: MpiLibrary, rank: number): Caller => {
  const failure = (operation: string, code: number): CollectiveFailed => ({
    _tag: 'CollectiveFailed',
    operation,
    rank,
    code,
    reason: textFrom((buffer, length) => void routines.errorString(code, buffer, length)),
  });
  return {
    failure,
    call: (operation, routine, ...args) => {
      const code = Number(routine(...args));
      if (code !== 0) raise(failure(operation, code));
    },
  };
};

const typeOf = (data: ReadonlyVector): 'f32' | 'f64' | 'i32' =>
  data instanceof Int32Array ? 'i32' : data.BYTES_PER_ELEMENT === 8 ? 'f64' : 'f32';

/** How many elements runs have, and where they begin, as MPI takes them. */
const layoutOf = (lengths: ReadonlyArray<number>): readonly [counts: Int32Array, starts: Int32Array] => [
  Int32Array.from(lengths),
  Int32Array.from(startsOf(lengths)),
];

/** An operation that was posted, and what has to stay where it is until it is done. */
interface Posting {
  readonly operation: string;
  readonly request: Int32Array;
  readonly held: ReadonlyArray<unknown>;
}

/** A collective on an open library, after `MPI_Init`. */
const collectiveOn = (library: MpiLibrary, { rank, size, local }: Launch, clock: () => number): Collective => {
  const { abi, handles, routines } = library;
  const { world, sum, types, returnErrors, ignoredStatus } = handles;
  const { failure, call } = callerOf(library, rank);
  let [messages, bytes, carried, waited] = [0, 0, 0, 0];
  let isOver = false;
  const givesWay = abi === 'MPICH' && (local?.size ?? 1) > processorCount();
  /** Operations under way with what they read and write, whether or not anyone still asks for them. */
  const underWay = new Set<Posting>();
  const flag = new Int32Array(1);

  /** Whether an operation is done, in which case it is no longer under way. */
  const tested = (posting: Posting): E.Either<CollectiveFailed, boolean> => {
    const code = Number(routines.test(posting.request, flag, ignoredStatus));
    if (code === 0 && flag[0] === 0) return E.right(false);
    underWay.delete(posting);
    return code === 0 ? E.right(true) : E.left(failure(posting.operation, code));
  };

  /** Whether an operation is done, asked by somebody who has nothing else to do. */
  const awaited = (posting: Posting): E.Either<CollectiveFailed, boolean> => {
    const isDone = tested(posting);
    if (givesWay && E.isRight(isDone) && !isDone.right) routines.giveWay();
    return isDone;
  };

  /** Holds this thread until an operation is done. */
  const waitFor = (posting: Posting): void => {
    while (givesWay && underWay.has(posting)) {
      const isDone = awaited(posting);
      if (E.isLeft(isDone)) raise(isDone.left);
    }
    if (!underWay.has(posting)) return;
    call(posting.operation, routines.wait, posting.request, ignoredStatus);
    underWay.delete(posting);
  };

  /** Posts an operation; what it works with stays reachable until it is done. */
  const post = (
    operation: string,
    [sent, takenIn]: readonly [sent: number, takenIn: number],
    held: ReadonlyArray<unknown>,
    begin: (request: Int32Array) => void,
  ): Posted => {
    const request = new Int32Array(2); // a pointer, or a number
    const before = clock();
    begin(request);
    waited += clock() - before;
    messages += 1;
    bytes += sent;
    carried += takenIn;
    const keeping: Posting = { operation, request, held };
    underWay.add(keeping);
    return {
      wait: () => {
        if (!underWay.has(keeping)) return;
        const start = clock();
        waitFor(keeping);
        waited += clock() - start;
      },
      done: () =>
        new Promise((resolve) => {
          const poll = (): void => {
            if (!underWay.has(keeping)) {
              resolve(E.right(undefined));
              return;
            }
            const isDone = awaited(keeping);
            if (E.isRight(isDone) && !isDone.right) setImmediate(poll);
            else resolve(E.map(() => undefined)(isDone));
          };
          poll();
        }),
    };
  };

  /** A handle that a routine leaves: a number, or a pointer. */
  const handleFrom = (operation: string, routine: ForeignFunction, ...args: ReadonlyArray<ForeignArgument>): number => {
    const words = new Int32Array(2);
    call(operation, routine, ...args, words);
    return abi === 'MPICH' ? words[0] : (words[0] >>> 0) + 2 ** 32 * words[1];
  };

  /** Communicators by their ranks: made when these ranks first have something to say to each other, which all of them do at once. */
  const communicators = new Map<string, number>();
  const communicatorOf = (ranks: ReadonlyArray<number>): number => {
    const key = ranks.join(' ');
    const known = communicators.get(key);
    if (known !== undefined) return known;
    const all = handleFrom('group', routines.groupOf, world);
    const some = handleFrom('group', routines.groupIncluding, all, ranks.length, Int32Array.from(ranks));
    const made = handleFrom('communicator', routines.createGroup, world, some, 0);
    call('set error handler', routines.setErrorHandler, made, returnErrors);
    communicators.set(key, made);
    return made;
  };

  return {
    name: abi,
    size,
    ranks: [rank],
    allReduce: ([part], out) =>
      post('allReduce', [part.byteLength, carriedBy.sum(part.byteLength, size)], [part, out], (request) => {
        call('allReduce', routines.iallreduce, part, out, part.length, types[typeOf(part)], sum, world, request);
      }),
    allGather: ([part], lengths, out) => {
      const [counts, starts] = layoutOf(lengths);
      const type = types[typeOf(part)];
      return post(
        'allGather',
        [part.byteLength, carriedBy.runs(out.byteLength, part.byteLength)],
        [part, counts, starts, out],
        (request) => {
          call('allGather', routines.iallgatherv, part, part.length, type, out, counts, starts, type, world, request);
        },
      );
    },
    broadcast: (root, data, among) =>
      post(
        'broadcast',
        [root === rank ? data.byteLength : 0, carriedBy.array(data.byteLength, root === rank)],
        [data],
        (request) => {
          const [from, within] = among === undefined ? [root, world] : [among.indexOf(root), communicatorOf(among)];
          call('broadcast', routines.ibcast, data, data.length, types[typeOf(data)], from, within, request);
        },
      ),
    reduceScatter: ([part], lengths, [out]) => {
      const counts = Int32Array.from(lengths);
      return post(
        'reduceScatter',
        [part.byteLength, carriedBy.runs(size * out.byteLength, out.byteLength)],
        [part, counts, out],
        (request) => {
          call('reduceScatter', routines.ireduceScatter, part, out, counts, types[typeOf(part)], sum, world, request);
        },
      );
    },
    allToAll: ([part], lengths, [out]) => {
      const sent = layoutOf(lengths);
      const received = layoutOf(lengths.map(() => lengths[rank]));
      const type = types[typeOf(part)];
      return post(
        'allToAll',
        [part.byteLength, carriedBy.runs(out.byteLength, out.byteLength / size)],
        [part, ...sent, out, ...received],
        (request) => {
          call('allToAll', routines.ialltoallv, part, ...sent, type, out, ...received, type, world, request);
        },
      );
    },
    barrier: () =>
      post('barrier', [0, 0], [], (request) => {
        call('barrier', routines.ibarrier, world, request);
      }),
    progress: () => {
      // A test of one request that is not over moves them all.
      const [first] = underWay;
      if (first === undefined) return;
      const start = clock();
      const isDone = tested(first);
      waited += clock() - start;
      if (E.isLeft(isDone)) raise(isDone.left);
    },
    traffic: () => ({ messages, bytes, carried, waited }),
    abort: (code) => {
      if (!isOver) routines.abort(world, code);
    },
    end: () => {
      if (isOver) return;
      isOver = true;
      routines.finalize();
    },
  };
};

/** A collective over MPI, with what there is to say of it. */
export interface Mpi {
  readonly collective: Collective;
  readonly launch: Launch;
  /** Library and version, for reports. */
  readonly library: string;
}

const begun = (library: MpiLibrary, launch: Launch, clock: () => number): E.Either<KfacError, Mpi> => {
  const { routines, handles, file } = library;
  const { call } = callerOf(library, launch.rank);
  return attempt(() => {
    call('init', routines.init, 0, 0);
    call('set error handler', routines.setErrorHandler, handles.world, handles.returnErrors);
    const [rank, size] = [new Int32Array(1), new Int32Array(1)];
    call('rank', routines.rank, handles.world, rank);
    call('size', routines.size, handles.world, size);
    const version = textFrom((buffer, length) => void routines.libraryVersion(buffer, length));
    const [first] = version.split(/[\n,]/);
    return {
      collective: collectiveOn(library, { ...launch, rank: rank[0], size: size[0] }, clock),
      launch: { ...launch, rank: rank[0], size: size[0] },
      library: `${first.replace(/\s+/g, ' ').trim()} (${file})`,
    };
  });
};

/**
 * Joins the processes that a launcher has started together with this one. Once in a process, which `end`s it.
 *
 * @param clock - seconds, for the time that is spent waiting
 * @param env - variables of the environment, the process's unless given
 * @returns the collective, or why there is none
 * @example
 * ```ts no-run
 * import { distributed, mpi, nativeBackend } from 'kfac-ts/core';
 *
 * // Under mpirun: the same program on every rank, each with a part of every batch.
 * const opened = mpi(() => performance.now() / 1000);
 * const local = nativeBackend({ threads: 1 });
 * if (opened._tag === 'Right' && local._tag === 'Right') {
 *   const backend = distributed(local.right, opened.right.collective);
 *   opened.right.collective.end();
 * }
 * ```
 */
export const mpi = (
  clock: () => number,
  env: Readonly<Record<string, string | undefined>> = currentProcess()?.env ?? {},
): E.Either<KfacError, Mpi> => {
  const launch = launchOf(env);
  const missing: BackendUnavailable = {
    _tag: 'BackendUnavailable',
    backend: 'MPI',
    reason: 'this process was not started by mpirun',
    advice: mpiAdvice,
  };
  return launch === null
    ? E.left(missing)
    : pipe(
        openMpiLibrary(launch, env['KFAC_MPI']),
        E.chain((library) => begun(library, launch, clock)),
      );
};
