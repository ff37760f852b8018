/**
 * Optimizers: ready-made training steps.
 *
 * A preset is a short composition of public parts; copy one and change it to get an optimizer of your own.
 *
 * @module
 */
import type { Step } from '../../core/pipeline/stage.ts';

/** A training step for any objective, with its settings for the record. */
export interface Optimizer {
  readonly name: string;
  /** Settings as numbers and words, for reports; schedules are described. */
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  /** What it is composed of, as plain data, where it is; a configuration can have it again. */
  readonly parts?: unknown;
  readonly step: Step;
}
