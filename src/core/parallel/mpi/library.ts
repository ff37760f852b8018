/**
 * The library of MPI that started this process, opened through koffi.
 *
 * MPI has a standard of calls but none of handles, so there is a table for each ABI: in Open MPI a handle is the address of a global
 * variable, in MPICH (and Intel MPI, MVAPICH) it is a number.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { ForeignFunction, ForeignLibrary, Koffi } from '../../backends/native/koffi.ts';
import { loadKoffi } from '../../backends/native/koffi.ts';
import { currentProcess } from '../../backends/process.ts';
import type { BackendUnavailable } from '../../errors.ts';
import type { DType } from '../../tensor.ts';
import type { Abi, Launch } from './launch.ts';

/** A shared library whose variables can be found too. */
interface LibraryWithVariables extends ForeignLibrary {
  readonly symbol: (name: string, type: string) => unknown;
}

/** The part of koffi that knows of variables. */
interface KoffiWithAddresses extends Omit<Koffi, 'load'> {
  readonly load: (path: string) => LibraryWithVariables;
  readonly address: (variable: unknown) => bigint | number;
}

/** Handles as they are passed. */
interface Handles {
  readonly world: number;
  readonly sum: number;
  readonly types: Readonly<Record<DType, number>>;
  readonly returnErrors: number;
  /** Stands for a status that nobody wants. */
  readonly ignoredStatus: number;
}

/** Routines by their names without the prefix. */
export interface Routines {
  readonly init: ForeignFunction;
  readonly setErrorHandler: ForeignFunction;
  readonly groupOf: ForeignFunction;
  readonly groupIncluding: ForeignFunction;
  readonly createGroup: ForeignFunction;
  readonly rank: ForeignFunction;
  readonly size: ForeignFunction;
  readonly iallreduce: ForeignFunction;
  readonly iallgatherv: ForeignFunction;
  readonly ibcast: ForeignFunction;
  readonly ireduceScatter: ForeignFunction;
  readonly ialltoallv: ForeignFunction;
  readonly ibarrier: ForeignFunction;
  readonly test: ForeignFunction;
  readonly wait: ForeignFunction;
  /** Lets another process have this core, if one wants it: `sched_yield`. */
  readonly giveWay: ForeignFunction;
  readonly errorString: ForeignFunction;
  readonly libraryVersion: ForeignFunction;
  readonly abort: ForeignFunction;
  readonly finalize: ForeignFunction;
}

/** An open library. */
export interface MpiLibrary {
  readonly abi: Abi;
  readonly file: string;
  readonly handles: Handles;
  readonly routines: Routines;
}

const files: Readonly<Record<Abi, ReadonlyArray<string>>> = {
  'Open MPI': ['libmpi.so.40', 'libmpi.so.80', 'libmpi.so', 'libmpi.40.dylib', 'libmpi.dylib'],
  MPICH: ['libmpich.so.12', 'libmpi.so.12', 'libmpich.so', 'libmpi.so', 'libmpi.12.dylib'],
};

/**
 * Where the library of a launcher may be: bare names, which are left to the system's loader.
 *
 * @param launch - who has started this process
 */
export const filesFor = ({ abi, isIntel }: Pick<Launch, 'abi' | 'isIntel'>): ReadonlyArray<string> =>
  isIntel === undefined ? files[abi] : files[abi].filter((file) => !file.startsWith('libmpich'));

/**
 * What the environment must say before a library is loaded, unless it says something else already.
 *
 * UCX, below MPICH, changes the code of malloc's system calls in the whole process to hear of memory that is given back; in a process
 * of Node.js, whose own threads allocate meanwhile, that ends in a segmentation fault about once in a hundred starts. Without these
 * events it keeps no cache of memory that is registered with a network card.
 *
 * Open MPI adds up large arrays of fewer than four processes in one of them, while the others wait, unless it is told to have each add up
 * a part (Rabenseifner's algorithm): half the time with two.
 */
const environment = (abi: Abi, size: number): Readonly<Record<string, string>> =>
  abi === 'MPICH' ? { UCX_MEM_EVENTS: 'n' } : size < 4 ? { OMPI_MCA_coll_libnbc_iallreduce_algorithm: '3' } : {};

/** How to get MPI. */
export const mpiAdvice =
  'Install koffi (npm install koffi) and MPI (apt install openmpi-bin, or apt install mpich), and start with the mpirun of the same; ' +
  'KFAC_MPI is the path of its library where that is not found.';

