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
import { paces, places, secondOrder, suggested } from './setup.ts';

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

/** The settings of an address by their names in it, each with how it is read. */
const readers = {
  task: oneOf(taskNames),
  preset: oneOf(secondOrder),
  backend: oneOf(places),
  pace: oneOf(paces),
  batch: wholeFrom(1),
  threads: wholeFrom(1),
  seed: wholeFrom(0),
  damping: number('a number above 0', (value) => value > 0 && value < Infinity),
  statisticsEvery: wholeFrom(1),
  inverseEvery: wholeFrom(1),
};

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
    task: setting(given, 'task', readers.task),
    preset: setting(given, 'preset', readers.preset),
    backend: setting(given, 'backend', readers.backend),
    pace: setting(given, 'pace', readers.pace),
    batch: setting(given, 'batch', readers.batch),
    threads: setting(given, 'threads', readers.threads),
    seed: setting(given, 'seed', readers.seed),
    damping: setting(given, 'damping', readers.damping),
    statisticsEvery: setting(given, 'statisticsEvery', readers.statisticsEvery),
    inverseEvery: setting(given, 'inverseEvery', readers.inverseEvery),
  };
  const unknown = [...new Set(given.keys())].filter((name) => !Object.hasOwn(readers, name));
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
      batch: valueOf(found.batch, base.batch),
      threads: valueOf(found.threads, base.threads),
      seed: valueOf(found.seed, base.seed),
      damping: valueOf(found.damping, fitting.damping),
      statisticsEvery: valueOf(found.statisticsEvery, fitting.statisticsEvery),
      inverseEvery: valueOf(found.inverseEvery, fitting.inverseEvery),
    },
    refused: [
      ...Object.values(found).flatMap((value) => (E.isLeft(value) ? [value.left] : [])),
      ...unknown.map((name) => refusal('setting', `one of ${Object.keys(readers).join(', ')}`, quoted(name))),
    ],
  };
};
