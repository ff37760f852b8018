/**
 * Computing with host data on a backend, in a scope.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
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
