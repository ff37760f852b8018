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
