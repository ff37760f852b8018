/**
 * Multi-head attention [V17 §3.2.2].
 *
 * Queries, keys, values and what comes out each have a dense layer of their own, and so a site of their own, which says of
 * how many heads its features consist: curvature may take heads for independent.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import { joinPath } from '../../../params.ts';
import { belowOne, extent, positive } from '../../../settings.ts';
import type { Shaped } from '../../../tensor.ts';
import { showShape } from '../../../tensor.ts';
import type { Initialiser } from '../../initialisers/initialiser.ts';
import { arrayAt } from '../circumstances.ts';
import { dense } from '../dense.ts';
import { dropout } from '../dropout.ts';
import type { Layer } from '../layer.ts';
import { attend } from './attend.ts';

/** Settings of {@link multiHeadAttention}. */
export interface AttentionOptions {
  /** Features of what comes in, and of what goes out. */
  readonly features: number;
  /** Number of heads, which divides the features. */
  readonly heads: number;
  /** Whether a position sees nothing that comes later; it does unless this is `true`. */
  readonly causal?: boolean;
  /**
   * Name of the batch's array that is 1 where there is something to look at and 0 where there is not: `[n, s]` of the keys
   * (padding), or `[n, t, s]` of queries and keys. None unless given.
   */
  readonly mask?: string;
  /** Name of the array `[n, s, features]` that is looked at (cross attention); the input itself unless given. */
  readonly memory?: string;
  /** Features of the memory, those of the input unless given. */
  readonly memoryFeatures?: number;
  /** Rotary positions: `true`, or their base, 10,000 unless given. None unless given. */
  readonly rotary?: boolean | { readonly base: number };
  /** Rate of dropout of the shares; 0 unless given. */
  readonly dropout?: number;
  /** Whether the four dense layers have biases; they have unless this is `false`. */
  readonly bias?: boolean;
  /** Of the four weights; Glorot's uniform unless given. */
  readonly initialiser?: Initialiser;
}

/** The dense layers in it. */
interface Parts {
  readonly query: Layer;
  readonly key: Layer;
  readonly value: Layer;
  readonly output: Layer;
}

const names: ReadonlyArray<keyof Parts> = ['query', 'key', 'value', 'output'];

const partsOf = (options: AttentionOptions): Parts => {
  const { features, heads, memoryFeatures = features, bias = true, initialiser, mask } = options;
  const given = {
    bias,
    ...(initialiser === undefined ? {} : { initialiser }),
    ...(mask === undefined ? {} : { ragged: true as const }),
  };
  const into = (from: number): Layer =>
    dense({ in: from, out: features, heads: { inputs: 1, outputs: heads }, ...given });
  return {
    query: into(features),
    key: into(memoryFeatures),
    value: into(memoryFeatures),
    output: dense({ in: features, out: features, heads: { inputs: heads, outputs: 1 }, ...given }),
  };
};

/** The base of rotary positions, `null` for none. */
const baseOf = ({ features, heads, rotary = false }: AttentionOptions): number | null => {
  if (rotary === false) return null;
  if ((features / heads) % 2 !== 0) {
    return raise({
      _tag: 'BadConfig',
      path: 'multiHeadAttention.rotary',
      expected: 'an even number of features for each head',
      actual: `${features / heads}`,
    });
  }
  return rotary === true ? 10_000 : positive('multiHeadAttention.rotary.base', rotary.base);
};

const checkHeads = ({ features, heads }: AttentionOptions): void => {
  extent('multiHeadAttention.features', features);
  extent('multiHeadAttention.heads', heads);
  if (features % heads !== 0) {
    raise({
      _tag: 'BadConfig',
      path: 'multiHeadAttention.heads',
      expected: `a divisor of the ${features} features`,
      actual: String(heads),
    });
  }
};

/** A sequence of vectors, or an error that names the layer. */
const sequence = <T extends Shaped>(where: string, what: string, x: T, features: number): T =>
  x.shape.length === 3 && x.shape[2] === features
    ? x
    : raise({
        _tag: 'ShapeMismatch',
        where,
        expected: `${what} [n, positions, ${features}]`,
        actual: showShape(x.shape),
      });

const withParts = (options: AttentionOptions, parts: Parts): Layer => {
  const { features, heads, causal = false, mask, memory, memoryFeatures = features } = options;
  const rotary = baseOf(options);
  const dropped = dropout(belowOne('multiHeadAttention.dropout', options.dropout ?? 0));
  return {
    kind: 'multiHeadAttention',
    label: `${causal ? 'causal ' : ''}attention ${features}, heads ${heads}${memory === undefined ? '' : `, to ${memory}`}`,
    parameters: (path) => names.flatMap((name) => parts[name].parameters(joinPath(path, name))),
    apply: (ops, params, path, x, at) => {
      const where = `multiHeadAttention${path === '' ? '' : ` at ${path}`}`;
      const part = (name: keyof Parts, input: typeof x): typeof x =>
        parts[name].apply(ops, params, joinPath(path, name), input, at);
      const asking = sequence(where, 'an input', x, features);
      const asked =
        memory === undefined
          ? asking
          : sequence(where, `a memory ${memory}`, arrayAt(at.arrays, memory, where), memoryFeatures);
      const found = attend(
        ops,
        { query: part('query', asking), key: part('key', asked), value: part('value', asked) },
        {
          heads,
          causal,
          rotary,
          where,
          mask: mask === undefined ? null : arrayAt(at.arrays, mask, where),
          onShares: (shares) => dropped.apply(ops, params, joinPath(path, 'shares'), shares, at),
        },
      );
      return part('output', found);
    },
    children: names.map((name) => [name, parts[name]]),
    withChildren: ([query, key, value, output]) => withParts(options, { query, key, value, output }),
  };
};

/**
 * Attention of the input x `[n, t, features]` to itself, or to another sequence: softmax(Q Kᵀ / √d) V for each head of d
 * features, between dense layers `query`, `key`, `value` and `output`. What may not be looked at has no share and no
 * gradient; a position that may look at nothing gets zeros before the last of these layers.
 *
 * @param options - features, heads, masks, what is looked at
 * @example
 * ```ts
 * import { evaluating, initialParams, keyOf, model, multiHeadAttention, referenceBackend, uniform } from 'kfac-ts/core';
 *
 * const attention = multiHeadAttention({ features: 8, heads: 2, causal: true });
 * const net = model('attention', [5, 8], attention);
 * const params = initialParams(net, keyOf(1), 'f64');
 * Object.keys(params).length; // => 8
 * const inputs = uniform(keyOf(2), [3, 5, 8], 'f64');
 * net.program(referenceBackend().ops, params, evaluating({ inputs })).shape; // => [3, 5, 8]
 * ```
 */
export const multiHeadAttention = (options: AttentionOptions): Layer => {
  checkHeads(options);
  return withParts(options, partsOf(options));
};
