/**
 * Computing with host data on a backend, in a scope.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { FloatType } from '../../core/random/uniform.ts';
import { firstOutside, largestFloat } from '../../core/rows.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { checkTensor } from '../../core/tensor.ts';

/**
 * Host tensors that are what they say, all of them; raises what the first is not.
 *
 * @param what - what errors call each: `parameter`
 * @param tensors - tensors by path
 */
export const checkTensors = (what: string, tensors: Params<Tensor>): Params<Tensor> =>
  mapParams(tensors, (tensor, path) => checkTensor(`${what} ${path}`, tensor));

/**
 * Host tensors on a backend, checked, since they may have been put together by hand.
 *
 * @param ops - the backend's operations
 * @param what - what errors call each: `parameter`
 * @param tensors - tensors by path
 */
export const placed = <T extends Shaped>(ops: Ops<T>, what: string, tensors: Params<Tensor>): Params<T> =>
  mapParams(checkTensors(what, tensors), (tensor) => ops.constant(tensor));

/**
 * Parameters that a precision holds, or the first that it does not.
 *
 * @param dtype - the precision
 * @param params - by path
 * @param advice - what to do about another
 */
export const finiteParams = (
  dtype: FloatType,
  params: Params<Tensor>,
  advice: string,
): E.Either<KfacError, Params<Tensor>> =>
  pipe(
    Object.entries(params),
    E.traverseArray(([path, { data }]): E.Either<KfacError, unknown> => {
      const at = firstOutside(data, -largestFloat[dtype], largestFloat[dtype]);
      return at < 0
        ? E.right(null)
        : E.left({
            _tag: 'BadData',
            source: `parameter ${path}`,
            expected: `finite numbers that ${dtype} holds`,
            actual: `${data[at]} at position ${at}`,
            advice,
          });
    }),
    E.map(() => params),
  );

/**
 * Uses a backend whose temporaries are handed back afterwards, whatever the outcome.
 *
 * @param backend - where to compute
 * @param use - what to do; nothing of the scope may be in its result
 */
export const inScope =
  <T extends Shaped, A>(
    backend: Backend<T>,
    use: (scoped: Backend<T>) => TE.TaskEither<KfacError, A>,
  ): TE.TaskEither<KfacError, A> =>
  async () => {
    const scope = backend.scope();
    const outcome = await use(scope.backend)();
    scope.close([]);
    return outcome;
  };
