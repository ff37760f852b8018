/**
 * Whether a run can go on from where it stands: a parameter that is not finite, or an average that is not a number, never
 * becomes one again.
 *
 * @module
 */
import { arraysAt } from '../../core/pipeline/arraysIn.ts';
import { largestMagnitude } from '../../core/rows.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Snapshot } from './snapshot.ts';

const isFinite = ({ data }: Tensor): boolean => largestMagnitude(data) < Infinity;

const isNumbers = ({ data }: Tensor): boolean => !Number.isNaN(largestMagnitude(data));

/**
 * Which array of a snapshot is not finite, by the fields that lead to it; `null` where all are.
 *
 * @param snapshot - a run between two steps
 */
export const unsound = ({ state }: Pick<Snapshot, 'state'>): string | null => {
  const broken = Object.keys(state.params).find((path) => !isFinite(state.params[path]));
  if (broken !== undefined) return broken;
  const spoilt = arraysAt<Tensor>(state).find(([array]) => !isNumbers(array));
  return spoilt === undefined ? null : spoilt[1].join('.');
};
