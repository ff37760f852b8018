/**
 * What a network is trained on.
 *
 * @module
 */
import type { Loss } from '../nn/losses/loss.ts';
import type { Model } from '../nn/model.ts';

/** Outputs of a model, judged by a loss. */
export interface Objective {
  readonly model: Model;
  readonly loss: Loss;
}
