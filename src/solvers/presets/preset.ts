/**
 * Presets: optimizers made of settings that are all in one table, which checks them.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Descent } from '../../core/pipeline/descent.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { Settings, SettingValue } from '../settings/setting.ts';
import { settled, standardsOf } from '../settings/setting.ts';
import type { GradientOptimizer } from './optimizer.ts';
import { gradientOptimizer } from './optimizer.ts';

/** An optimizer from options, each with a default. */
export interface Preset<Options> {
  (options?: Options): GradientOptimizer;
  /** Range, default and meaning of every option. */
  readonly settings: Settings<Options>;
}

/**
 * A step that does nothing but say what is wrong with its settings.
 *
 * @param error - what is wrong
 */
export const refused = (error: KfacError): Stage<'state', 'next' | 'metrics'> => ({
  name: 'settings',
  foresee: () => error,
  run: () => () => TE.left(error),
});

/**
 * A preset. Options out of range or unknown are an error of its first step, before anything is computed.
 *
 * @param name - for reports
 * @param settings - every option
 * @param make - what the optimizer does from the gradient on, given settings that are all there
 */
export const preset = <Options extends { readonly [Name in keyof Options]: SettingValue }>(
  name: string,
  settings: Settings<Options>,
  make: (settings: Required<Options>) => Descent,
): Preset<Options> =>
  Object.assign(
    (options?: Options): GradientOptimizer =>
      gradientOptimizer({
        name,
        hyperparameters: { ...standardsOf<SettingValue>(settings), ...options },
        descent: pipe(
          settled<Options>(name, settings, { ...options }),
          E.chainW((all) => attempt(() => make(all))), // settings may be in their ranges and exclude each other
          E.getOrElseW(refused),
        ),
      }),
    { settings },
  );
