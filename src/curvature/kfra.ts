/**
 * KFRA [BRB17]: K-FAC with a recursive G, for chains of dense layers and activations.
 *
 * G at the last layer is the mean Hessian of the loss, and Ḡ_i = (W_(i+1)ᵀ Ḡ_(i+1) W_(i+1)) ⊙ E[φ′ φ′ᵀ] before it: the
 * average over examples is taken at every layer and not once at the end. With the exact estimator that costs one small
 * product per layer where the exact G (KFLR, which is `kfac` with the exact estimator) takes a backward pass per column;
 * of what was captured only the last layer's cotangents matter.
 *
 * The recursion is not linear in the examples, so splitting a batch changes it a little.
 *
 * @module
 */
import { weighed } from '../core/nn/losses/loss.ts';
import { vjp } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
import { evaluating } from '../core/nn/layers/circumstances.ts';
import type { Layer } from '../core/nn/layers/layer.ts';
import type { Model } from '../core/nn/model.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { joinPath } from '../core/params.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import { showShape } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { describeBlock, kroneckerBlock } from './kfac.ts';
import { siteBlock } from './sites/kinds.ts';
import { blockStatistics, siteStatistics } from './sites/statistics.ts';
import { cotangentGram } from './statistics/factors.ts';
import { statisticsOfParameters } from './statistics/parameters.ts';
import type { SharedRows } from './statistics/sharing.ts';
import type { BlockStatistics } from './statistics/statistics.ts';

/** A dense layer with its path and the activations between it and the next dense layer. */
interface Segment {
  readonly path: string;
  readonly layer: Layer;
  readonly activations: ReadonlyArray<Layer>;
}

const refuse = (path: string, actual: string): never =>
  raise({ _tag: 'BadConfig', path, expected: 'dense layers and activations one after another, for KFRA', actual });

/** Layers in order with their paths. */
const flat = (layer: Layer, path: string): ReadonlyArray<readonly [string, Layer]> =>
  layer.kind === 'sequential'
    ? layer.children.flatMap(([name, child]) => flat(child, joinPath(path, name)))
    : [[path, layer]];

const segmentsOf = (model: Model): ReadonlyArray<Segment> =>
  flat(model.layer, '').reduce((segments: ReadonlyArray<Segment>, [path, layer], i) => {
    if (layer.kind === 'dense') return [...segments, { path, layer, activations: [] }];
    if (layer.kind !== 'activation' || i === 0) return refuse(path === '' ? 'model' : path, layer.label);
    const last = segments[segments.length - 1];
    return [...segments.slice(0, -1), { ...last, activations: [...last.activations, layer] }];
  }, []);

/** φ′(s) of elementwise functions in a row: their Jacobian is diagonal, so its transpose times ones is that diagonal. */
const derivativeAt = <T extends Shaped>(ops: Ops<T>, activations: ReadonlyArray<Layer>, s: T): T =>
  vjp(
    ops,
    (on, at) => activations.reduce((x, layer) => layer.apply(on, {}, '', x, evaluating({})), at['s']),
    { s },
    [],
  ).pullback(ops.full(s.shape, 1)).params['s'];

/** What an affine map with one position per example saw, as rows too. */
interface AffineCapture<T> extends SiteCapture<T> {
  readonly rows: SharedRows<T>;
}

const affineOnly = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): AffineCapture<T> => {
  const { site, input } = capture;
  const { affine, rows } = siteBlock(site);
  return affine && rows !== null && input.shape.length === 2
    ? { ...capture, rows: rows(ops, capture, 'expand') }
    : refuse(site.path, `a site of kind ${site.kind} with an input ${showShape(input.shape)}`);
};

/** Σ_n Ḡ_i of a layer from that of the next. */
const recursiveG = <T extends Shaped>(
  ops: Ops<T>,
  params: Params<T>,
  { input, weights = null }: AffineCapture<T>,
  { path, layer, activations }: Segment,
  next: { readonly G: T; readonly weight: T },
): T => {
  // The layer itself: a bias that is held fixed is in what it gives, and not at its site.
  const s = layer.apply(ops, params, path, input, evaluating({}));
  const back = ops.matmul(ops.matmul(next.weight, next.G, { transposeA: true }), next.weight);
  return ops.scale(
    1 / input.shape[0],
    ops.mul(
      back,
      ops.gram(weighed(ops, weights === null ? null : ops.sqrt(weights), derivativeAt(ops, activations, s))),
    ),
  );
};

const chainStatistics = <T extends Shaped>(
  ops: Ops<T>,
  segments: ReadonlyArray<Segment>,
  sites: ReadonlyArray<AffineCapture<T>>,
  params: Params<T>,
): BlockStatistics<T> => {
  const paths = sites.map(({ site }) => site.path);
  // The recursion begins at the end, so layers at the beginning may be held fixed.
  const trained = segments.slice(Math.max(0, segments.length - sites.length));
  if (paths.join() !== trained.map(({ path }) => path).join()) return refuse('model', `sites ${paths.join(', ')}`);
  return sites.reduceRight((later: BlockStatistics<T>, capture, i): BlockStatistics<T> => {
    const following = sites[i + 1];
    const A = ops.gram(capture.rows.input);
    const G =
      following === undefined
        ? cotangentGram(ops, capture.rows)
        : recursiveG(ops, params, capture, trained[i], {
            G: later[paths[i + 1]].sums['G'],
            weight: params[following.site.weight],
          });
    return { [paths[i]]: { sums: { A, G }, weight: capture.input.shape[0] }, ...later };
  }, {});
};

/**
 * KFRA: the Fisher block of a site is A ⊗ Ḡ with the recursive Ḡ. Use it with the exact estimator, and with a loss whose
 * outputs are the last layer's. The model is one of dense layers and activations, one after another, of which all from some
 * layer on are trained.
 *
 * @param options - decay and strictness
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact, kfra, updateFactors } from 'kfac-ts/curvature';
 *
 * const curved = pipeline(forward, backward, capture(exact()), updateFactors(kfra()));
 * ```
 */
export const kfra = (options: KfacOptions = {}): Curvature => ({
  name: 'kfra',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured, { model, params }) => {
    // Every layer has a G of its own, and nothing is sent back.
    if (captured.sites.some(({ isotropic }) => isotropic)) return blockStatistics(ops, captured, options);
    const segments = segmentsOf(model);
    const inChain = ({ site }: SiteCapture<unknown>): boolean => segments.some(({ path }) => path === site.path);
    // Biases in blocks of their own are beside the chain.
    const beside = captured.sites.filter((capture) => !inChain(capture));
    return {
      ...statisticsOfParameters(ops, captured),
      ...Object.fromEntries(beside.map((capture) => [capture.site.path, siteStatistics(ops, capture, options)])),
      ...chainStatistics(
        ops,
        segments,
        captured.sites.filter(inChain).map((capture) => affineOnly(ops, capture)),
        params,
      ),
    };
  },
  operator: (ops, blocks, averages) => blockwise(blocks, averages, (block, found) => kroneckerBlock(ops, block, found)),
  describe: (block, sites) =>
    block.kind === 'site' && siteBlock(block.site).affine ? 'A ⊗ recursive G' : describeBlock(block, options, sites),
});
