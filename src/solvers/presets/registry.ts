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
import type { GradientOptimizer, Optimizer } from './optimizer.ts';
import { shampoo } from './shampoo.ts';
import { soap } from './soap.ts';
import { sgd } from './sgd.ts';
import { tridiagonalKfac } from './tridiagonalKfac.ts';

/** What is known of a preset whose options are of no interest. */
export interface AnyPreset<Made extends Optimizer = GradientOptimizer> {
  (options?: Readonly<Record<string, SettingValue>>): Made;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}

/** Presets by name. */
export type Presets<Made extends Optimizer = GradientOptimizer> = Readonly<Record<string, AnyPreset<Made>>>;

/** Every preset. */
export const presets: Presets = {
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
 * A preset among some, with some settings changed.
 *
 * @param known - presets by name
 * @param name - which one
 * @param settings - changes by name
 */
export const presetIn = <Made extends Optimizer>(
  known: Presets<Made>,
  name: string,
  settings: Readonly<Record<string, SettingValue>>,
): E.Either<KfacError, Made> => {
  if (!Object.hasOwn(known, name)) {
    const expected = `one of ${Object.keys(known).join(', ')}`;
    return E.left({ _tag: 'BadConfig', path: 'optimizer', expected, actual: shown(name) });
  }
  const make = known[name];
  const error = settingsError(name, make.settings, settings);
  return error === null ? E.right(make(settings)) : E.left(error);
};

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
): E.Either<KfacError, GradientOptimizer> => presetIn(presets, name, settings);
