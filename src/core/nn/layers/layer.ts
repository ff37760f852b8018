/**
 * What a layer is: its parameters, its program and a statement of itself.
 *
 * A layer holds no arrays. It says which parameters it needs below a path and how to apply itself to them, so one value
 * describes the layer on every backend, and the same layer at two paths has two sets of parameters.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import type { Params } from '../../params.ts';
import type { Circumstances } from './circumstances.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import type { Initialiser } from '../initialisers/initialiser.ts';

/** A parameter that a layer needs. */
export interface ParameterSpec {
  /** Path in the model, for example `encoder.0.weight`. */
  readonly path: string;
  readonly shape: Shape;
  readonly initialiser: Initialiser;
}

/** A part of a model. */
export interface Layer {
  /** A word for the kind of layer: `dense`, `activation`, `sequential`, …. */
  readonly kind: string;
  /** A few words for tables, for example `dense 784 → 1000`. */
  readonly label: string;
  /** The parameters of the layer and its children when the layer stands at a path. */
  readonly parameters: (path: string) => ReadonlyArray<ParameterSpec>;
  /** The layer's function of x `[n, …]`, with its parameters below `path`, in the circumstances of the pass. */
  readonly apply: <T extends Shaped>(ops: Ops<T>, params: Params<T>, path: string, x: T, at: Circumstances<T>) => T;
  /** Name of the batch's array of lengths that the layer reads, none of which may be beyond the positions of its input. */
  readonly lengths?: string;
  /** Parts, each with the path segment that it adds. */
  readonly children: ReadonlyArray<readonly [string, Layer]>;
  /** The same layer with other parts, as many as it has; a summary puts observers in their place. */
  readonly withChildren: (children: ReadonlyArray<Layer>) => Layer;
}

/**
 * A layer without parts.
 *
 * @param parts - everything but the children
 * @example
 * ```ts
 * import type { Layer } from 'kfac-ts/core';
 * import { evaluating, leaf, model, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const double: Layer = leaf({
 *   kind: 'double',
 *   label: 'double',
 *   parameters: () => [],
 *   apply: (ops, _, __, x) => ops.scale(2, x),
 * });
 * const inputs = tensor([1, 2], [1, 2]);
 * model('double', [2], double).program(referenceBackend().ops, {}, evaluating({ inputs })).data; // => [2, 4]
 * ```
 */
export const leaf = (parts: Omit<Layer, 'children' | 'withChildren'>): Layer => {
  const layer: Layer = { ...parts, children: [], withChildren: () => layer };
  return layer;
};

/**
 * What a layer says of itself at a path, said once: a site is the same object in every pass, by which others know it again.
 *
 * @param make - what it says at a path
 */
export const atPath = <A extends object>(make: (path: string) => A): ((path: string) => A) => {
  const known = new Map<string, A>();
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const made = make(path);
    known.set(path, made);
    return made;
  };
};

/**
 * The parameter at a path, or a `ShapeMismatch` that names the path: parameters of another model, most likely.
 *
 * @param params - parameters of the model
 * @param path - where the layer's parameter should be
 * @example
 * ```ts
 * import type { Layer } from 'kfac-ts/core';
 * import { constant, joinPath, leaf, parameterAt } from 'kfac-ts/core';
 *
 * // A layer of one's own with a parameter: x times one number that is learned.
 * const gain: Layer = leaf({
 *   kind: 'gain',
 *   label: 'gain',
 *   parameters: (path) => [{ path: joinPath(path, 'gain'), shape: [], initialiser: constant(1) }],
 *   apply: (ops, params, path, x) => ops.mul(x, parameterAt(params, joinPath(path, 'gain'))),
 * });
 * gain.parameters('3')[0].path; // => '3.gain'
 * ```
 */
export const parameterAt = <T extends Shaped>(params: Params<T>, path: string): T =>
  path in params
    ? params[path]
    : raise({
        _tag: 'ShapeMismatch',
        where: 'parameters',
        expected: `a parameter ${path}`,
        actual: Object.keys(params).length === 0 ? 'none' : Object.keys(params).join(', '),
      });
