/**
 * Spectra of the curvature: the eigenvalues of each block's averaged factors, which say what a damping is large or small against.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Memory } from '../../core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { inScope } from '../trainer/scope.ts';

/** The eigenvalues of one factor. */
export interface Spectrum {
  /** Which block, for example `encoder.0`; where parameters are in groups, the group before it. */
  readonly block: string;
  /** Which of its factors: `A`, `G`. */
  readonly factor: string;
  /** From the largest to the smallest. */
  readonly eigenvalues: ReadonlyArray<number>;
}

/** A factor that has a spectrum. */
interface Factor extends Omit<Spectrum, 'eigenvalues'> {
  readonly matrix: Tensor;
}

/** Symmetric factors among the averages: square ones of at least two rows. */
const factorsOf = ({ curvature, groups }: Memory<Tensor>): ReadonlyArray<Factor> => [
  ...Object.entries(curvature.averages).flatMap(([block, averages]) =>
    Object.entries(averages).flatMap(([factor, matrix]) => {
      const [rows, columns, ...others] = matrix.shape;
      return others.length === 0 && rows === columns && rows > 1 ? [{ block, factor, matrix }] : [];
    }),
  ),
  ...Object.entries(groups).flatMap(([group, memory]) =>
    factorsOf(memory).map((each) => ({ ...each, block: `${group}: ${each.block}` })),
  ),
];

const eigenvaluesOn = <T extends Shaped>(
  backend: Backend<T>,
  matrix: Tensor,
): TE.TaskEither<KfacError, ReadonlyArray<number>> =>
  inScope(backend, (scoped) =>
    pipe(
      TE.fromEither(attempt(() => scoped.ops.constant(matrix))),
      TE.chain(scoped.linearAlgebra.eigh),
      TE.chain(({ values }) => scoped.read(values)),
      TE.map(({ data }) => Array.from(data).toSorted((a, b) => b - a)),
    ),
  );

/**
 * Spectra of all factors that an optimizer has averaged, on a backend that is open.
 *
 * @param backend - where to compute
 * @param memory - of an optimizer, in host memory
 */
export const spectraOn = <T extends Shaped>(
  backend: Backend<T>,
  memory: Memory<Tensor>,
): TE.TaskEither<KfacError, ReadonlyArray<Spectrum>> =>
  pipe(
    factorsOf(memory),
    TE.traverseSeqArray(({ block, factor, matrix }) =>
      pipe(
        eigenvaluesOn(backend, matrix),
        TE.map((eigenvalues) => ({ block, factor, eigenvalues })),
      ),
    ),
  );

/**
 * Spectra of all factors that an optimizer has averaged, in the order of its blocks.
 *
 * @param memory - of an optimizer, in host memory
 * @returns none of an optimizer without factors
 * @example
 * ```ts
 * import { initialState, keyOf, tensor, type Tensor } from 'kfac-ts/core';
 * import { spectraOf } from 'kfac-ts/pipelines';
 *
 * const A = tensor([2, 1, 1, 2], [2, 2]);
 * const state = { ...initialState<Tensor>({}, keyOf(1)), curvature: { averages: { encoder: { A } }, updates: 1 } };
 * const spectra = await spectraOf(state)();
 * spectra._tag === 'Right' && spectra.right.map(({ eigenvalues }) => eigenvalues.map(Math.round)); // => [[3, 1]]
 * ```
 */
export const spectraOf = (memory: Memory<Tensor>): TE.TaskEither<KfacError, ReadonlyArray<Spectrum>> =>
  withBackend({}, (backend) => spectraOn(backend, memory));
