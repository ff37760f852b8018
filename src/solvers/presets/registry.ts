/**
 * Presets by name, made from settings that come from outside.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import { blockKfac } from './blockKfac.ts';
import { classKfac } from './classKfac.ts';
import { ekfac } from './ekfac.ts';
import { kfac } from './kfac.ts';
import { kfacAdaptive } from './kfacAdaptive.ts';
import { kfacCg } from './kfacCg.ts';
import { muon } from './muon.ts';
import { kfacGrafted } from './kfacGrafted.ts';
import { newtonSchulzKfac } from './newtonSchulzKfac.ts';
import { lowRankKfac } from './lowRankKfac.ts';
import type { Setting, SettingValue } from '../settings/setting.ts';
import { settingsError } from '../settings/setting.ts';
import type { GradientOptimizer } from './optimizer.ts';
import { shampoo } from './shampoo.ts';
import { soap } from './soap.ts';
import { sgd } from './sgd.ts';
import { tridiagonalKfac } from './tridiagonalKfac.ts';

/** What is known of a preset whose options are of no interest. */
interface AnyPreset {
  (options?: Readonly<Record<string, SettingValue>>): GradientOptimizer;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}

/** Every preset. */
export const presets: Readonly<Record<string, AnyPreset>> = {
  kfac,
  'kfac-adaptive': kfacAdaptive,
  'kfac-cg': kfacCg,
  'kfac-grafted': kfacGrafted,
  ekfac,
  'block-kfac': blockKfac,
  'newton-schulz-kfac': newtonSchulzKfac,
  'low-rank-kfac': lowRankKfac,
  'tridiagonal-kfac': tridiagonalKfac,
  'class-kfac': classKfac,
  adam,
  adamw,
  muon,
  shampoo,
  soap,
  sgd,
};

/** Names of the presets. */
export const optimizerNames: ReadonlyArray<string> = Object.keys(presets);

/**
 * A preset with some settings changed. A setting must exist and be in its range.
 *
 * @param name - one of {@link optimizerNames}
 * @param settings - changes by name
 * @example
 * ```ts
 * import { optimizerOf } from 'kfac-ts/solvers';
 *
 * const optimizer = optimizerOf('kfac', { damping: 0.1, inverseEvery: 10 });
 * optimizer._tag === 'Right' ? optimizer.right.hyperparameters['inverseEvery'] : null; // => 10
 * optimizerOf('kfac', { dampning: 0.1 })._tag; // => 'Left'
 * ```
 */
export const optimizerOf = (
  name: string,
  settings: Readonly<Record<string, SettingValue>> = {},
): E.Either<KfacError, GradientOptimizer> => {
  if (!Object.hasOwn(presets, name)) {
    return E.left({
      _tag: 'BadConfig',
      path: 'optimizer',
      expected: `one of ${optimizerNames.join(', ')}`,
      actual: shown(name),
    });
  }
  const make = presets[name];
  const error = settingsError(name, make.settings, settings);
  return error === null ? E.right(make(settings)) : E.left(error);
};
