/**
 * Makes the training loops of TensorFlow.js wait for steps that end shortly after `minimize`.
 *
 * @module
 */
import { Callback, registerCallbackConstructor } from '@tensorflow/tfjs-layers';

import type { AnyModel } from './network.ts';

/** What is waited for. */
interface Settling {
  readonly settled: () => Promise<void>;
}

/** Every optimizer of ours; TF.js takes anything with the methods of an optimizer for an instance of any of its classes. */
const optimizers = new WeakSet();
const models = new WeakSet();

const isOurs = (optimizer: unknown): optimizer is Settling =>
  typeof optimizer === 'object' && optimizer !== null && optimizers.has(optimizer);

const settled = async (optimizer: unknown): Promise<void> => {
  if (isOurs(optimizer)) await optimizer.settled();
};

/** Makes `fit` and `fitDataset` wait for each step. */
class Waiting extends Callback {
  override async onBatchEnd(): Promise<void> {
    await settled(this.model.optimizer);
  }
}

const registered = { done: false };

/**
 * From now on the loops of a model wait for the steps of an optimizer.
 *
 * @param optimizer - whose steps
 * @param model - whose loops
 */
export const awaited = (optimizer: Settling, model: AnyModel): void => {
  optimizers.add(optimizer);
  if (!registered.done) registerCallbackConstructor(0, Waiting); // level 0: whatever the verbosity
  registered.done = true;
  if (models.has(model)) return;
  models.add(model);
  const trainOnBatch = model.trainOnBatch.bind(model);
  model.trainOnBatch = async (...given) => {
    const losses = await trainOnBatch(...given);
    await settled(model.optimizer);
    return losses;
  };
};
