/**
 * Runs that have ended, as reports know them: what came of them without their states, which are large.
 *
 * @module
 */
import { describeError } from '../../core/errors.ts';
import { isOfNumbers } from '../../core/pipeline/diagnosis.ts';
import type { Failed, Finished } from '../experiment.ts';
import type { TrainResult } from '../trainer/conclude.ts';
import type { EvaluationRecord, StepRecord, TrainEvent } from '../trainer/events.ts';
import { standstill } from './standstill.ts';
import { showNumber } from './table.ts';

/** A run that came to its end. */
export interface Completed extends Omit<Finished, 'result'> {
  readonly result: Omit<TrainResult, 'state'>;
}

/** A run that has ended, one way or the other. */
export type Ended = Completed | Failed;

/** Steps and evaluations of a run, in the order of the steps. */
export interface Course {
  readonly history: ReadonlyArray<StepRecord>;
  readonly evaluations: ReadonlyArray<EvaluationRecord>;
}

/** The course of a run, as far as it went. */
export const courseOf = (ended: Ended): Course => {
  if (ended._tag === 'Finished') return ended.result;
  const isStep = (event: TrainEvent): event is TrainEvent & StepRecord => event.event === 'step';
  const isEvaluation = (event: TrainEvent): event is TrainEvent & EvaluationRecord => event.event === 'evaluation';
  return { history: ended.events.filter(isStep), evaluations: ended.events.filter(isEvaluation) };
};

/** A word for how a run failed. */
export const failureWord = ({ error }: Failed): string => (isOfNumbers(error) ? 'diverged' : 'failed');

/** Whether the loss is larger after training than before. */
export const isAboveStart = ({ result: { change, steps } }: Completed): boolean =>
  steps > 0 && change.after > change.before;

/**
 * What there is to say of a run besides its numbers, in sentences: that it failed, went nowhere, or ended above its start.
 *
 * @param ended - a run that has ended
 */
export const remarksOn = (ended: Ended): ReadonlyArray<string> => {
  const { name } = ended.optimizer;
  if (ended._tag === 'Failed') return [`${name} ${failureWord(ended)}. ${describeError(ended.error)}`];
  const { change } = ended.result;
  const still = standstill(ended);
  const examples = `the first ${change.examples.toLocaleString('en-US')} training examples`;
  return [
    ...(still === null ? [] : [still]),
    ...(isAboveStart(ended)
      ? [
          `${name} ended above its start: the loss on ${examples} was ${showNumber(change.before)} before the first step ` +
            `and ${showNumber(change.after)} after the last.`,
        ]
      : []),
    ...(ended.unseen === null ? [] : [`${name}: there is no preview. ${describeError(ended.unseen)}`]),
  ];
};