const addressesIn = (koffi: KoffiWithAddresses, library: LibraryWithVariables): Handles => {
  const at = (name: string): number => Number(koffi.address(library.symbol(`ompi_${name}`, 'uint8')));
  return {
    world: at('mpi_comm_world'),
    sum: at('mpi_op_sum'),
    types: { f32: at('mpi_float'), f64: at('mpi_double'), i32: at('mpi_int') },
    returnErrors: at('mpi_errors_return'),
    ignoredStatus: 0,
  };
};

/** Those of `mpi.h`, which have not changed since MPICH 1. */
const numbers: Handles = {
  world: 0x44000000,
  sum: 0x58000003,
  types: { f32: 0x4c00040a, f64: 0x4c00080b, i32: 0x4c000405 },
  returnErrors: 0x54000001,
  ignoredStatus: 1,
};

const bind = (library: ForeignLibrary, abi: Abi): Routines => {
  const handle = abi === 'MPICH' ? 'int' : 'uintptr_t';
  const call = (name: string, ...parameters: ReadonlyArray<string>): ForeignFunction =>
    library.func(`MPI_${name}`, 'int', parameters);
  const [memory, status] = ['void *', 'uintptr_t'];
  return {
    init: call('Init', 'intptr_t', 'intptr_t'),
    setErrorHandler: call('Comm_set_errhandler', handle, handle),
    groupOf: call('Comm_group', handle, memory),
    groupIncluding: call('Group_incl', handle, 'int', memory, memory),
    createGroup: call('Comm_create_group', handle, handle, 'int', memory),
    rank: call('Comm_rank', handle, memory),
    size: call('Comm_size', handle, memory),
    iallreduce: call('Iallreduce', memory, memory, 'int', handle, handle, handle, memory),
    iallgatherv: call('Iallgatherv', memory, 'int', handle, memory, memory, memory, handle, handle, memory),
    ibcast: call('Ibcast', memory, 'int', handle, 'int', handle, memory),
    ireduceScatter: call('Ireduce_scatter', memory, memory, memory, handle, handle, handle, memory),
    ialltoallv: call(
      'Ialltoallv',
      ...[memory, memory, memory, handle],
      ...[memory, memory, memory, handle],
      ...[handle, memory],
    ),
    ibarrier: call('Ibarrier', handle, memory),
    test: call('Test', memory, memory, status),
    wait: call('Wait', memory, status),
    giveWay: library.func('sched_yield', 'int', []), // of the C library, which every library of MPI needs
    errorString: call('Error_string', 'int', memory, memory),
    libraryVersion: call('Get_library_version', memory, memory),
    abort: call('Abort', handle, 'int'),
    finalize: call('Finalize'),
  };
};

const prepare = (abi: Abi, size: number): void => {
  const env = currentProcess()?.env ?? {};
  Object.entries(environment(abi, size)).forEach(([name, value]) => {
    env[name] ??= value;
  });
};

const open = (koffi: KoffiWithAddresses, abi: Abi, file: string): MpiLibrary => {
  const library = koffi.load(file);
  return {
    abi,
    file,
    handles: abi === 'MPICH' ? numbers : addressesIn(koffi, library),
    routines: bind(library, abi),
  };
};

/**
 * Opens the library of an ABI.
 *
 * @param launch - who has started this process, and how many there are
 * @param choice - its path; the first of the known names that opens unless given
 * @returns the library, or what was tried and how to install one
 */
export const openMpiLibrary = (
  launch: Pick<Launch, 'abi' | 'isIntel' | 'size'>,
  choice: string | undefined,
): E.Either<BackendUnavailable, MpiLibrary> => {
  const { abi, size } = launch;
  const unavailable = (reason: string): BackendUnavailable => ({
    _tag: 'BackendUnavailable',
    backend: 'MPI',
    reason,
    advice: mpiAdvice,
  });
  return pipe(
    loadKoffi(),
    E.mapLeft(unavailable),
    E.chain((loaded) => {
      const koffi = loaded as unknown as KoffiWithAddresses;
      prepare(abi, size);
      const reasons: Array<string> = [];
      for (const file of choice === undefined || choice === '' ? filesFor(launch) : [choice]) {
        const opened = E.tryCatch(
          () => open(koffi, abi, file),
          (error) => (error instanceof Error ? error.message : String(error)),
        );
        if (E.isRight(opened)) return opened;
        reasons.push(`${file}: ${opened.left}`);
      }
      return E.left(unavailable(`no library of ${abi} could be opened (${reasons.join('; ')})`));
    }),
  );
};
