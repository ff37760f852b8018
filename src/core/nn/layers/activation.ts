/**
 * Elementwise activations as layers without parameters.
 *
 * @module
 */
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import { word } from '../../settings.ts';

/** Elementwise functions of the array language that make an activation; `gelu` is the exact one, x Φ(x). */
export type ActivationKind = 'relu' | 'tanh' | 'sigmoid' | 'gelu' | 'identity';

const kinds: ReadonlyArray<ActivationKind> = ['relu', 'tanh', 'sigmoid', 'gelu', 'identity'];

/**
 * a = φ(s), elementwise.
 *
 * @param kind - which function φ
 * @example
 * ```ts
 * import { activation, dense, sequential } from 'kfac-ts/core';
 *
 * const layers = sequential([dense({ in: 784, out: 100 }), activation('tanh'), dense({ in: 100, out: 10 })]);
 * layers.children.length; // => 3
 * ```
 */
export const activation = (kind: ActivationKind): Layer =>
  leaf({
    kind: 'activation',
    label: word('activation', kinds, kind),
    parameters: () => [],
    apply: (ops, _params, _path, x) => (kind === 'identity' ? x : ops[kind](x)),
  });
