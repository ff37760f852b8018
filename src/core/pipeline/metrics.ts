/**
 * Reading a step's metrics: the only values that leave the device in a step.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import type { Shaped } from '../tensor.ts';

/** Numbers of one step by name: `loss`, `learningRate`, `seconds.forward`, …. */
export type Metrics = Readonly<Record<string, number>>;

/**
 * Metrics as plain numbers.
 *
 * @param backend - where the scalars are
 * @param metrics - numbers and arrays of shape `[]`
 * @example
 * ```ts
 * import { readMetrics, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const metrics = { loss: tensor([0.5], []), learningRate: 0.1 };
 * await readMetrics(referenceBackend(), metrics)(); // => { _tag: 'Right', right: { loss: 0.5, learningRate: 0.1 } }
 * ```
 */
export const readMetrics = <T extends Shaped>(
  backend: Backend<T>,
  metrics: Readonly<Record<string, T | number>>,
): TE.TaskEither<KfacError, Metrics> =>
  pipe(
    metrics,
    R.traverse(TE.ApplicativeSeq)((value) =>
      typeof value === 'number'
        ? TE.right(value)
        : pipe(
            backend.read(value),
            TE.map((x) => x.data[0]),
          ),
    ),
  );
