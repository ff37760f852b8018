/**
 * A run between two steps as plain data in host memory: all that it takes to go on from there, in this process or in another,
 * as if training had never ended.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Watch } from './earlyStopping.ts';
import { firstDifference } from './difference.ts';
import type { EvaluationRecord, StepRecord } from './events.ts';

/** The loss on a few training examples before the first step. */
export interface Origin {
  /** How many examples, the first ones of the training set. */
  readonly examples: number;
  readonly before: number;
}

/** What must be the same where a run goes on. */
export interface RunIdentity {
  readonly task: string;
  readonly optimizer: string;
  /** Those of the optimizer, as JSON has them. */
  readonly settings: unknown;
  readonly batch: number;
  readonly seed: number;
  /** Training examples. */
  readonly examples: number;
}

/** A run between two steps. */
export interface Snapshot {
  readonly of: RunIdentity;
  readonly state: TrainState<Tensor>;
  /** Training time so far. */
  readonly seconds: number;
  readonly history: ReadonlyArray<StepRecord>;
  readonly evaluations: ReadonlyArray<EvaluationRecord>;
  /** What early stopping remembers. */
  readonly watch: Watch;
  /** `null` where nobody has looked. */
  readonly origin: Origin | null;
}

/** Between two steps. */
export interface Moment {
  /** Steps done. */
  readonly step: number;
  /** Training time so far. */
  readonly seconds: number;
  /** Whether no step follows. */
  readonly isLast: boolean;
}

/** Who keeps what a run has come to while it goes on. */
export interface Saving {
  /** Whether to save here. */
  readonly isDue: (moment: Moment) => boolean;
  /** Training waits until it is done, and fails where it does. */
  readonly save: (snapshot: Snapshot, moment: Moment) => TE.TaskEither<KfacError, unknown>;
}

/**
 * A snapshot that a run can go on from, or the first thing in which the two differ.
 *
 * @param identity - what the run is of
 * @param snapshot - of another run
 */
export const resumable = (identity: RunIdentity, snapshot: Snapshot): E.Either<KfacError, Snapshot> => {
  const found = firstDifference(identity, snapshot.of);
  return found === null
    ? E.right(snapshot)
    : E.left({
        _tag: 'BadCheckpoint',
        source: `checkpoint of step ${snapshot.state.step}`,
        expected: `${found.path} ${found.ours}, as in the run that goes on from it`,
        actual: found.theirs,
      });
};
