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

/** Joins path segments with dots; empty segments vanish. */
export const joinPath = (...segments: ReadonlyArray<string>): string => segments.filter((s) => s !== '').join('.');

/**
 * Applies a function to every leaf.
 *
 * @param params - a tree
 * @param f - function of leaf and path
 */
export const mapParams = <A, B>(params: Params<A>, f: (leaf: A, path: string) => B): Params<B> =>
  Object.fromEntries(Object.entries(params).map(([path, leaf]) => [path, f(leaf, path)]));

/**
 * Combines two trees leaf by leaf over the paths of the first; a path that the second lacks keeps the first's leaf.
 *
 * @param a - a tree
 * @param b - a tree with some of the same paths
 * @param f - combines two leaves
 */
export const zipParams = <A, B>(a: Params<A>, b: Params<B>, f: (x: A, y: B, path: string) => A): Params<A> =>
  mapParams(a, (leaf, path) => (Object.hasOwn(b, path) ? f(leaf, b[path], path) : leaf));

/** The leaves, in the order of the paths. */
export const leavesOf = <A>(params: Params<A>): ReadonlyArray<A> => Object.values(params);

/** The leaves at the given paths. */
export const pickParams = <A>(params: Params<A>, paths: ReadonlyArray<string>): Params<A> =>
  Object.fromEntries(paths.map((path) => [path, params[path]]));
