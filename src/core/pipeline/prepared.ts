/**
 * What a preparation gives: an operator, what there is to say of it, and what is to be remembered beside it.
 *
 * @module
 */
import type { LinearOperator } from '../operators/linearOperator.ts';
import type { Params } from '../params.ts';

/** What a preparation gives. */
export interface Prepared<T> {
  readonly operator: LinearOperator<T>;
  /** Scalars of shape `[]` or plain numbers, reported in the step that uses them first. */
  readonly metrics: Readonly<Record<string, T | number>>;
  /** Memory of the solver that begins anew with this preparation, by name. */
  readonly slots?: Readonly<Record<string, Params<T>>>;
}
