/**
 * Positions of a sequence, added to its features: attention does not know of order by itself.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { Shape } from '../../../tensor.ts';
import { generate, showShape } from '../../../tensor.ts';
import { gaussian } from '../../initialisers/gaussian.ts';
import type { Initialiser } from '../../initialisers/initialiser.ts';
import { extent } from '../../../settings.ts';
import { embedding } from '../embedding.ts';
import type { Layer } from '../layer.ts';
import { leaf } from '../layer.ts';

/** Extents of {@link learnedPositions}. */
export interface PositionsOptions {
  /** Most positions of a sequence. */
  readonly length: number;
  readonly features: number;
  /** Of the table; N(0, 0.02²) unless given. */
  readonly initialiser?: Initialiser;
}

/** Examples and positions of a sequence, or an error that names the layer. */
const extentsOf = (
  kind: string,
  path: string,
  shape: Shape,
  features: number,
  length = Infinity,
): readonly [number, number] => {
  const [n, t, d] = shape;
  return shape.length === 3 && d === features && t <= length
    ? [n, t]
    : raise({
        _tag: 'ShapeMismatch',
        where: `${kind}${path === '' ? '' : ` at ${path}`}`,
        expected: `an input [n, positions, ${features}]${length === Infinity ? '' : ` of at most ${length} positions`}`,
        actual: showShape(shape),
      });
};

/**
 * x `[n, t, features]` plus a vector that is learned for each position. Parameter `weight` `[length, features]`, whose site
 * is an embedding of the positions.
 *
 * @param options - most positions, features, initial values
 * @example
 * ```ts
 * import { learnedPositions } from 'kfac-ts/core';
 *
 * learnedPositions({ length: 128, features: 64 }).parameters('place')[0].shape; // => [128, 64]
 * ```
 */
export const learnedPositions = (options: PositionsOptions): Layer => {
  const { initialiser = gaussian(0.02) } = options;
  const length = extent('learnedPositions.length', options.length);
  const features = extent('learnedPositions.features', options.features);
  const table = embedding({ vocabulary: length, out: features, initialiser });
  return leaf({
    kind: 'learnedPositions',
    label: `learned positions ${length} × ${features}`,
    parameters: table.parameters,
    apply: (ops, params, path, x, at) => {
      const [n, t] = extentsOf('learnedPositions', path, x.shape, features, length);
      const places = ops.constant(generate([n, t], (i) => i % t, 'i32'));
      return ops.add(x, table.apply(ops, params, path, places, at));
    },
  });
};

/**
 * x `[n, t, d]` plus sines and cosines of each position, of wavelengths from 2π to 2π · 10,000 [V17 §3.5].
 *
 * @param features - d
 * @example
 * ```ts
 * import { evaluating, referenceBackend, sinusoidalPositions, tensor } from 'kfac-ts/core';
 *
 * const x = tensor([0, 0, 0, 0], [1, 2, 2]);
 * // sin 0, cos 0, sin 1, cos 1.
 * const y = sinusoidalPositions(2).apply(referenceBackend().ops, {}, '', x, evaluating({}));
 * y.data[0] === 0 && y.data[1] === 1 && y.data[2] === Math.sin(1); // => true
 * ```
 */
export const sinusoidalPositions = (features: number): Layer => {
  extent('sinusoidalPositions', features);
  return leaf({
    kind: 'sinusoidalPositions',
    label: `sinusoidal positions ${features}`,
    parameters: () => [],
    apply: (ops, _params, path, x) => {
      const [, t] = extentsOf('sinusoidalPositions', path, x.shape, features);
      const value = (i: number): number => {
        const feature = i % features;
        const angle = Math.floor(i / features) * 10_000 ** (-(feature - (feature % 2)) / features);
        return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      };
      return ops.add(x, ops.constant(generate([t, features], value)));
    },
  });
};
