/**
 * Eigenvalues of a state's Kronecker factors.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Memory } from '../../core/pipeline/trainState.ts';
import type { ReadonlyVector, Shaped, Tensor } from '../../core/tensor.ts';
import { inScope } from '../trainer/scope.ts';

/** A factor with its block and its name. */
interface Named {
  readonly name: string;
  readonly factor: Tensor;
}

/** Averages of second moments: those of inputs are `A`, those of cotangents `G`; `a` and `g` where only the diagonal is kept. */
const isFactor = (name: string): boolean => /^[AaGg](:\d+)?$/.test(name);

const factorsIn = ({ curvature, groups }: Memory<Tensor>): ReadonlyArray<Named> => [
  ...Object.entries(curvature.averages).flatMap(([block, averages]) =>
    Object.entries(averages)
      .filter(([name]) => isFactor(name))
      .map(([name, factor]) => ({ name: `${block === '' ? 'model' : block}/${name}`, factor })),
  ),
  ...Object.values(groups).flatMap(factorsIn),
];

const spectrumOf = <T extends Shaped>(
  backend: Backend<T>,
  factor: Tensor,
): TE.TaskEither<KfacError, ReadonlyVector> => {
  const { shape, data } = factor;
  return shape.length === 2 && shape[0] === shape[1]
    ? inScope(backend, (scoped) =>
        pipe(
          calculate(() => scoped.ops.constant(factor)),
          TE.chain(scoped.linearAlgebra.eigh),
          TE.chain(({ values }) => scoped.read(values)),
          TE.map((values) => values.data),
        ),
      )
    : TE.right(data);
};

/**
 * Eigenvalues by block and factor: `encoder.0/A`. A factor that has none, since it is not finite, is left out.
 *
 * @param backend - where to compute
 * @param state - in host memory
 */
export const spectraOf = <T extends Shaped>(
  backend: Backend<T>,
  state: Memory<Tensor>,
): T.Task<Readonly<Record<string, ReadonlyVector>>> =>
  pipe(
    factorsIn(state),
    T.traverseSeqArray(({ name, factor }) =>
      pipe(
        spectrumOf(backend, factor),
        TE.match(
          () => [],
          (values) => [[name, values] as const],
        ),
      ),
    ),
    T.map((found) => Object.fromEntries(RA.flatten(found))),
  );
