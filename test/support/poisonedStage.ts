/**
 * A NaN where it is wanted: one array of what one stage adds, in one step.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import { arraysAt, isArray } from '../../src/core/pipeline/arraysIn.ts';
import type { Context, Field } from '../../src/core/pipeline/context.ts';
import type { Stage } from '../../src/core/pipeline/stage.ts';
import { inOrder } from '../../src/core/pipeline/stage.ts';
import type { Shaped } from '../../src/core/tensor.ts';
import type { GradientOptimizer } from '../../src/solvers/presets/optimizer.ts';

/** An array of what a stage adds. */
export interface Place {
  /** Position of the stage in the step. */
  readonly stage: number;
  /** Fields that lead to the array. */
  readonly path: ReadonlyArray<string>;
}

/** Fields of a step that hold its arrays, and no closure's or another's. */
const fields: ReadonlyArray<string> = [
  ...['state', 'sites', 'outputs', 'loss', 'siteCotangents', 'gradient', 'captured', 'operator', 'direction', 'next'],
  'metrics',
];

/** Looks at what a stage adds in a step, by the stage's position, and gives what goes on in its place. */
export type Look = <T extends Shaped>(stage: number, step: number, added: Context<T, Field>) => Context<T, Field>;

/** Stages in order with someone between them. */
const watched = <Needs extends Field, Adds extends Field>(step: Stage<Needs, Adds>, look: Look): Stage<Needs, Adds> => {
  const all = step as unknown as Stage<Field, Field>;
  const between = inOrder(
    (all.stages ?? [all]).map((each, i) => ({
      ...each,
      run: <T extends Shaped>(context: Context<T, Field>) =>
        pipe(
          each.run<T>(context),
          RTE.map((added) => look<T>(i, context.state.step, added)),
        ),
    })),
  );
  return between as unknown as Stage<Needs, Adds>;
};

/**
 * An optimizer with someone between its stages, in a whole step and in what comes after the gradient.
 *
 * @param optimizer - made of pipelines
 * @param look - between the stages
 */
export const lookedAt = (optimizer: GradientOptimizer, look: Look): GradientOptimizer => ({
  ...optimizer,
  step: watched(optimizer.step, look),
  descent: watched(optimizer.descent, look),
});

/** The arrays that a stage has added and that were not there before, each at its first place. */
export const placesOf = (stage: number, added: object, known: Set<unknown>): ReadonlyArray<Place> =>
  fields
    .filter((field) => field in added)
    .flatMap((field) => arraysAt<Shaped>((added as Record<string, unknown>)[field], [field]))
    .flatMap(([array, path]) => {
      if (known.has(array)) return [];
      known.add(array);
      return [{ stage, path }];
    });

const at = (value: unknown, [field, ...rest]: ReadonlyArray<string>): unknown =>
  field === undefined ? value : at((value as Record<string, unknown>)[field], rest);

/** The same plain data with another array wherever one stands. */
const replaced = (value: unknown, array: object, by: object): unknown => {
  if (value === array) return by;
  if (typeof value !== 'object' || value === null || isArray(value)) return value;
  if (Array.isArray(value)) return value.map((part: unknown) => replaced(part, array, by));
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, replaced(part, array, by)]));
};

/**
 * What a stage has added with a NaN in one of its arrays, wherever that stands.
 *
 * @param added - by the stage
 * @param path - fields that lead to the array
 * @param spoil - a copy with a NaN
 */
export const poisoned = <T extends Shaped>(
  added: Context<T, Field>,
  path: ReadonlyArray<string>,
  spoil: (array: Shaped) => Shaped,
): Context<T, Field> => {
  const array = at(added, path) as Shaped;
  return replaced(added, array, spoil(array)) as Context<T, Field>;
};
