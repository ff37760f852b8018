/**
 * Losses that know their targets.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';
import { tensor } from '../../tensor.ts';
import type { Loss } from './loss.ts';
import { scoreOf } from './score.ts';

/**
 * A loss whose targets are the same for every example, whatever a batch says: those of a discriminator, for which the first
 * column is of the data and the second of what is made, and those of who makes it.
 *
 * @param loss - any
 * @param targets - one for each of the outputs `[n, k]`
 * @example
 * ```ts
 * import { referenceBackend, sigmoidCrossEntropy, tensor, towards } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const telling = towards(sigmoidCrossEntropy, [1, 0]);
 * const logits = tensor([0, 0], [1, 2]);
 * telling.gradient(ops, logits, logits).data; // => [-0.5, 0.5]
 * ```
 */
export const towards = (loss: Loss, targets: ReadonlyArray<number>): Loss => {
  const known = <T extends Shaped>(ops: Ops<T>, outputs: T): T =>
    ops.broadcastTo(ops.constant(tensor(targets, [1, targets.length])), [outputs.shape[0], targets.length]);
  return {
    name: loss.name,
    ...(loss.positions === undefined ? {} : { positions: loss.positions }),
    value: (ops, outputs, _targets, weights) => loss.value(ops, outputs, known(ops, outputs), weights),
    gradient: (ops, outputs) => loss.gradient(ops, outputs, known(ops, outputs)),
    sample: loss.sample,
    score: (ops, key, outputs) => scoreOf(ops, loss, key, outputs),
    hessianProduct: loss.hessianProduct,
    squareRoot: loss.squareRoot,
  };
};
