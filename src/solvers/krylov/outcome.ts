/**
 * How an iteration ended, as data. Running out of iterations is an outcome, not an error.
 *
 * @module
 */
import type { Params } from '../../core/params.ts';

/** Where an iteration came to. */
export interface Reached<T> {
  /** Approximate solution. */
  readonly x: Params<T>;
  /** Iterations done. */
  readonly iterations: number;
  /**
   * ‖b − A x‖ / ‖b‖; 0 when b is 0. Computed from x where the iteration converged or stagnated. At other endings GMRES and
   * HSS compute it too; the other methods give what they carried along, which rounding may have led away from the truth.
   */
  readonly residual: number;
}

/**
 * How it ended. `Converged`: the residual, computed from x, fell to the tolerance. `IterationLimit`: it did not in time.
 * `Stagnation`: it does not fall any further in this precision. `Breakdown`: the method cannot go on from here, because
 * the operator is not of the kind that it needs or is singular; x is the best so far.
 */
export type Ending = 'Converged' | 'IterationLimit' | 'Stagnation' | 'Breakdown';

/** An ending with where it came to. */
export interface Outcome<T, Tag extends string = Ending> extends Reached<T> {
  readonly _tag: Tag;
}
