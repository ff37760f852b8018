/**
 * Captures by block: several uses of a site in one step are positions of the same examples, and count once.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { blockSites, sameSite } from '../../core/pipeline/blocks.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { siteBlock } from './kinds.ts';

/** The uses of one site of one sort side by side: positions `[n, t, d]`, or indices `[n, t]`. */
const sideBySide = <T extends Shaped>(ops: Ops<T>, uses: ReadonlyArray<SiteCapture<T>>): SiteCapture<T> => {
  const [first] = uses;
  if (uses.length === 1) return first;
  const { featureAxes } = siteBlock(first.site);
  const sequence = (x: T, features: number): T => {
    const split = x.shape.length - features;
    return ops.reshape(x, [x.shape[0], sizeOf(x.shape.slice(1, split)), ...x.shape.slice(split)]);
  };
  const side = (parts: ReadonlyArray<T>, features: number): T =>
    ops.concat(
      parts.map((part) => sequence(part, features)),
      1,
    );
  return {
    ...first,
    input: side(
      uses.map(({ input }) => input),
      featureAxes,
    ),
    cotangents: first.cotangents.map((_, pass) =>
      side(
        uses.map(({ cotangents }) => cotangents[pass]),
        1,
      ),
    ),
    ...(first.weights === null || first.weights === undefined || uses.every(({ weights }) => weights === first.weights)
      ? {}
      : {
          weights: side(
            uses.flatMap(({ weights }) => weights ?? []),
            0,
          ),
        }),
  };
};

/** The uses of one site; those that meet the weight in another way than the first stand beside the others. */
const joined = <T extends Shaped>(ops: Ops<T>, uses: ReadonlyArray<SiteCapture<T>>): SiteCapture<T> => {
  const axesOf = ({ site }: SiteCapture<T>): number => siteBlock(site).featureAxes;
  const [first] = uses;
  const others = uses.filter((use) => axesOf(use) !== axesOf(first));
  if (others.length === 0) return sideBySide(ops, uses);
  const alike = uses.filter((use) => axesOf(use) === axesOf(first));
  return { ...sideBySide(ops, alike), other: sideBySide(ops, others) };
};

/**
 * One capture for each site that has a block: several uses of a site in one step are positions of the same example.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 */
export const capturesOf = <T extends Shaped>(ops: Ops<T>, captured: Captured<T>): ReadonlyArray<SiteCapture<T>> =>
  blockSites(captured.sites).map((site) =>
    joined(
      ops,
      captured.sites.filter((use) => sameSite(use.site, site)),
    ),
  );
