/**
 * What happened in a run, in sentences that say what to do about it: from the numbers of its steps alone.
 *
 * @module
 */
import { kinds } from './happenings.ts';
import type { SeenStep } from './seenSteps.ts';

/** Numbers that several groups of parameters, or players, report under their names: `head.damping`. */
const shared = /^(.+)\.(damping|rejected|klScale|clipScale|normScale|slopeScale|solveConverged|predictedChange)$/;

const labelsIn = (history: ReadonlyArray<SeenStep>): ReadonlyArray<string> => [
  ...new Set(
    history.flatMap(({ metrics }) =>
      Object.keys(metrics).flatMap((name) => {
        const [, label] = shared.exec(name) ?? [];
        return label === undefined || label === 'raisedDamping' || label.includes('raisedDamping.') ? [] : [label];
      }),
    ),
  ),
];

/** The numbers of one group under their own names. */
const ofLabel = (history: ReadonlyArray<SeenStep>, label: string): ReadonlyArray<SeenStep> =>
  history.map(({ step, metrics }) => ({
    step,
    metrics: Object.fromEntries(
      Object.entries(metrics).flatMap(([name, value]) =>
        name.startsWith(`${label}.`) ? [[name.slice(label.length + 1), value]] : [],
      ),
    ),
  }));

/**
 * Sentences about what happened in a run that its loss does not say: λ that rose, and why; steps that were not taken; clips
 * that shortened steps; solvers that did not converge. Empty where nothing of the kind did.
 *
 * @param history - steps, in order
 * @example
 * ```ts
 * import { accountOf } from 'kfac-ts/pipelines';
 *
 * const steps = [0, 1, 0, 1, 0, 0].map((rejected, i) => ({ step: i + 1, metrics: { loss: 1, rejected } }));
 * accountOf(steps).length; // => 1
 * accountOf(steps)[0].startsWith('2 of 6 steps were not taken'); // => true
 * ```
 */
export const accountOf = (history: ReadonlyArray<SeenStep>): ReadonlyArray<string> => [
  ...kinds.flatMap(({ about }) => about(history)),
  ...labelsIn(history).flatMap((label) =>
    kinds.flatMap(({ about }) => about(ofLabel(history, label))).map((sentence) => `${label}: ${sentence}`),
  ),
];
