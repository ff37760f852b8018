/**
 * Runs that went nowhere: every step of theirs was a step of nothing.
 *
 * @module
 */
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { StepRecord } from '../trainer/events.ts';

/** A run by its steps. */
interface Stepped {
  readonly optimizer: Optimizer;
  readonly result: { readonly history: ReadonlyArray<StepRecord> };
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
 * A sentence about a run none of whose steps changed the parameters, or `null` for any other.
 *
 * @param outcome - what came of the run
 */
export const standstill = ({ optimizer, result }: Stepped): string | null => {
  const { history } = result;
  if (history.length === 0 || history.some(({ metrics }) => metrics['updateNorm'] !== 0)) return null;
  const { metrics } = history[history.length - 1];
  const numbers = Object.entries(causes).flatMap(([name, words]) =>
    Object.hasOwn(metrics, name) ? [`${words} ${metrics[name]}`] : [],
  );
  return `${optimizer.name}: no step was taken, the parameters are those of the beginning (${numbers.join(', ')}).`;
};
