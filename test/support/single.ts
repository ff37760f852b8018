/**
 * A backend in 32 bits that every machine has: the reference, with each result rounded.
 *
 * @module
 */
import type { Backend } from '../../src/core/backends/backend.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import { referencePrimitives } from '../../src/core/backends/reference/primitives.ts';
import { completeOps } from '../../src/core/ops/complete.ts';
import type { Primitives } from '../../src/core/ops/primitives.ts';
import type { Tensor } from '../../src/core/tensor.ts';

type Operation = (...operands: ReadonlyArray<unknown>) => Tensor;

/** The same elements as the nearest 32-bit floats. */
export const rounded = (x: Tensor): Tensor =>
  x.dtype === 'i32' ? x : { ...x, data: new Float64Array(new Float32Array(x.data)) };

const primitives = Object.fromEntries(
  Object.entries(referencePrimitives).map(([name, operation]) => [
    name,
    (...operands: ReadonlyArray<unknown>): Tensor => rounded((operation as Operation)(...operands)),
  ]),
) as unknown as Primitives<Tensor>;

/** The backend. Its arrays are of type `f64` and hold 32-bit floats. */
export const singleBackend = (): Backend<Tensor> => {
  const backend: Backend<Tensor> = {
    ...referenceBackend(),
    ops: completeOps(primitives),
    scope: () => ({ backend, close: () => undefined }),
  };
  return backend;
};
