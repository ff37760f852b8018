/**
 * A gain and a shift for each feature.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { joinPath } from '../../params.ts';
import type { Shaped } from '../../tensor.ts';
import { showShape } from '../../tensor.ts';
import { constant, zeros } from '../initialisers/constant.ts';
import type { Layer } from './layer.ts';
import { atPath, leaf, parameterAt } from './layer.ts';
import { placeOf } from './windows.ts';
import { extent } from '../../settings.ts';

/** A layer's features. */
export interface ScaleShiftOptions {
  /** Extent d of the last axis. */
  readonly features: number;
  /** Whether there is a shift; there is unless this is `false`. */
  readonly shift?: boolean;
}

/**
 * Refuses an input whose last axis is not as long as a layer says, by the layer's name.
 *
 * @param layer - which kind
 * @param path - where it is
 * @param x - the input
 * @param features - extent that is expected
 */
export const requireFeatures = (layer: string, path: string, { shape }: Shaped, features: number): void => {
  if (shape.length >= 2 && shape[shape.length - 1] === features) return;
  raise({
    _tag: 'ShapeMismatch',
    where: placeOf(layer, path),
    expected: `an input [n, …, ${features}]`,
    actual: showShape(shape),
  });
};

/**
 * γ ⊙ x + β along the last axis of x `[n, …, d]`. Parameters `weight` (γ, ones at first) and, with a shift, `bias` (β,
 * zeros at first), both `[d]`.
 *
 * @param options - features, whether to shift
 * @example
 * ```ts
 * import { scaleShift } from 'kfac-ts/core';
 *
 * scaleShift({ features: 3 }).parameters('gain').map(({ shape }) => shape); // => [[3], [3]]
 * ```
 */
export const scaleShift = (options: ScaleShiftOptions): Layer => {
  const { shift = true } = options;
  const features = extent('scaleShift.features', options.features);
  const siteAt = atPath((path) => ({
    kind: 'scaleShift' as const,
    path,
    weight: joinPath(path, 'weight'),
    bias: shift ? joinPath(path, 'bias') : null,
  }));
  return leaf({
    kind: 'scaleShift',
    label: `${shift ? 'scale and shift' : 'scale'} ${features}`,
    parameters: (path) => {
      const gain = { path: joinPath(path, 'weight'), shape: [features], initialiser: constant(1) };
      return shift ? [gain, { path: joinPath(path, 'bias'), shape: [features], initialiser: zeros }] : [gain];
    },
    apply: (ops, params, path, x) => {
      const site = siteAt(path);
      const scaled = ops.mul(x, parameterAt(params, site.weight));
      return ops.site(site, x, site.bias === null ? scaled : ops.add(scaled, parameterAt(params, site.bias)));
    },
  });
};
