/**
 * What an interpreter that computes offers beyond `Ops`: factorisations, reading back, scopes, a report of itself.
 *
 * Factorisations are asynchronous in form, because a device must wait for them and a host may run them on another
 * thread; array operations are not.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../errors.ts';
import type { Ops } from '../ops/ops.ts';
import type { Shape, Shaped, Tensor } from '../tensor.ts';

import type { GpuPlace } from './gpuModes.ts';

/** M = U diag(values) Uᵀ for a symmetric M `[n, n]`. */
export interface SymmetricEigen<T> {
  /** Eigenvalues in ascending order, `[n]`. */
  readonly values: T;
  /** Orthonormal eigenvectors as columns, `[n, n]`. */
  readonly vectors: T;
}

/** Dense factorisations. Symmetric arguments are read from one triangle; which one is not promised. */
export interface LinearAlgebra<T> {
  /** Lower-triangular L `[n, n]` with L Lᵀ = M. Fails with `NotPositiveDefinite`. */
  readonly cholesky: (m: T) => TE.TaskEither<KfacError, T>;
  /** X with L Lᵀ X = B, for L from `cholesky` and B `[n, k]`. */
  readonly choleskySolve: (l: T, b: T) => TE.TaskEither<KfacError, T>;
  /** M⁻¹ of a symmetric positive definite M, exactly symmetric. Fails with `NotPositiveDefinite`. */
  readonly inverse: (m: T) => TE.TaskEither<KfacError, T>;
  /** X with M X = B for a general square M `[n, n]` and B `[n, k]`. Fails when M is singular. */
  readonly solve: (m: T, b: T) => TE.TaskEither<KfacError, T>;
  /** Eigendecomposition of a symmetric matrix. */
  readonly eigh: (m: T) => TE.TaskEither<KfacError, SymmetricEigen<T>>;
}

/** The memory that arrays of a process lie in, where vector kernels work on them in place. Sizes are in bytes. */
export interface MemoryReport {
  /** WebAssembly memories, and how large each may become. */
  readonly memories: number;
  readonly limit: number;
  /** Size of all of them now, and what of it arrays have. */
  readonly size: number;
  readonly taken: number;
  /** Whether threads may work on them. */
  readonly shared: boolean;
  /** Arrays that had no room there, and on which vector kernels are slower. */
  readonly refused: number;
}

/** What a backend is and runs on; `kfac doctor` prints it. */
export interface BackendReport {
  readonly backend: string;
  /** Library or mode, with version, for example `OpenBLAS 0.3.21 (Zen)`. */
  readonly library: string;
  readonly threads: number;
  /** Where factorisations run: `LAPACK` or `portable`. */
  readonly factorisations: string;
  readonly warnings: ReadonlyArray<string>;
  /** The mode of the gpu backend; absent on others. */
  readonly gpu?: GpuPlace;
  /** The memory of the process for arrays of single precision; absent on backends that have none of the kind. */
  readonly memory?: MemoryReport;
}

/** A backend whose temporaries are handed back when the scope closes. */
export interface Scope<T extends Shaped> {
  /** The same backend; whatever its operations allocate belongs to the scope. */
  readonly backend: Backend<T>;
  /**
   * Ends the scope. Arrays made in it go back to a pool, except those in `keep`. Arrays in `retire` go back as well,
   * wherever they came from on this backend: the caller promises that nobody else holds them.
   */
  readonly close: (keep: ReadonlyArray<T>, retire?: ReadonlyArray<T>) => void;
}

/** An interpreter that computes. */
export interface Backend<T extends Shaped> {
  readonly name: string;
  /** Precision of its floats. */
  readonly dtype: 'f32' | 'f64';
  readonly ops: Ops<T>;
  readonly linearAlgebra: LinearAlgebra<T>;
  /** Places an array of a batch, with examples along its first axis: as a constant unless given, or shared out over processes. */
  readonly batch?: (value: Tensor) => T;
  /** A float array with arbitrary contents, all of which the caller overwrites; absent where memory cannot be written to from here. */
  readonly room?: (shape: Shape) => T;
  /** Whether other processes compute the same in step with this one, so that no work may run beside the steps. */
  readonly isInStep?: boolean;
  /** Fails where arrays that all of these processes have are not the same on each; absent where there is one. */
  readonly agree?: (arrays: ReadonlyArray<T>) => TE.TaskEither<KfacError, unknown>;
  /** Bytes of arrays in the memory of this process, of which others have what it has not; absent where there are no others. */
  readonly bytesHeld?: (arrays: ReadonlyArray<T>) => number;
  /** The values of an array, once they are there. The result is a copy that stays valid after a scope ends. */
  readonly read: (x: T) => TE.TaskEither<KfacError, Tensor>;
  /** Opens a scope, which owns what its operations allocate. */
  readonly scope: () => Scope<T>;
  /** What this backend is, for people and for reports. */
  readonly report: () => BackendReport;
  /** Frees what the backend holds (workers, device memory). The backend must not be used afterwards. */
  readonly dispose: TE.TaskEither<KfacError, void>;
}

/**
 * A backend that was chosen at run time, whose type of array nobody else knows: it is handed to a computation that
 * works for all of them.
 */
export type SomeBackend = <A>(use: <T extends Shaped>(backend: Backend<T>) => A) => A;

/** Forgets a backend's type of array. */
export const someBackend =
  <T extends Shaped>(backend: Backend<T>): SomeBackend =>
  (use) =>
    use(backend);
