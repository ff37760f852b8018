/**
 * What the launcher tells a process before MPI is opened: which implementation has started it, and as which of how many.
 *
 * Both may be installed, and their libraries do not mix, so the environment decides and not what the loader finds first.
 *
 * @module
 */
import type { Process } from '../../backends/process.ts';

/** An ABI: what handles are, and in which library. Intel MPI and MVAPICH have that of MPICH. */
export type Abi = 'Open MPI' | 'MPICH';

/** A process among those that were started together. */
export interface Launch {
  readonly abi: Abi;
  /** Present where it was Intel MPI's launcher: its library goes by another name than MPICH's, which may be there too. */
  readonly isIntel?: true;
  readonly rank: number;
  readonly size: number;
  /** How many of them are on this host, and which of these this one is; `null` where the launcher does not say. */
  readonly local: { readonly rank: number; readonly size: number } | null;
}

const wholeAt = (env: Process['env'], ...names: ReadonlyArray<string>): number | null => {
  const found = names.map((name) => env[name]).find((value) => value !== undefined && /^\d+$/.test(value));
  return found === undefined ? null : Number(found);
};

const localOf = (rank: number | null, size: number | null): Launch['local'] =>
  rank === null || size === null ? null : { rank, size };

/**
 * How this process was started, or `null` where that was not by a launcher of MPI.
 *
 * @param env - environment variables
 * @example
 * ```ts
 * import { launchOf } from 'kfac-ts/core';
 *
 * launchOf({ PMI_RANK: '1', PMI_SIZE: '4' }); // => { abi: 'MPICH', rank: 1, size: 4, local: null }
 * launchOf({ PMI_RANK: '0', PMI_SIZE: '1', I_MPI_MPIRUN: 'mpirun' })?.isIntel; // => true
 * launchOf({}); // => null
 * ```
 */
export const launchOf = (env: Process['env']): Launch | null => {
  const ofOpenMpi = { rank: wholeAt(env, 'OMPI_COMM_WORLD_RANK'), size: wholeAt(env, 'OMPI_COMM_WORLD_SIZE') };
  if (ofOpenMpi.rank !== null && ofOpenMpi.size !== null) {
    const local = localOf(wholeAt(env, 'OMPI_COMM_WORLD_LOCAL_RANK'), wholeAt(env, 'OMPI_COMM_WORLD_LOCAL_SIZE'));
    return { abi: 'Open MPI', rank: ofOpenMpi.rank, size: ofOpenMpi.size, local };
  }
  const ofMpich = { rank: wholeAt(env, 'PMI_RANK'), size: wholeAt(env, 'PMI_SIZE') };
  if (ofMpich.rank === null || ofMpich.size === null) return null;
  const local = localOf(wholeAt(env, 'MPI_LOCALRANKID'), wholeAt(env, 'MPI_LOCALNRANKS'));
  const byIntel = ['I_MPI_MPIRUN', 'I_MPI_HYDRA_UUID'].some((name) => env[name] !== undefined);
  return { abi: 'MPICH', ...(byIntel ? { isIntel: true } : {}), rank: ofMpich.rank, size: ofMpich.size, local };
};
