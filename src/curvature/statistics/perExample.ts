/**
 * Per-example gradients of a site, one row each: for small models and for tests. They assume nothing: what a site adds at
 * several positions of one example is summed before anything is squared.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { scaleShiftGradients } from './scaleShift.ts';

/** Rows vec(Σ_t g_t a_tᵀ)ᵀ of inputs `[n, …, in]` and cotangents `[n, …, out]`. */
const outerProducts = <T extends Shaped>(ops: Ops<T>, input: T, g: T): T => {
  const n = input.shape[0];
  const [columns, out] = [input, g].map(({ shape }) => shape[shape.length - 1]);
  const t = sizeOf(input.shape.slice(1, -1));
  const product = ops.matmul(ops.reshape(input, [n, t, columns]), ops.reshape(g, [n, t, out]), { transposeA: true });
  return ops.reshape(product, [n, columns * out]);
};

/** x with a one after the last of its last axis. */
const withOnes = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  ops.concat([x, ops.full([...x.shape.slice(0, -1), 1], 1)], x.shape.length - 1);

/**
 * Rows vec(V_n)ᵀ, column-stacked as operators are: V_n = Σ_t g_t ā_tᵀ for a dense site, with one-hot vectors for a at an
 * embedding, and (Σ_t g_t ⊙ a_t, Σ_t g_t) for gain and shift.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @returns `[n, d]` for each pass, d parameters
 */
export const perExampleGradients = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): ReadonlyArray<T> => {
  const { site, input, cotangents } = capture;
  switch (site.kind) {
    case 'dense': {
      const homogeneous = site.bias === null ? input : withOnes(ops, input);
      return cotangents.map((g) => outerProducts(ops, homogeneous, g));
    }
    case 'embedding': {
      const hot = ops.oneHot(input, site.vocabulary);
      return cotangents.map((g) => outerProducts(ops, hot, g));
    }
    case 'scaleShift':
      return scaleShiftGradients(ops, { ...capture, site });
  }
};

/**
 * Number of parameters of a site, which is the length of {@link perExampleGradients}' rows.
 *
 * @param capture - what the site saw
 */
export const orderOfSite = <T extends Shaped>({ site, input, cotangents }: SiteCapture<T>): number => {
  const last = ({ shape }: T): number => shape[shape.length - 1];
  switch (site.kind) {
    case 'dense':
      return (last(input) + (site.bias === null ? 0 : 1)) * last(cotangents[0]);
    case 'embedding':
      return site.vocabulary * last(cotangents[0]);
    case 'scaleShift':
      return (site.bias === null ? 1 : 2) * last(input);
  }
};
