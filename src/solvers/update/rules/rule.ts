/**
 * Update rules: what happens to a direction before it changes the parameters.
 *
 * A rule maps a proposal to a direction, with memory of its own under its name in the training state. Rules run in
 * order; the empty list is plain descent.
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import type { Params } from '../../../core/params.ts';
import type { Shaped } from '../../../core/tensor.ts';

/** What a rule sees. */
export interface Proposal<T> {
  /** The direction so far; the parameters will change by −η times it. */
  readonly direction: Params<T>;
  /** Mean gradient of the batch. */
  readonly gradient: Params<T>;
  readonly params: Params<T>;
  /** η of this step. */
  readonly learningRate: number;
  /** What the rule remembered; `undefined` at first. */
  readonly memory: Params<T> | undefined;
}

/** What a rule gives. */
export interface Revision<T> {
  readonly direction: Params<T>;
  /** To be remembered; nothing when absent. */
  readonly memory?: Params<T>;
  readonly metrics?: Readonly<Record<string, T | number>>;
}

/** A change of the direction. */
export interface UpdateRule {
  /** Unique in an update; names the memory. */
  readonly name: string;
  readonly revise: <T extends Shaped>(ops: Ops<T>, proposal: Proposal<T>) => Revision<T>;
}
