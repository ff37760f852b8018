/**
 * A network's parameters among those of a task, in which others play or judge.
 *
 * @module
 */
import type { Model } from '../../../core/nn/model.ts';
import type { Params } from '../../../core/params.ts';
import { pickParams } from '../../../core/params.ts';
import type { Standing } from '../../trainer/learning.ts';

/**
 * Parameters of a model among those of a task.
 *
 * @param model - whose parameters
 * @param standing - all of them
 */
export const ownParams = <T>({ layer }: Model, { params, held }: Pick<Standing<T>, 'params' | 'held'>): Params<T> =>
  pickParams(
    { ...held, ...params },
    layer.parameters('').map(({ path }) => path),
  );
