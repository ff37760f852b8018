/**
 * Optimizers as benches name them: a preset, or one with a learning rate, `adam@0.003`.
 *
 * @module
 */
import { optimizerNames } from '../../solvers/presets/registry.ts';
import type { SettingValue } from '../../solvers/settings/setting.ts';

/** An optimizer of a bench. */
export interface Choice {
  readonly optimizer: string;
  /** Settings that are not the preset's own. */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/**
 * What a name asks for; whether there is such a preset, and whether the rate is one, is another question.
 *
 * @param name - `kfac`, or `adam@0.003`
 */
export const choiceOf = (name: string): Choice => {
  const [optimizer, rate] = name.split('@');
  return { optimizer, settings: rate === undefined ? {} : { learningRate: Number(rate) } };
};

/** Whether settings are a learning rate and nothing else. */
export const isOneRate = (settings: Choice['settings']): boolean => Object.keys(settings).join() === 'learningRate';

/** `kfac`, `adam@0.003`, `kfac damping=0.1 klClip=0.01`. */
export const nameOf = ({ optimizer, settings }: Choice): string =>
  isOneRate(settings)
    ? `${optimizer}@${settings['learningRate']}`
    : [optimizer, ...Object.entries(settings).map(([setting, value]) => `${setting}=${value}`)].join(' ');

const ratesOfAdam = [3e-4, 1e-3, 3e-3, 1e-2];

/** Learning rates at which optimizers are tried whose rate has to be found for each problem. */
const rates: Readonly<Record<string, ReadonlyArray<number>>> = {
  adam: ratesOfAdam,
  adamw: ratesOfAdam,
  muon: ratesOfAdam,
  shampoo: ratesOfAdam,
  soap: ratesOfAdam,
  sgd: [3e-3, 1e-2, 3e-2, 1e-1],
};

/** Every preset at its defaults, and those whose learning rate has to be found at four of them as well. */
export const allChoices: ReadonlyArray<Choice> = optimizerNames.flatMap((optimizer) => [
  { optimizer, settings: {} },
  ...(Object.hasOwn(rates, optimizer) ? rates[optimizer] : []).map((learningRate) => ({
    optimizer,
    settings: { learningRate },
  })),
]);

/** Presets that are for problems with classes alone, whose number they must be told. */
const classWise: ReadonlyArray<string> = ['class-kfac'];

/** Whether a preset is for problems with classes alone. */
export const isForClasses = ({ optimizer }: Pick<Choice, 'optimizer'>): boolean => classWise.includes(optimizer);
