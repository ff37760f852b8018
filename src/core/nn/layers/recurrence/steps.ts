/**
 * Sequences as lists of steps.
 *
 * @module
 */
import type { Ops } from '../../../ops/ops.ts';
import type { Shaped } from '../../../tensor.ts';

/**
 * The positions of a sequence.
 *
 * By halves: the adjoint of a slice fills a box as large as its operand, so that slices of the whole would cost as many times
 * the sequence as it has positions, and halves cost its logarithm.
 *
 * @param ops - interpreter
 * @param x - `[n, t, d]`, t at least 1
 * @returns t arrays `[n, d]`
 */
export const stepsOf = <T extends Shaped>(ops: Ops<T>, x: T): ReadonlyArray<T> => {
  const [n, t, d] = x.shape;
  if (t === 1) return [ops.reshape(x, [n, d])];
  const half = Math.floor(t / 2);
  return [
    ...stepsOf(ops, ops.slice(x, [0, 0, 0], [n, half, d])),
    ...stepsOf(ops, ops.slice(x, [0, half, 0], [n, t - half, d])),
  ];
};

/**
 * Steps as a sequence.
 *
 * @param ops - interpreter
 * @param steps - at least one array `[n, d]`
 * @returns `[n, t, d]`
 */
export const fromSteps = <T extends Shaped>(ops: Ops<T>, steps: ReadonlyArray<T>): T =>
  ops.concat(
    steps.map((step) => ops.reshape(step, [step.shape[0], 1, step.shape[1]])),
    1,
  );
