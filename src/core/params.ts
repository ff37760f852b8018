/**
 * Parameter trees: a flat record from stable paths (`encoder.0.weight`) to arrays.
 *
 * Flat, because every use (an update, a checkpoint, a curvature block, an all-reduce) goes over all leaves and names
 * them by path; nesting is kept in the path.
 *
 * @module
 */

/** Arrays by path. Gradients, directions and velocities have the same type as the parameters they belong to. */
export type Params<T> = Readonly<Record<string, T>>;

/**
 * Joins path segments with dots; empty segments vanish.
 *
 * @example
 * ```ts
 * import { joinPath } from 'kfac-ts/core';
 *
 * joinPath('encoder', '0', 'weight'); // => 'encoder.0.weight'
 * joinPath('', 'weight'); // => 'weight'
 * ```
 */
export const joinPath = (...segments: ReadonlyArray<string>): string => segments.filter((s) => s !== '').join('.');

/**
 * Applies a function to every leaf.
 *
 * @param params - a tree
 * @param f - function of leaf and path
 * @example
 * ```ts
 * import { mapParams } from 'kfac-ts/core';
 *
 * mapParams({ weight: 2, bias: 3 }, (leaf, path) => `${path}: ${leaf}`); // => { weight: 'weight: 2', bias: 'bias: 3' }
 * ```
 */
export const mapParams = <A, B>(params: Params<A>, f: (leaf: A, path: string) => B): Params<B> =>
  Object.fromEntries(Object.entries(params).map(([path, leaf]) => [path, f(leaf, path)]));

/**
 * Combines two trees leaf by leaf over the paths of the first; a path that the second lacks keeps the first's leaf.
 *
 * @param a - a tree
 * @param b - a tree with some of the same paths
 * @param f - combines two leaves
 * @example
 * ```ts
 * import { zipParams } from 'kfac-ts/core';
 *
 * zipParams({ weight: 2, bias: 3 }, { weight: 10 }, (x, y) => x * y); // => { weight: 20, bias: 3 }
 * ```
 */
export const zipParams = <A, B>(a: Params<A>, b: Params<B>, f: (x: A, y: B, path: string) => A): Params<A> =>
  mapParams(a, (leaf, path) => (Object.hasOwn(b, path) ? f(leaf, b[path], path) : leaf));

/**
 * The leaves, in the order of the paths.
 *
 * @example
 * ```ts
 * import { leavesOf } from 'kfac-ts/core';
 *
 * leavesOf({ weight: 2, bias: 3 }); // => [2, 3]
 * ```
 */
export const leavesOf = <A>(params: Params<A>): ReadonlyArray<A> => Object.values(params);

/**
 * The leaves at the given paths.
 *
 * @example
 * ```ts
 * import { pickParams } from 'kfac-ts/core';
 *
 * pickParams({ weight: 2, bias: 3, gain: 4 }, ['weight', 'gain']); // => { weight: 2, gain: 4 }
 * ```
 */
export const pickParams = <A>(params: Params<A>, paths: ReadonlyArray<string>): Params<A> =>
  Object.fromEntries(paths.map((path) => [path, params[path]]));
