/**
 * The circumstances in which a model is applied: everything that is not a parameter.
 *
 * A batch is a record of named arrays, of which a model takes what it names. Whether the model is trained or evaluated, the
 * randomness of the step and the state that layers carry from step to step come along, so that the same circumstances give
 * the same function in every pass over one batch: forward, backward, products with the Jacobian, a loss measured anew.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Params } from '../../params.ts';
import type { Key } from '../../random/key.ts';
import { foldIn } from '../../random/split.ts';

/** What a layer is told besides its parameters and its input. */
export interface Circumstances<T> {
  /** The arrays of the batch by name: tokens, masks, lengths, …, each `[n, …]`. */
  readonly arrays: Params<T>;
  /** The step's key while a model is trained, the same in every pass over one batch; `null` when it is evaluated. */
  readonly key: Key | null;
  /** State that is carried from step to step and not trained, by path. */
  readonly running: Params<T>;
}

/**
 * The circumstances of evaluation: nothing random, and running state stays as it is.
 *
 * @param arrays - the arrays of a batch by name
 * @param running - state of the layers, where they have any
 * @example
 * ```ts
 * import { dense, evaluating, model, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // A model by hand: y = 2 x + 1.
 * const { ops } = referenceBackend();
 * const params = { weight: tensor([2], [1, 1]), bias: tensor([1], [1]) };
 * const line = model('line', [1], dense({ in: 1, out: 1 }));
 * line.program(ops, params, evaluating({ inputs: tensor([3], [1, 1]) })).data; // => [7]
 * ```
 */
export const evaluating = <T>(arrays: Params<T>, running: Params<T> = {}): Circumstances<T> => ({
  arrays,
  key: null,
  running,
});

/** A word as a number of 32 bits (FNV-1a), so that paths can number keys. */
const numberOf = (word: string): number =>
  Array.from(word).reduce(
    (hash, letter) => Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0,
    0x811c9dc5,
  );

/**
 * A layer's own randomness in a step, or `null` in evaluation.
 *
 * @param at - the circumstances
 * @param path - path of the layer, which tells its draws from those of others
 * @example
 * ```ts
 * import type { Layer } from 'kfac-ts/core';
 * import { keyAt, leaf, normal, sizeOf } from 'kfac-ts/core';
 *
 * // A layer of one's own: noise while training, the identity in evaluation.
 * const noise: Layer = leaf({
 *   kind: 'noise',
 *   label: 'noise',
 *   parameters: () => [],
 *   apply: (ops, _, path, x, at) => {
 *     const key = keyAt(at, path);
 *     return key === null ? x : ops.add(x, ops.constant(normal(key, x.shape, 'f32')));
 *   },
 * });
 * ```
 */
export const keyAt = (at: Circumstances<unknown>, path: string): Key | null =>
  at.key === null ? null : foldIn(at.key, numberOf(path));

/**
 * An array of the batch, or an error that says which ones there are.
 *
 * @param arrays - the arrays of a batch by name
 * @param name - the one that is needed
 * @param where - who needs it
 * @example
 * ```ts
 * import type { Layer } from 'kfac-ts/core';
 * import { arrayAt, leaf } from 'kfac-ts/core';
 *
 * // A layer of one's own, which reads another array of the batch: positions that are masked become 0.
 * const masked: Layer = leaf({
 *   kind: 'masked',
 *   label: 'masked',
 *   parameters: () => [],
 *   apply: (ops, _, path, x, at) => ops.mul(x, arrayAt(at.arrays, 'mask', `masked at ${path}`)),
 * });
 * ```
 */
export const arrayAt = <T>(arrays: Params<T>, name: string, where: string): T =>
  Object.hasOwn(arrays, name)
    ? arrays[name]
    : raise({
        _tag: 'ShapeMismatch',
        where,
        expected: `a batch with an array ${name}`,
        actual: Object.keys(arrays).length === 0 ? 'an empty batch' : `arrays ${Object.keys(arrays).join(', ')}`,
      });

/** The arrays in circumstances, in an order of their own, for programs whose constants are a list. */
export const listed = <T>({ arrays, running }: Circumstances<T>): ReadonlyArray<T> => [
  ...Object.values(arrays),
  ...Object.values(running),
];

/**
 * Circumstances with other arrays in the places of {@link listed}.
 *
 * @param like - circumstances that say which places there are
 * @param values - arrays in the order of `listed`; those after them are left over
 */
export const relisted = <A, B>(like: Circumstances<A>, values: ReadonlyArray<B>): Circumstances<B> => {
  const names = Object.keys(like.arrays);
  const paths = Object.keys(like.running);
  return {
    arrays: Object.fromEntries(names.map((name, i) => [name, values[i]])),
    key: like.key,
    running: Object.fromEntries(paths.map((path, i) => [path, values[names.length + i]])),
  };
};
