/**
 * What rules that measure take together: each parameter array, each layer, or the whole.
 *
 * @module
 */
import * as NEA from 'fp-ts/lib/NonEmptyArray.js';

import type { Params } from '../../../core/params.ts';
import { pickParams } from '../../../core/params.ts';

/** Whose lengths are taken: those of each parameter array, those of each layer, or the one of the whole. */
export const graftings = ['parameter', 'layer', 'whole'] as const;

/** What is taken together. */
export type Grafting = (typeof graftings)[number];

/** The layer of a parameter: its path without the parameter's own name. */
const layerOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** What each kind takes together. */
const groupOf: Readonly<Record<Grafting, (path: string) => string>> = {
  parameter: (path) => path,
  layer: layerOf,
  whole: () => '',
};

/**
 * Parameters changed group by group, in their own order whatever the groups.
 *
 * @param by - what is taken together
 * @param params - parameters
 * @param change - of those of one group
 */
export const byGroup = <T>(by: Grafting, params: Params<T>, change: (group: Params<T>) => Params<T>): Params<T> => {
  const paths = Object.keys(params);
  const groups = Object.values(NEA.groupBy(groupOf[by])(paths));
  const changed = groups.reduce<Params<T>>((made, group) => ({ ...made, ...change(pickParams(params, group)) }), {});
  return pickParams(changed, paths);
};
