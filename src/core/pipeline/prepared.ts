/**
 * What a preparation gives: an operator, and what there is to say of it.
 *
 * @module
 */
import type { LinearOperator } from '../operators/linearOperator.ts';

/** What a preparation gives that says something of itself. */
export interface Prepared<T> {
  readonly operator: LinearOperator<T>;
  /** Scalars of shape `[]` or plain numbers, reported in the step that uses them first. */
  readonly metrics: Readonly<Record<string, T | number>>;
}
