/**
 * The environment of a step: capabilities as a record, so that tests replace any of them.
 *
 * @module
 */
import type { Backend } from '../backends/backend.ts';
import type { Shaped } from '../tensor.ts';
import type { Background } from './background.ts';

/** What a stage may use. */
export interface Env<T extends Shaped> {
  readonly backend: Backend<T>;
  /** Seconds on a clock that only moves forward. */
  readonly clock: () => number;
  /** Where work runs beside the steps; without it such work is done when its outcome is wanted. */
  readonly background?: Background<T>;
  /** Of how many examples batches are made, again and again; without it each is taken for one that is seen once. */
  readonly examples?: number;
}
