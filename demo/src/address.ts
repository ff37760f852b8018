/**
 * Settings in the address of the page, for links: `?task=mnist-classifier&batch=100`. What cannot be meant is refused in words,
 * and the setting stays as it was.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { describeError } from 'kfac-ts/core';
import { taskNames } from 'kfac-ts/pipelines';

import type { Setup } from './setup.ts';
import { paces, places, secondOrder, suggested, suitedBatch } from './setup.ts';

/** What an address says. */
export interface Address {
  readonly setup: Setup;
  /** A sentence for everything that could not be meant. */
  readonly refused: ReadonlyArray<string>;
}

/** A value from its text, or what was expected. */
type Read<A> = (text: string) => E.Either<string, A>;

const oneOf =
  <A extends string>(names: ReadonlyArray<A>): Read<A> =>
  (text) => {
    const found = names.find((name) => name === text);
    return found === undefined ? E.left(`one of ${names.join(', ')}`) : E.right(found);
  };

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const number =
  (expected: string, holds: (value: number) => boolean): Read<number> =>
  (text) =>
    numeral.test(text) && holds(Number(text)) ? E.right(Number(text)) : E.left(expected);

const wholeFrom = (least: number): Read<number> =>
  number(`a whole number of at least ${least}`, (value) => Number.isSafeInteger(value) && value >= least);

/** A text of any length in a sentence. */
const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

const refusal = (path: string, expected: string, actual: string): string =>
  `In the address, ${describeError({ _tag: 'BadConfig', path, expected, actual })}`;

/** One setting: its value, `null` where the address does not have it, or the sentence that refuses it. */
const setting = <A>(given: URLSearchParams, name: string, read: Read<A>): E.Either<string, A | null> => {
  const texts = given.getAll(name);
  if (texts.length === 0) return E.right(null);
  if (texts.length > 1) return E.left(refusal(name, 'one value', texts.map(quoted).join(' and ')));
  const value = read(texts[0].trim());
  return E.isRight(value) ? value : E.left(refusal(name, value.left, quoted(texts[0])));
};

const valueOf = <A>(found: E.Either<string, A | null>, otherwise: A): A =>
  E.isLeft(found) ? otherwise : (found.right ?? otherwise);

/**
 * A setup from the query of an address.
 *
 * @param query - what comes after the question mark
 * @param base - what holds where the query says nothing, or nothing that can be meant
 */
export const setupOfQuery = (query: string, base: Setup): Address => {
  const given = new URLSearchParams(query);
  const found = {
    task: setting(given, 'task', oneOf(taskNames)),
    preset: setting(given, 'preset', oneOf(secondOrder)),
    backend: setting(given, 'backend', oneOf(places)),
    pace: setting(given, 'pace', oneOf(paces)),
    batch: setting(given, 'batch', wholeFrom(1)),
    threads: setting(given, 'threads', wholeFrom(1)),
    seed: setting(given, 'seed', wholeFrom(0)),
    damping: setting(
      given,
      'damping',
      number('a number above 0', (value) => value > 0 && value < Infinity),
    ),
    statisticsEvery: setting(given, 'statisticsEvery', wholeFrom(1)),
    inverseEvery: setting(given, 'inverseEvery', wholeFrom(1)),
  };
  const unknown = [...new Set(given.keys())].filter((name) => !Object.hasOwn(found, name));
  const task = valueOf(found.task, base.task);
  const preset = valueOf(found.preset, base.preset);
  const fitting = suggested(task, preset);
  return {
    setup: {
      ...base,
      ...fitting,
      task,
      preset,
      place: valueOf(found.backend, base.place),
      pace: valueOf(found.pace, base.pace),
      batch: valueOf(found.batch, task === base.task ? base.batch : suitedBatch(task)),
      threads: valueOf(found.threads, base.threads),
      seed: valueOf(found.seed, base.seed),
      damping: valueOf(found.damping, fitting.damping),
      statisticsEvery: valueOf(found.statisticsEvery, fitting.statisticsEvery),
      inverseEvery: valueOf(found.inverseEvery, fitting.inverseEvery),
    },
    refused: [
      ...Object.values(found).flatMap((value) => (E.isLeft(value) ? [value.left] : [])),
      ...unknown.map((name) => refusal('setting', `one of ${Object.keys(found).join(', ')}`, quoted(name))),
    ],
  };
};
