/**
 * What a training run tells those who listen: plain numbers, never arrays of the backend.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';

import type { Metrics } from '../../core/pipeline/metrics.ts';
import type { Evaluation } from './evaluate.ts';

/** One step. */
export interface StepRecord {
  /** Steps done, this one included. */
  readonly step: number;
  /** Training time so far: without data loading and evaluation. */
  readonly seconds: number;
  /** Mean loss over the batch, at the parameters that the step began with. */
  readonly loss: number;
  /** Everything that the step reports, the loss included. */
  readonly metrics: Metrics;
}

/** One evaluation on the test examples. */
export interface EvaluationRecord extends Evaluation {
  /** Steps done before. */
  readonly step: number;
  /** Training time so far. */
  readonly seconds: number;
}

/** What happened. */
export type TrainEvent =
  ({ readonly event: 'step' } & StepRecord) | ({ readonly event: 'evaluation' } & EvaluationRecord);

/** Someone who is told. */
export type Listener = (event: TrainEvent) => IO.IO<void>;
