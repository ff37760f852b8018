/**
 * Optimizers as configurations write them: compositions from the tables of parts, presets with some settings changed, and
 * partitions of both.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { KfacError } from '../../../src/core/errors.ts';
import { composeOptimizer } from '../../../src/pipelines/config/compose/compose.ts';
import { composition } from '../../../src/pipelines/config/compose/composition.ts';
import { codecOf } from '../../../src/pipelines/config/codecs/codecs.ts';
import { solvers } from '../../../src/pipelines/config/compose/solvers.ts';
import type { GradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf, presets } from '../../../src/solvers/presets/registry.ts';
import type { SettingValue } from '../../../src/solvers/settings/setting.ts';
import { partsOf, recordsOf, valuesOf } from './values.ts';

type Values = Readonly<Record<string, unknown>>;

const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A preset with some settings changed. */
export interface GivenPreset {
  readonly preset: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/** An optimizer as a configuration has it. */
export type Written = GivenPreset | { readonly parts: unknown };

/** The optimizer, or what is wrong with what was written. */
export const made = (written: Written): E.Either<KfacError, GradientOptimizer> =>
  'preset' in written ? optimizerOf(written.preset, written.settings) : composeOptimizer(written.parts);

const withAt = (value: unknown, path: ReadonlyArray<string>, change: () => unknown): unknown => {
  if (path.length === 0) return change();
  const [key, ...rest] = path;
  if (Array.isArray(value)) {
    return value.map((item: unknown, i) => (String(i) === key ? withAt(item, rest, change) : item));
  }
  const inner = isValues(value) ? value : { kind: value };
  return { ...inner, [key]: withAt(inner[key], rest, change) };
};

/** What an error says would do in the place of what is there: one of the words that it lists, the least value, or nothing. */
const advised = (expected: string, choice: number): unknown => {
  if (expected.startsWith('a list of')) return [];
  if (expected.startsWith('a whole number')) return Math.max(3, Number(/ at least (\d+)$/.exec(expected)?.[1] ?? 0));
  if (expected === 'a curvature') return 'kfac';
  const words = /^one of (.*?)(?: with .*)?$/.exec(expected)?.[1].split(', ');
  return words === undefined ? undefined : words[choice % words.length];
};

/** Parts that are changed as their errors say: where two do not go together, one is exchanged for another. */
const mended = (value: unknown, choice: number, left = 8): unknown => {
  const found = composeOptimizer(value);
  if (E.isRight(found) || left === 0 || found.left._tag !== 'BadConfig') return value;
  const { path, expected } = found.left;
  const inner = path.split('.').slice(1);
  return mended(
    withAt(value, inner, () => advised(expected, choice)),
    choice,
    left - 1,
  );
};

/** Whether a solver takes what a curvature makes, so that both can keep their settings. */
const fits = (solver: unknown, curvature: unknown): boolean =>
  E.isRight(composeOptimizer({ estimator: 'exact', curvature, solver }));

/** Parts of a composition that are generated otherwise than as any. */
export interface Given {
  readonly estimators?: fc.Arbitrary<unknown>;
  readonly curvatures?: fc.Arbitrary<unknown>;
  readonly solvers?: fc.Arbitrary<unknown>;
}

/**
 * Compositions whose curvature and solver mostly go together.
 *
 * @param texts - paths of a model's sites
 * @param given - parts from elsewhere
 */
export const compositions = (texts: fc.Arbitrary<string>, given: Given = {}): fc.Arbitrary<unknown> => {
  const { estimator, curvature, ...rest } = composition.settings;
  const others = Object.fromEntries(Object.entries(rest).filter(([name]) => name !== 'solver'));
  const here = { texts, depth: 2 };
  const kinds = Object.keys(solvers);
  const solved = (given.curvatures ?? valuesOf(curvature.codec, here)).chain((curved) => {
    const fitting = kinds.filter((kind) => fits(kind, curved));
    return fc.record({
      curvature: fc.constant(curved),
      solver: given.solvers ?? partsOf(solvers, here, fitting.length === 0 ? kinds : fitting),
    });
  });
  return fc
    .tuple(solved, given.estimators ?? valuesOf(estimator.codec, here), recordsOf(others, here), fc.nat(1000))
    .map(([parts, looking, more, choice]) => mended({ estimator: looking, ...parts, ...more }, choice));
};

/** Presets, each with a few settings changed. */
const givenPresets = (texts: fc.Arbitrary<string>): fc.Arbitrary<GivenPreset> =>
  fc.constantFrom(...optimizerNames).chain((preset) => {
    const known = Object.entries(presets[preset].settings);
    return fc.subarray(known, { maxLength: Math.min(4, known.length) }).chain((chosen) =>
      fc.record({
        preset: fc.constant(preset),
        settings: fc.record(
          Object.fromEntries(chosen.map(([name, { range }]) => [name, valuesOf(codecOf(range), { texts, depth: 0 })])),
        ) as fc.Arbitrary<Readonly<Record<string, SettingValue>>>,
      }),
    );
  });

/** Two groups, each with a preset, with parts or with nothing that moves it. */
const partitions = (texts: fc.Arbitrary<string>): fc.Arbitrary<unknown> => {
  const moving = fc.oneof(
    givenPresets(texts).map(({ preset, settings }) => ({ optimizer: preset, settings })),
    compositions(texts).map((optimizer) => ({ optimizer })),
    fc.constant({ optimizer: false }),
  );
  const shares = fc.oneof(
    fc.constantFrom(['weights', 'vectors'], ['vectors', 'rest'], ['weights', 'rest'], ['all', 'rest']),
    texts.map((path) => [[path], 'rest']),
  );
  return fc.tuple(shares, moving, moving).map(([[a, b], first, second]) => ({
    kind: 'partition',
    groups: [
      { name: 'first', parameters: a, ...first },
      { name: 'second', parameters: b, ...second },
    ],
  }));
};

/**
 * Optimizers of every kind.
 *
 * @param texts - paths of a model's sites and parameters
 */
export const optimizers = (texts: fc.Arbitrary<string>): fc.Arbitrary<Written> =>
  fc.oneof(
    { weight: 6, arbitrary: compositions(texts).map((parts) => ({ parts })) },
    { weight: 2, arbitrary: givenPresets(texts) },
    { weight: 2, arbitrary: partitions(texts).map((parts) => ({ parts })) },
  );
