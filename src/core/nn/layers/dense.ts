/**
 * Fully connected layer.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { DenseSite, Heads } from '../../ops/site.ts';
import { joinPath } from '../../params.ts';
import type { Shaped } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import { zeros } from '../initialisers/constant.ts';
import { glorotUniform } from '../initialisers/varianceScaling.ts';
import type { Initialiser } from '../initialisers/initialiser.ts';
import type { Layer } from './layer.ts';
import { atPath, leaf, parameterAt } from './layer.ts';
import { extent } from '../../settings.ts';

/** A dense layer's extents and initial values. */
export interface DenseOptions {
  /** Features that go in. */
  readonly in: number;
  /** Features that come out. */
  readonly out: number;
  /** Whether there is a bias; there is unless this is `false`. */
  readonly bias?: boolean;
  /** Of the weight; Glorot's uniform unless given. */
  readonly initialiser?: Initialiser;
  /** Of the bias; zeros unless given. */
  readonly biasInitialiser?: Initialiser;
  /** Heads of attention that its features are, for curvature per head; none unless given. */
  readonly heads?: Heads;
  /** Whether positions may be padding, which counts nowhere; see {@link DenseSite}. */
  readonly ragged?: true;
}

/**
 * x Wᵀ + b over the last axis.
 *
 * @param ops - interpreter
 * @param x - `[n, …, in]`
 * @param weight - W `[out, in]`
 * @param bias - b `[out]`, or `null`
 * @returns `[n, …, out]`
 */
export const affineOfLast = <T extends Shaped>(ops: Ops<T>, x: T, weight: T, bias: T | null): T => {
  const { shape } = x;
  if (shape.length <= 2) return ops.affine(x, weight, bias);
  const last = shape.length - 1;
  const rows = ops.reshape(x, [sizeOf(shape.slice(0, last)), shape[last]]);
  return ops.reshape(ops.affine(rows, weight, bias), [...shape.slice(0, last), weight.shape[0]]);
};

/**
 * s = a Wᵀ + b for inputs a `[n, …, in]`: `[n, …, out]`, the same at every position. Parameters `weight` `[out, in]` and, with a bias, `bias` `[out]`.
 *
 * @param options - extents and initial values
 * @example
 * ```ts
 * import { dense, heNormal } from 'kfac-ts/core';
 *
 * const layer = dense({ in: 784, out: 100, initialiser: heNormal });
 * layer.parameters('0').map(({ path, shape }) => [path, shape]); // => [['0.weight', [100, 784]], ['0.bias', [100]]]
 * ```
 */
export const dense = (options: DenseOptions): Layer => {
  const { bias: hasBias = true, initialiser = glorotUniform, biasInitialiser = zeros } = options;
  const more: Pick<DenseSite, 'heads' | 'ragged'> = {
    ...(options.heads === undefined ? {} : { heads: options.heads }),
    ...(options.ragged === undefined ? {} : { ragged: options.ragged }),
  };
  const fanIn = extent('dense.in', options.in);
  const fanOut = extent('dense.out', options.out);
  const weightAt = (path: string): string => joinPath(path, 'weight');
  const biasAt = (path: string): string | null => (hasBias ? joinPath(path, 'bias') : null);
  const siteAt = atPath((path): DenseSite => ({
    kind: 'dense',
    path,
    weight: weightAt(path),
    bias: biasAt(path),
    ...more,
  }));
  return leaf({
    kind: 'dense',
    label: `dense ${fanIn} → ${fanOut}`,
    parameters: (path) => {
      const bias = biasAt(path);
      const weight = { path: weightAt(path), shape: [fanOut, fanIn], initialiser };
      return bias === null ? [weight] : [weight, { path: bias, shape: [fanOut], initialiser: biasInitialiser }];
    },
    apply: (ops, params, path, x) => {
      const site = siteAt(path);
      const [W, b] = [parameterAt(params, site.weight), site.bias === null ? null : parameterAt(params, site.bias)];
      return ops.site(site, x, affineOfLast(ops, x, W, b));
    },
  });
};
