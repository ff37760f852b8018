/**
 * How far averaged statistics have moved since an inverse was made from them.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { CurvatureState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { calculate } from '../../core/pipeline/compute.ts';

type Averages<T> = CurvatureState<T>['averages'];

/** ‖X − X₀‖ / ‖X₀‖ from squares; a change from zero is infinite. */
const relativeChange = (change: number, size: number): number => (change === 0 ? 0 : Math.sqrt(change / size));

/**
 * The largest relative change of any average, max ‖X − X₀‖_F / ‖X₀‖_F.
 *
 * @param backend - where they are
 * @param averages - X by block and name
 * @param from - X₀, the same at an earlier time; an average that it lacks has changed infinitely
 */
export const driftOf = <T extends Shaped>(
  backend: Backend<T>,
  averages: Averages<T>,
  from: Averages<T>,
): TE.TaskEither<KfacError, number> => {
  const { ops } = backend;
  if (averages === from) return TE.right(0);
  const pairs = Object.entries(averages).flatMap(([block, arrays]) =>
    Object.entries(arrays).map(([name, x]) => [x, from[block]?.[name]] as const),
  );
  const known = pairs.flatMap(([x, before]) => (before === undefined ? [] : [[x, before] as const]));
  if (known.length < pairs.length) return TE.right(Infinity);
  if (known.length === 0) return TE.right(0);
  return pipe(
    calculate(() =>
      known.flatMap(([x, before]) => {
        const change = ops.sub(x, before);
        return [ops.dot(change, change), ops.dot(before, before)];
      }),
    ),
    TE.chain((squares) => readScalars(backend, squares)),
    TE.map((squares) => Math.max(...known.map((_, i) => relativeChange(squares[2 * i], squares[2 * i + 1])))),
  );
};
