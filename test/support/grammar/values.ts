/**
 * Values that a codec of a configuration takes, generated from what the codec says of itself.
 *
 * A setting, a part or a kind of part that is added to a table is generated without a word here; a codec of a new sort is an
 * error that names it.
 *
 * @module
 */
import fc from 'fast-check';
import * as t from 'io-ts';

import type { Row, Structured, Table } from '../../../src/pipelines/config/compose/setting.ts';
import { numbersIn } from './numbers.ts';

/** What is known where a value is generated. */
export interface Here {
  /** What texts stand for: paths of sites and parameters. */
  readonly texts: fc.Arbitrary<string>;
  /** How many more parts may stand within each other. */
  readonly depth: number;
}

type Settings = Row<unknown>['settings'];

const isStructured = (codec: unknown): codec is Structured =>
  typeof codec === 'object' && codec !== null && 'structure' in codec;

/** Whether a value of the codec must hold a part. */
const nests = (codec: unknown): boolean => {
  if (codec instanceof t.ReadonlyArrayType) return nests(codec.type);
  if (!isStructured(codec)) return false;
  const { structure } = codec;
  return structure._tag === 'either' ? structure.of.every(nests) : true;
};

/**
 * Records of settings: those that must be given, and mostly at most three others, seldom any number. Where everything is
 * unusual, little is seen of each; where few settings meet, little of what they do to each other.
 *
 * @param settings - by name
 * @param here - texts and depth
 */
export const recordsOf = (settings: Settings, here: Here): fc.Arbitrary<Readonly<Record<string, unknown>>> => {
  const needed = Object.keys(settings).filter((name) => settings[name].standard === '');
  // Parts within parts of their own kind end where there is no depth left.
  const names = Object.keys(settings).filter(
    (name) => here.depth >= 0 || needed.includes(name) || !nests(settings[name].codec),
  );
  const others = names.filter((name) => !needed.includes(name));
  const values = Object.fromEntries(names.map((name) => [name, valuesOf(settings[name].codec, here)]));
  const atMost = (maxLength: number): fc.Arbitrary<ReadonlyArray<string>> =>
    fc.noBias(fc.subarray(others, { maxLength: Math.min(maxLength, others.length) }));
  return fc
    .oneof({ weight: 3, arbitrary: atMost(3) }, { weight: 1, arbitrary: atMost(others.length) })
    .chain((chosen) => fc.record(Object.fromEntries([...needed, ...chosen].map((name) => [name, values[name]]))));
};

/**
 * Parts of a table.
 *
 * @param table - parts by kind
 * @param here - texts and depth
 * @param among - the kinds that there may be, all unless given
 */
export const partsOf = (
  table: Table<unknown>,
  here: Here,
  among: ReadonlyArray<string> = Object.keys(table),
): fc.Arbitrary<unknown> => {
  const within = { ...here, depth: here.depth - 1 };
  const kinds = Object.entries(table).filter(
    ([kind, { settings }]) =>
      among.includes(kind) &&
      (here.depth > 0 || !Object.values(settings).some(({ codec, standard }) => standard === '' && nests(codec))),
  );
  return fc.oneof(
    ...kinds.map(([kind, { settings }]) =>
      recordsOf(settings, within).map((rest) => (Object.keys(rest).length === 0 ? kind : { kind, ...rest })),
    ),
  );
};

const wordsIn = /^one of (.*)$/;

/** Values of a codec that is not put together of others. */
const plain = (codec: unknown, here: Here): fc.Arbitrary<unknown> => {
  if (codec instanceof t.LiteralType) return fc.constant(codec.value);
  if (codec instanceof t.ReadonlyArrayType) return fc.array(valuesOf(codec.type, here), { maxLength: 3 });
  if (codec instanceof t.DictionaryType)
    return fc.dictionary(here.texts, valuesOf(codec.codomain, here), { maxKeys: 2 });
  if (!(codec instanceof t.Type)) throw new Error('what says which values there are is no codec');
  const numbers = numbersIn(codec.name);
  if (numbers !== null) return numbers;
  const words = wordsIn.exec(codec.name);
  if (words !== null) return fc.constantFrom(...words[1].split(', '));
  switch (codec.name) {
    case 'true or false':
      return fc.boolean();
    case 'text':
      return here.texts;
    case 'a name of at most 64 letters, digits and dashes':
      return fc.constantFrom('a', 'first-2', 'Name_of_it');
    default:
      throw new Error(`${codec.name}: say in test/support/grammar which values there are`);
  }
};

/**
 * Values of a codec.
 *
 * @param codec - of a setting
 * @param here - texts and depth
 */
export const valuesOf = (codec: unknown, here: Here): fc.Arbitrary<unknown> => {
  if (!isStructured(codec)) return plain(codec, here);
  const { structure } = codec;
  switch (structure._tag) {
    case 'part':
      return partsOf(structure.table(), here);
    case 'record':
      return recordsOf(structure.row.settings, here);
    case 'either': {
      const flat = structure.of.filter((one) => !nests(one));
      const of = here.depth > 0 || flat.length === 0 ? structure.of : flat;
      return fc.oneof(...of.map((one) => ({ weight: nests(one) ? 2 : 1, arbitrary: valuesOf(one, here) })));
    }
  }
};
