/**
 * What a model demands of the arrays that it is given, beyond their shapes.
 *
 * @module
 */
import type { Admissible } from './admissible.ts';
import { lengthsOf, lengthsUpTo } from './lengths.ts';
import { lookupsOf, rowsOfTable } from './lookups.ts';
import type { Model } from './model.ts';

/** An array of a batch, and which numbers it may hold. */
export interface ModelDemand {
  readonly array: string;
  readonly admits: () => Admissible;
}

/**
 * Indices that a model's tables have, and lengths that its sequences can have.
 *
 * @param described - the model
 */
export const demandsOfModel = (described: Model): ReadonlyArray<ModelDemand> => [
  ...lookupsOf(described).map((lookup) => ({ array: lookup.array, admits: () => rowsOfTable(lookup) })),
  ...lengthsOf(described).map((lengths) => ({ array: lengths.array, admits: () => lengthsUpTo(lengths) })),
];
