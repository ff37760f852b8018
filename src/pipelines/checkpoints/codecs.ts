/**
 * Codecs of what checkpoints are made of: numbers, arrays by their names, records, and unions told apart by a tag.
 *
 * A record is copied field by field, so that none of its names can be more than a name, and depth has an end.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { decoder } from '../config/codecs/codecs.ts';

/** More than any operator is deep. */
const deepest = 200;

const numbersInText: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 };

/** A number, those that JSON does not have among them. */
export const numeric: t.Type<number> = decoder<number>('a number', (value, context) => {
  if (typeof value === 'number') return t.success(value);
  return typeof value === 'string' && Object.hasOwn(numbersInText, value)
    ? t.success(numbersInText[value])
    : t.failure(value, context);
});

/** A whole number of at least 0. */
export const count: t.Type<number> = decoder<number>('a whole number of at least 0', (value, context) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? t.success(value) : t.failure(value, context),
);

/** A word of 32 bits. */
export const word: t.Type<number> = decoder<number>('a whole number of 32 bits', (value, context) =>
  typeof value === 'number' && value === value >>> 0 ? t.success(value) : t.failure(value, context),
);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  t.UnknownRecord.is(value) && !Array.isArray(value);

/** An array that stands in the file under the name that is given. */
export const arrayIn = (arrays: Params<Tensor>): t.Type<Tensor> =>
  decoder<Tensor>('the name of an array of the file', (value, context) => {
    const name = isRecord(value) ? value['array'] : undefined;
    return typeof name === 'string' && Object.hasOwn(arrays, name)
      ? t.success(arrays[name])
      : t.failure(name ?? value, context);
  });

/** Values by name. */
export const recordOf = <A>(values: t.Decoder<unknown, A>): t.Type<Readonly<Record<string, A>>> =>
  decoder<Readonly<Record<string, A>>>(`a record of ${values.name}`, (value, context) => {
    if (!isRecord(value) || Object.hasOwn(value, '__proto__')) return t.failure(value, context);
    return pipe(
      Object.entries(value),
      E.traverseArray(([key, part]) =>
        pipe(
          values.validate(part, t.appendContext(context, key, decoder(values.name, values.validate), part)),
          E.map((decoded) => [key, decoded] as const),
        ),
      ),
      E.map((entries) => Object.fromEntries(entries)),
    );
  });

/** What is there, or `null`. */
export const orNull = <A>(values: t.Decoder<unknown, A>): t.Type<A | null> =>
  decoder<A | null>(`${values.name}, or nothing`, (value, context) =>
    value === null ? t.success(null) : values.validate(value, context),
  );

/** What is there, or what stands for it where a file of an earlier version has none. */
export const orElse = <A>(otherwise: A, values: t.Decoder<unknown, A>): t.Type<A> =>
  decoder<A>(values.name, (value, context) =>
    value === undefined ? t.success(otherwise) : values.validate(value, context),
  );

/** A codec that refers to itself. */
export const lazily = <A>(name: string, codec: () => t.Decoder<unknown, A>): t.Type<A> =>
  decoder<A>(name, (value, context) =>
    context.length > deepest ? t.failure(value, context) : codec().validate(value, context),
  );

/**
 * One of several kinds, told apart by `_tag`.
 *
 * @param name - what each of them is
 * @param kinds - a codec for each kind
 */
export const tagged = <A>(name: string, kinds: Readonly<Record<string, t.Decoder<unknown, A>>>): t.Type<A> =>
  decoder<A>(`${name}: one of ${Object.keys(kinds).join(', ')}`, (value, context) => {
    const tag = isRecord(value) ? value['_tag'] : undefined;
    return typeof tag === 'string' && Object.hasOwn(kinds, tag)
      ? kinds[tag].validate(value, context)
      : t.failure(tag ?? value, context);
  });
