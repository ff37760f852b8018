/**
 * Settings of parts as data: a codec with what it is for, and tables of parts by kind.
 *
 * A part is one row: description, settings, how it is made. Checking, error messages and the reference page all follow
 * from the row, so none of them can fall behind it.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { Setting as Known } from '../../../solvers/settings/setting.ts';
import { codecOf, decoder, oneOf, unknownSetting } from '../codecs/codecs.ts';

/** What the reference page says of a setting. */
export interface About {
  readonly description: string;
  /** What is accepted, as the end of "expected …". */
  readonly expected: string;
  /** Its default; empty where it must be given. */
  readonly standard: string;
  /** What reads a value where one is given. */
  readonly codec: t.Mixed;
}

/** A codec of one setting. */
export type Setting<A> = t.Type<A> & { readonly about: About };

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * A setting with a default.
 *
 * @param codec - what is accepted
 * @param standard - the default
 * @param description - what it is for, with its symbol and unit
 * @param show - the default in words
 */
export const optional = <A>(
  codec: t.Type<A>,
  standard: A,
  description: string,
  show: string = shown(standard),
): Setting<A> =>
  Object.assign(
    new t.Type<A>(
      codec.name,
      codec.is,
      (value, context) => (value === undefined ? t.success(standard) : codec.validate(value, context)),
      t.identity,
    ),
    { about: { description, expected: codec.name, standard: show, codec } },
  );

/**
 * A setting of the table that presets take theirs from.
 *
 * @param of - range, default and meaning
 */
export const known = <A>({ range, standard, meaning }: Known<A>): Setting<A> =>
  optional(codecOf(range), standard, meaning);

/** A setting that must be given. */
export const required = <A>(codec: t.Type<A>, description: string): Setting<A> =>
  Object.assign(new t.Type<A>(codec.name, codec.is, codec.validate, t.identity), {
    about: { description, expected: codec.name, standard: '', codec },
  });

/** A part: what the reference page says of it, and how it is made of settings. */
export interface Row<Made> {
  readonly description: string;
  readonly settings: Readonly<Record<string, About>>;
  readonly validate: t.Validate<unknown, Made>;
}

/** Parts by kind. */
export type Table<Made> = Readonly<Record<string, Row<Made>>>;

/** How values that a codec takes are put together of others: what writes configurations goes by it. */
export type Structure =
  | { readonly _tag: 'part'; readonly table: () => Table<unknown> }
  | { readonly _tag: 'record'; readonly row: Row<unknown> }
  | { readonly _tag: 'either'; readonly of: ReadonlyArray<t.Mixed> };

/** A codec of values that are put together of others. */
export interface Structured {
  readonly structure: Structure;
}

/** A codec with its structure. */
export const structured = <A>(structure: Structure, codec: t.Type<A>): t.Type<A> & Structured =>
  Object.assign(new t.Type(codec.name, codec.is, codec.validate, codec.encode), { structure });

/** Settings of a row, each a codec that says what it is for. */
export type Settings = Readonly<Record<string, t.Mixed & { readonly about: About }>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => t.UnknownRecord.is(value);

/** The first key that is not known, as a failure; a codec of the names says what is. */
const unknownKey = (
  value: Readonly<Record<string, unknown>>,
  known: ReadonlyArray<string>,
  context: t.Context,
): E.Either<t.Errors, unknown> => {
  const key = Object.keys(value).find((name) => !known.includes(name));
  return key === undefined ? E.right(value) : t.failure(unknownSetting, t.appendContext(context, key, oneOf(known)));
};

/**
 * A row of a table.
 *
 * @param description - one sentence
 * @param settings - by name
 * @param make - the part, from settings that are all there
 */
export const row = <P extends Settings, Made>(
  description: string,
  settings: P,
  make: (settings: t.TypeOfProps<P>) => Made,
): Row<Made> => {
  const codec = t.type(settings);
  return {
    description,
    settings: Object.fromEntries(Object.entries(settings).map(([name, { about }]) => [name, about])),
    validate: (value, context) => pipe(codec.validate(value, context), E.map(make)),
  };
};

const isNumeric = (text: string): boolean => text.trim() !== '' && !Number.isNaN(Number(text));

/** The kind of a part and its settings, from a record, or from a word that sets nothing. */
const split = (value: unknown): readonly [kind: unknown, settings: Readonly<Record<string, unknown>>] | null => {
  if (typeof value === 'string') return [value, {}];
  if (!isRecord(value)) return null;
  const { kind, ...settings } = value;
  return [kind, settings];
};

/**
 * A part of some kind: `{ kind, …settings }`, or the kind alone.
 *
 * @param name - what it is, for errors about values that are no part at all
 * @param table - parts by kind
 */
export const partIn = <Made>(name: string, table: () => Table<Made>): t.Type<Made> & Structured =>
  structured(
    { _tag: 'part', table },
    decoder(name, (value, context) => {
      const found = split(value);
      if (found === null) return t.failure(value, context);
      const [kind, settings] = found;
      // A number in quotes is no kind of anything.
      if (typeof value === 'string' && isNumeric(value)) return t.failure(value, context);
      const kinds = Object.keys(table());
      if (typeof kind !== 'string' || !Object.hasOwn(table(), kind)) {
        return t.failure(kind, t.appendContext(context, 'kind', oneOf(kinds)));
      }
      const part = table()[kind];
      return pipe(
        unknownKey(settings, ['kind', ...Object.keys(part.settings)], context),
        E.chain(() => part.validate(settings, context)),
      );
    }),
  );

/** A record of settings without a kind. */
export const record = <Made>(name: string, part: Row<Made>): t.Type<Made> & Structured =>
  structured(
    { _tag: 'record', row: part },
    decoder(name, (value, context) =>
      isRecord(value)
        ? pipe(
            unknownKey(value, Object.keys(part.settings), context),
            E.chain(() => part.validate(value, context)),
          )
        : t.failure(value, context),
    ),
  );

/**
 * A record of settings that all have defaults, in a setting that need not be given.
 *
 * @param part - the settings
 * @param show - the defaults in words
 */
export const group = <Made>(part: Row<Made>, show: string): Setting<Made> => {
  const inner = record('a record of settings', part);
  return Object.assign(
    new t.Type<Made>(
      inner.name,
      inner.is,
      (value, context) => inner.validate(value === undefined ? {} : value, context),
      t.identity,
    ),
    { about: { description: part.description, expected: inner.name, standard: show, codec: inner } },
  );
};

/** A list of parts. */
export const listOf = <Made>(name: string, item: t.Type<Made>): t.Type<ReadonlyArray<Made>> =>
  t.readonlyArray(item, name);

const none = t.literal(false);

/** What is accepted, or `false` and `null` for nothing. */
export const orNone = <A>(codec: t.Type<A>): t.Type<A | null> & Structured =>
  structured(
    { _tag: 'either', of: [none, codec] },
    new t.Type<A | null>(
      `${codec.name}, or false`,
      (value): value is A | null => value === null || codec.is(value),
      (value, context) => (value === false || value === null ? t.success(null) : codec.validate(value, context)),
      t.identity,
    ),
  );

/** A record of settings, or `false` and `null` for nothing, which is what there is unless it is given. */
export const groupOrNone = <Made>(part: Row<Made>): Setting<Made | null> =>
  optional(orNone(record('a record of settings', part)), null, part.description, 'false');
