/**
 * Factorisations on spread arrays: each is done by one rank. What comes of it is handed out to the others of its row, and stays there until
 * somebody else needs it [P21].
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { LinearAlgebra, SymmetricEigen } from '../../backends/backend.ts';
import { factorisationOperations as operationsOf } from '../../backends/factorisationOperations.ts';
import type { KfacError } from '../../errors.ts';
import { attempt } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import type { Spread } from './array.ts';
import type { Result } from './exchange.ts';
import type { Queue } from './rounds.ts';
import type { Workshop } from './workshop.ts';
import { wholeOf } from './workshop.ts';

/**
 * Factorisations on spread arrays.
 *
 * @param shop - the scope's means
 * @param queue - that of the process
 * @param own - factorisations of this process alone
 */
export const sharedLinearAlgebra = (
  shop: Workshop,
  queue: Queue,
  own: LinearAlgebra<Tensor>,
): LinearAlgebra<Spread> => {
  const one = (
    operations: number,
    result: Result,
    run: TE.TaskEither<KfacError, Tensor>,
  ): TE.TaskEither<KfacError, Spread> =>
    pipe(
      () => queue.join({ shop, operations, results: [result], run: TE.map((x: Tensor) => [x])(run) }),
      TE.map(([x]) => x),
    );
  /** Operands are made whole when the task begins, in the order in which tasks do. */
  const whole =
    <A>(
      operands: ReadonlyArray<Spread>,
      then: (wholes: ReadonlyArray<Tensor>) => TE.TaskEither<KfacError, A>,
    ): TE.TaskEither<KfacError, A> =>
    () => {
      const wholes = attempt(() => operands.map((x) => wholeOf(shop, x)));
      return E.isLeft(wholes) ? Promise.resolve(wholes) : then(wholes.right)();
    };
  return {
    cholesky: (m) =>
      whole([m], ([a]) =>
        one(operationsOf.cholesky(m.shape[0]), { shape: m.shape, form: 'lower' }, () => own.cholesky(a)()),
      ),
    choleskySolve: (l, b) =>
      whole([l, b], ([a, c]) =>
        one(operationsOf.choleskySolve(l.shape[0], b.shape[1]), { shape: b.shape, form: 'full' }, () =>
          own.choleskySolve(a, c)(),
        ),
      ),
    inverse: (m) =>
      whole([m], ([a]) =>
        one(operationsOf.inverse(m.shape[0]), { shape: m.shape, form: 'symmetric' }, () => own.inverse(a)()),
      ),
    solve: (m, b) =>
      whole([m, b], ([a, c]) =>
        one(operationsOf.solve(m.shape[0]), { shape: b.shape, form: 'full' }, () => own.solve(a, c)()),
      ),
    eigh: (m) =>
      whole([m], ([a]) =>
        pipe(
          () =>
            queue.join({
              shop,
              operations: operationsOf.eigh(m.shape[0]),
              results: [
                { shape: [m.shape[0]], form: 'full' },
                { shape: m.shape, form: 'full' },
              ],
              run: TE.map(({ values, vectors }: SymmetricEigen<Tensor>) => [values, vectors])(() => own.eigh(a)()),
            }),
          TE.map(([values, vectors]) => ({ values, vectors })),
        ),
      ),
  };
};
