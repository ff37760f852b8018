/**
 * A learner that changes, for those who come from PyTorch: `zeroGrad`, `backward`, `step`.
 *
 * @module
 */
import { newIORef } from 'fp-ts/lib/IORef.js';

import { raise } from '../../core/errors.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Arrays } from './given.ts';
import type { Learner } from './learner.ts';

/** The one thing here that changes: whoever holds it has the last value. */
export interface TorchLike {
  /** Forgets the examples that were looked at. */
  readonly zeroGrad: () => void;
  /** Looks at some examples: those since `zeroGrad` are one batch, as gradients add up there. */
  readonly backward: (examples: Arrays) => void;
  /** One step on all examples that were looked at. */
  readonly step: () => Promise<number>;
  /** Goes on with another optimizer, that remembers the same. */
  readonly setOptimizer: (optimizer: Optimizer) => void;
  /** The network as it is now: a value, which later steps leave as it is. */
  readonly network: () => Learner;
}

/**
 * A shell with a state around a learner. A gradient is the mean over all examples since `zeroGrad`, where PyTorch has the sum of
 * the means of its batches; the curvature is looked at on the same.
 *
 * @param start - before the first step
 * @returns `step` gives the mean loss of the examples before it
 * @example
 * ```ts
 * import { dense, squaredError } from 'kfac-ts/core';
 * import { learner, torchLike } from 'kfac-ts/pipelines';
 *
 * const optimizer = torchLike(await learner(dense({ in: 1, out: 1 }), { inputs: [1], loss: squaredError }));
 * for (let i = 0; i < 40; i += 1) {
 *   optimizer.zeroGrad();
 *   optimizer.backward({ inputs: [[0], [1]], targets: [1, 3] });
 *   await optimizer.step();
 * }
 * optimizer.network().steps; // => 40
 * ```
 */
export const torchLike = (start: Learner): TorchLike => {
  const current = newIORef(start)();
  const seen = newIORef<ReadonlyArray<Arrays>>([])();
  const busy = newIORef(false)();
  const stepped = async (batches: ReadonlyArray<Arrays>): Promise<number> => {
    busy.write(true)();
    try {
      const next = await current.read().step({ batches });
      current.write(next)();
      return next.metrics['loss'];
    } finally {
      busy.write(false)();
    }
  };
  const refuse = (expected: string, actual: string): never =>
    raise({ _tag: 'BadConfig', path: 'torchLike.step', expected, actual });
  return {
    zeroGrad: seen.write([]),
    backward: (examples) => seen.modify((before) => [...before, examples])(),
    step: async () => {
      const batches = seen.read();
      if (busy.read()) return refuse('a step that has ended: await each', 'a step that is under way');
      if (batches.length === 0) return refuse('examples: call backward first', 'none since zeroGrad');
      return stepped(batches);
    },
    setOptimizer: (optimizer) => current.modify((before) => before.with(optimizer))(),
    network: current.read,
  };
};
