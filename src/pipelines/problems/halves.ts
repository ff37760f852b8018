/**
 * The halves of the suite: one to choose settings on, one to report.
 *
 * The rule looks at nothing but names, so that it cannot favour an optimizer: names in the order of their SHA-256, dealt in
 * turns.
 *
 * @module
 */
import { createHash } from 'node:crypto';

import type { Problem } from './problem.ts';
import { problems } from './suite.ts';

/** Which half: settings may be chosen on the one, figures that are published come from the other. */
export type Half = 'tune' | 'report';

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');

/** Names in the order in which they are dealt. */
const dealt = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names
    .map((name) => [hashOf(name), name] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, name]) => name);

/**
 * The half of each name: the first, the third, … in the order of hashes are to tune on.
 *
 * @param names - of all problems
 */
export const halvesOf = (names: ReadonlyArray<string>): Readonly<Record<string, Half>> =>
  Object.fromEntries(dealt(names).map((name, i): readonly [string, Half] => [name, i % 2 === 0 ? 'tune' : 'report']));

/** The half of each problem of the suite. */
export const halves: Readonly<Record<string, Half>> = halvesOf(problems.map(({ name }) => name));

/** The problems of a half, or all. */
export const problemsOf = (half: Half | 'all'): ReadonlyArray<Problem> =>
  problems.filter(({ name }) => half === 'all' || halves[name] === half);
