/**
 * Errors about settings, in the words of whoever set them: the flag that was typed, or the file and the place in it.
 *
 * Whatever checks a setting knows it by its own name (`kfac.damping`, `earlyStopping.patience`) and not by where it came
 * from, which is known here.
 *
 * @module
 */
import type { KfacError } from '../../core/errors.ts';
import type { RunConfig } from '../config/runConfig.ts';
import type { RawFlags } from './options.ts';
import { flagAt, textsOf } from './options.ts';

/** Where settings came from. */
export interface Given {
  readonly flags: RawFlags;
  /** What a file sets, with its name. */
  readonly file: { readonly path: string; readonly config: RunConfig } | null;
}

/** Settings of a run by the names that the trainer has for them. */
const ownNames: Readonly<Record<string, string>> = { 'earlyStopping.patience': 'patience' };

/** The flags that may set something of an optimizer, the one that has the last word first. */
const flagOf = ({ flags }: Given, optimizer: string, setting: string): string | null => {
  const assigned = textsOf(flags['set']).map((text) => text.split('=')[0]);
  if ([`${optimizer}.${setting}`, setting].some((name) => assigned.includes(name)))
    return `--set ${optimizer}.${setting}`;
  return setting === 'learningRate' && flags['lr'] !== undefined ? '--lr' : null;
};

/** Where something is set in the parts of an optimizer, at any depth. */
const placesIn = (value: unknown, key: string, path: string): ReadonlyArray<string> =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [
        ...(name === key ? [path] : []),
        ...placesIn(inner, key, `${path}.${name}`),
      ]);

/**
 * The place of a setting among the optimizers of parts in a file, which a run knows by its own name alone: `null` where
 * there is none, or more than one.
 */
const partOf = ({ optimizer, optimizers = [] }: RunConfig, own: string): string | null => {
  const choices = [
    ...(optimizer === undefined ? [] : [['optimizer', optimizer] as const]),
    ...optimizers.map((choice, i) => [`optimizers.${i}`, choice] as const),
  ];
  const [key] = own.split('.');
  const places = choices.flatMap(([at, choice]) => (typeof choice === 'string' ? [] : placesIn(choice.parts, key, at)));
  return places.length === 1 ? `${places[0]}.${own}` : null;
};

const nameOf = (given: Given, path: string): string => {
  const { flags, file } = given;
  const own = ownNames[path] ?? path;
  const [first, second] = own.split('.');
  const inFile = (place: string): string => (file === null ? own : `${file.path}: ${place}`);
  if (first === 'settings') return file?.config.settings?.[second] === undefined ? flagAt(own) : inFile(own);
  if (first === 'with' && second !== undefined && file?.config.with?.[second] === undefined) return flagAt(own);
  if (first === 'optimizer' || first === 'optimizers') {
    const flag = ['optimizer', 'optimizers'].find((name) => name in flags);
    const key = (['optimizer', 'optimizers'] as const).find((name) => file?.config[name] !== undefined);
    return flag !== undefined ? `--${flag}` : key === undefined ? own : inFile(key);
  }
  if (first in flags) return flagAt(own);
  if (file !== null && Object.hasOwn(file.config, first)) return inFile(own);
  const flag = second === undefined ? null : flagOf(given, first, second);
  if (flag !== null) return flag;
  if (file?.config.settings?.[first]?.[second] !== undefined) return inFile(`settings.${own}`);
  const part = file === null ? null : partOf(file.config, own);
  return part === null ? own : inFile(part);
};

/**
 * The error with its path as it was given. Paths that name a flag or a file already stay as they are.
 *
 * @param given - flags and file
 */
export const asGiven =
  (given: Given) =>
  (error: KfacError): KfacError =>
    error._tag === 'BadConfig' && /^[\w.-]+$/.test(error.path) && !error.path.startsWith('--')
      ? { ...error, path: nameOf(given, error.path) }
      : error;
