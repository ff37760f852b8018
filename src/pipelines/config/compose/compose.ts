/**
 * Optimizers from configuration: one of parts, or one of several for groups of the parameters.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../../core/errors.ts';
import type { Partition, PartitionGroup } from '../../../solvers/groups/partition.ts';
import { partition } from '../../../solvers/groups/partition.ts';
import type { GradientOptimizer } from '../../../solvers/presets/optimizer.ts';
import { optimizerOf } from '../../../solvers/presets/registry.ts';
import { decodeWith, decoder, named, nameText, setting, text, unknownSetting } from '../codecs/codecs.ts';
import { composed } from './composition.ts';
import { share } from './selections.ts';
import type { Row } from './setting.ts';
import { listOf, optional, orNone, record, required, row } from './setting.ts';

type Settings = Readonly<Record<string, number | boolean | string>>;

/** A group as it is written: an optimizer of parts is one already, a preset is a name that settings belong to. */
interface GivenGroup {
  readonly name: string;
  readonly parameters: PartitionGroup['parameters'];
  readonly optimizer: GradientOptimizer | string | null;
  readonly settings: Settings;
}

const presetOrParts: t.Type<GradientOptimizer | string> = decoder<GradientOptimizer | string>(
  'the name of a preset, or an optimizer of parts',
  (value, context) => (text.is(value) ? t.success(value) : ofParts.validate(value, context)),
);

/** A group of parameters in a partition. */
export const partitionGroup: Row<GivenGroup> = row(
  'Some of the parameters, and what moves them.',
  {
    name: required(nameText, 'names the memory of its optimizer; metrics that several groups report carry it'),
    parameters: required(share, 'which parameters; each of the model’s is in exactly one group'),
    optimizer: required(orNone(presetOrParts), 'what moves them; false leaves them as they are'),
    settings: optional(
      t.record(t.string, setting, 'a record of settings'),
      {},
      'changes of the preset’s settings',
      '{}',
    ),
  },
  (group) => group,
);

/** What is wrong with a preset or its settings, where it stands in the group. */
const misplaced = (
  { settings }: GivenGroup,
  name: string,
  error: KfacError,
  context: t.Context,
): E.Either<t.Errors, GradientOptimizer> => {
  if (error._tag !== 'BadConfig') return t.failure(name, context);
  if (error.path === 'optimizer') return t.failure(name, t.appendContext(context, 'optimizer', named(error.expected)));
  const key = error.path.slice(name.length + 1);
  const value = error.actual === 'an unknown setting' ? unknownSetting : settings[key];
  return t.failure(value, t.appendContext(context, `settings.${key}`, named(error.expected)));
};

const movedBy = (group: GivenGroup, context: t.Context): E.Either<t.Errors, GradientOptimizer | null> => {
  const { optimizer, settings } = group;
  if (typeof optimizer === 'string') {
    return pipe(
      optimizerOf(optimizer, settings),
      E.orElse((error) => misplaced(group, optimizer, error, context)),
    );
  }
  return Object.keys(settings).length === 0
    ? E.right(optimizer)
    : t.failure(settings, t.appendContext(context, 'settings', named('no settings without the name of a preset')));
};

const givenGroup = record('a record of a group', partitionGroup);

const group: t.Type<readonly [name: string, group: PartitionGroup]> = decoder(givenGroup.name, (value, context) =>
  pipe(
    givenGroup.validate(value, context),
    E.bindTo('given'),
    E.bind('optimizer', ({ given }) => movedBy(given, context)),
    E.map(({ given: { name, parameters }, optimizer }) => [name, { parameters, optimizer }] as const),
  ),
);

const groups = listOf('a list of groups', group);

const distinct: t.Type<Partition> = decoder<Partition>('a list of groups whose names differ', (value, context) =>
  pipe(
    groups.validate(value, context),
    E.chain((found) => {
      const made = Object.fromEntries(found);
      return found.length > 0 && Object.keys(made).length === found.length ? E.right(made) : t.failure(value, context);
    }),
  ),
);

/** An optimizer for each group of parameters. */
export const partitioned: Row<GradientOptimizer> = row(
  'An optimizer for each group of parameters, from one gradient. What bounds a norm does so over its own group.',
  {
    name: optional(nameText, 'partition', 'what reports call it'),
    groups: required(distinct, 'who moves which parameters'),
  },
  ({ name, groups: found }) => partition(found, name),
);

const ofGroups = record('a partition', partitioned);

/** An optimizer of one composition, or of several. */
const ofParts: t.Type<GradientOptimizer> = decoder('a record with a solver, or a partition', (value, context) => {
  if (!t.UnknownRecord.is(value) || !Object.hasOwn(value, 'kind')) return composed.validate(value, context);
  const { kind, ...rest } = value;
  return kind === 'partition'
    ? pipe(
        ofGroups.validate(rest, context),
        E.map((optimizer) => ({ ...optimizer, parts: value })),
      )
    : t.failure(kind, t.appendContext(context, 'kind', named('partition, or no kind for one optimizer of parts')));
});

/** An optimizer of parts where the name of a preset would do as well. */
export const composedOptimizer: t.Type<GradientOptimizer> = decoder(
  'the name of an optimizer, or a record with a solver',
  (value, context) => (t.UnknownRecord.is(value) ? ofParts.validate(value, context) : t.failure(value, context)),
);

/**
 * An optimizer from its parts as plain data, as a configuration file has them.
 *
 * @param value - `{ estimator, curvature, solver, update }`, see docs/optimizers.md
 * @returns the optimizer, or where the description is wrong and what was expected there
 * @example
 * ```ts
 * import { composeOptimizer } from 'kfac-ts/pipelines';
 *
 * const optimizer = composeOptimizer({
 *   estimator: { kind: 'exact' },
 *   curvature: 'kfac',
 *   solver: { kind: 'eigen', damping: 0.1, every: 10 },
 *   update: { learningRate: 0.5, rules: [{ kind: 'momentum', mu: 0.9 }] },
 * });
 * optimizer._tag; // => 'Right'
 * ```
 */
export const composeOptimizer = (value: unknown): E.Either<KfacError, GradientOptimizer> =>
  decodeWith(composedOptimizer, (path) => (path === '' ? 'optimizer' : `optimizer.${path}`), value);
