/**
 * The keys of a run: one for each kind of randomness, all from one seed.
 *
 * @module
 */
import type { Key } from '../../core/random/key.ts';
import { keyOf } from '../../core/random/key.ts';
import { split } from '../../core/random/split.ts';

/** Keys of all that is random in a run. */
export interface Keys {
  /** Initial parameters. */
  readonly params: Key;
  /** The order of examples. */
  readonly data: Key;
  /** The randomness of the steps. */
  readonly steps: Key;
}

/** The keys of a seed. */
export const keysOf = (seed: number): Keys => {
  const [params, data, steps] = split(keyOf(seed), 3);
  return { params, data, steps };
};
