/**
 * Selections of parameters: which of a model's arrays something is for.
 *
 * A selection is said in words of the model: by shape, by path, or by a function of both. It is asked again in each step,
 * since which parameters are trained may change.
 *
 * @module
 */
import { raise } from './errors.ts';
import { shown } from './shown.ts';
import type { Shape, Shaped } from './tensor.ts';
import type { Params } from './params.ts';

/**
 * Which parameters: `all` of them, `weights` with at least two axes, `vectors` with fewer (biases, gains and shifts); a list
 * has paths, each of a parameter or of a layer with all below it; a function is asked for each parameter.
 */
export type Selection =
  'all' | 'weights' | 'vectors' | ReadonlyArray<string> | ((path: string, shape: Shape) => boolean);

const words = ['all', 'weights', 'vectors'] as const;

const isWord = (given: string): boolean => words.some((word) => word === given);

/** Whether a path is that of a layer or parameter, or below it. */
const isBelow = (path: string, prefix: string): boolean =>
  prefix === '' || path === prefix || path.startsWith(`${prefix}.`);

/**
 * Whether a selection has a parameter.
 *
 * @param selection - which parameters
 * @param path - path of the parameter
 * @param shape - its shape
 * @example
 * ```ts
 * import { selects } from 'kfac-ts/core';
 *
 * selects('weights', 'encoder.0.weight', [30, 784]); // => true
 * selects('vectors', 'encoder.0.bias', [30]); // => true
 * selects(['encoder'], 'decoder.0.weight', [784, 30]); // => false
 * ```
 */
export const selects = (selection: Selection, path: string, shape: Shape): boolean => {
  if (selection === 'all') return true;
  if (selection === 'weights') return shape.length >= 2;
  if (selection === 'vectors') return shape.length < 2;
  return typeof selection === 'function' ? selection(path, shape) : selection.some((prefix) => isBelow(path, prefix));
};

/**
 * The paths that a selection has, in the order of the parameters.
 *
 * @param selection - which parameters
 * @param params - arrays by path
 * @example
 * ```ts
 * import { selectedPaths, tensor } from 'kfac-ts/core';
 *
 * const params = { 'head.weight': tensor([1, 2], [1, 2]), 'head.bias': tensor([3], [1]) };
 * selectedPaths('vectors', params); // => ['head.bias']
 * ```
 */
export const selectedPaths = <T extends Shaped>(selection: Selection, params: Params<T>): ReadonlyArray<string> =>
  Object.keys(params).filter((path) => selects(selection, path, params[path].shape));

/**
 * The selection, if each path that it names is one of the model's; a `BadConfig` is raised else.
 *
 * @param where - whose selection it is, for the error
 * @param selection - which parameters
 * @param paths - paths of all parameters of the model
 */
export const checkSelection = (where: string, selection: Selection, paths: ReadonlyArray<string>): Selection => {
  if (typeof selection === 'function') return selection;
  const given: unknown = selection;
  if (typeof given === 'string' ? !isWord(given) : !Array.isArray(given)) {
    const expected = `${words.join(', ')}, a list of paths, or a function`;
    return raise({ _tag: 'BadConfig', path: where, expected, actual: shown(given) });
  }
  if (typeof selection === 'string') return selection;
  const unknown = selection.find((prefix) => !paths.some((path) => isBelow(path, prefix)));
  return unknown === undefined
    ? selection
    : raise({
        _tag: 'BadConfig',
        path: where,
        expected: `the path of a parameter, or of a layer that has some of ${paths.join(', ')}`,
        actual: unknown,
      });
};
