/**
 * Embedding: a table of vectors, looked up by index.
 *
 * @module
 */
import type { Site } from '../../ops/site.ts';
import { joinPath } from '../../params.ts';
import { gaussian } from '../initialisers/gaussian.ts';
import type { Initialiser } from '../initialisers/initialiser.ts';
import type { Layer } from './layer.ts';
import { atPath, leaf, parameterAt } from './layer.ts';
import { extent } from '../../settings.ts';

/** A table's extents and initial values. */
export interface EmbeddingOptions {
  /** Number of indices: words, characters, positions. */
  readonly vocabulary: number;
  /** Features of each vector. */
  readonly out: number;
  /** Of the table; N(0, 1) unless given. */
  readonly initialiser?: Initialiser;
  /** Whether a {@link tiedProjection} makes logits of the same table; none does unless this is `true`. */
  readonly tied?: boolean;
}

/**
 * Rows of the table at indices x `[n, …]` (`i32`): `[n, …, out]`. Parameter `weight` `[vocabulary, out]`. An index outside
 * the vocabulary gives NaN.
 *
 * @param options - extents and initial values
 * @example
 * ```ts
 * import { dense, embedding, initialParams, keyOf, meanPool, model, sequential } from 'kfac-ts/core';
 *
 * // The words of a sentence to one of three classes.
 * const layers = sequential([embedding({ vocabulary: 1000, out: 16 }), meanPool(), dense({ in: 16, out: 3 })]);
 * const params = initialParams(model('bag-of-words', [20], layers), keyOf(1), 'f32');
 * params['0.weight'].shape; // => [1000, 16]
 * ```
 */
export const embedding = (options: EmbeddingOptions): Layer => {
  const { initialiser = gaussian(1) } = options;
  const vocabulary = extent('embedding.vocabulary', options.vocabulary);
  const out = extent('embedding.out', options.out);
  const siteAt = atPath((path): Site => {
    const weight = joinPath(path, 'weight');
    return options.tied === true
      ? { kind: 'tied', use: 'lookup', path, weight, bias: null, vocabulary }
      : { kind: 'embedding', path, weight, bias: null, vocabulary };
  });
  return leaf({
    kind: 'embedding',
    label: `embedding ${vocabulary} → ${out}`,
    parameters: (path) => [{ path: joinPath(path, 'weight'), shape: [vocabulary, out], initialiser }],
    apply: (ops, params, path, x) => {
      const site = siteAt(path);
      return ops.site(site, x, ops.gather(parameterAt(params, site.weight), x));
    },
  });
};
