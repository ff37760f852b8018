/**
 * Layers one after another.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { joinPath } from '../../params.ts';
import type { Layer } from './layer.ts';

/** Whole numbers would come first, whatever the order of the record; a dot separates the segments of a path. */
const isName = /^(?!\d+$)[^.]+$/;

const chain = (children: ReadonlyArray<readonly [string, Layer]>): Layer => ({
  kind: 'sequential',
  label: `sequential of ${children.length}`,
  parameters: (path) => children.flatMap(([name, layer]) => layer.parameters(joinPath(path, name))),
  apply: (ops, params, path, x, at) =>
    children.reduce((value, [name, layer]) => layer.apply(ops, params, joinPath(path, name), value, at), x),
  children,
  withChildren: (layers) => chain(children.map(([name], i) => [name, layers[i]])),
});

/**
 * f_k ∘ … ∘ f_1; without layers, the identity.
 *
 * @param layers - a list, whose members get the path segments `0`, `1`, …, or a record, whose members get their names
 *   in the order of the record. Names are words, not whole numbers (JavaScript would put those first).
 * @example
 * ```ts
 * import { activation, dense, sequential } from 'kfac-ts/core';
 *
 * const named = sequential({ encoder: dense({ in: 8, out: 2 }), code: activation('tanh') });
 * named.parameters('').map(({ path }) => path); // => ['encoder.weight', 'encoder.bias']
 * ```
 */
export const sequential = (layers: ReadonlyArray<Layer> | Readonly<Record<string, Layer>>): Layer => {
  const entries = Object.entries(layers);
  const wrong = Array.isArray(layers) ? undefined : entries.find(([name]) => !isName.test(name));
  if (wrong === undefined) return chain(entries);
  return raise({
    _tag: 'BadConfig',
    path: 'sequential',
    expected: 'names without dots that are not whole numbers',
    actual: JSON.stringify(wrong[0]),
  });
};
