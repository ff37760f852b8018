/**
 * Runs that went nowhere: every step of theirs was a step of nothing.
 *
 * @module
 */
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Change } from '../trainer/conclude.ts';
import type { StepRecord } from '../trainer/events.ts';

/** A run by its steps. */
interface Stepped {
  readonly optimizer: Optimizer;
  readonly result: {
    readonly history: ReadonlyArray<StepRecord>;
    readonly change: Pick<Change, 'before' | 'after'>;
  };
}

/** Numbers of a step that may be why it did nothing, with the words for them. */
const causes: Readonly<Record<string, string>> = {
  learningRate: 'learning rate',
  klScale: 'KL scale',
  clipScale: 'clip scale',
  normScale: 'norm scale',
  directionNorm: 'norm of the direction',
};

/**
 * A sentence about a run none of whose steps changed the parameters, or not so that the loss would show it, as steps below
 * the precision do not; `null` for any other.
 *
 * @param outcome - what came of the run
 */
export const standstill = ({ optimizer, result }: Stepped): string | null => {
  const { history, change } = result;
  if (history.length === 0) return null;
  if (history.some(({ metrics }) => metrics['updateNorm'] !== 0)) {
    const largest = history.reduce((most, { metrics }) => Math.max(most, metrics['updateNorm'] ?? NaN), 0);
    const norm = Number.isFinite(largest) ? `, the largest with a norm of ${largest}` : '';
    return change.before === change.after
      ? `${optimizer.name}: the steps made no difference to the loss on the training examples that were looked at${norm}.`
      : null;
  }
  const { metrics } = history[history.length - 1];
  const numbers = Object.entries(causes).flatMap(([name, words]) =>
    Object.hasOwn(metrics, name) ? [`${words} ${metrics[name]}`] : [],
  );
  return `${optimizer.name}: no step was taken, the parameters are those of the beginning (${numbers.join(', ')}).`;
};
