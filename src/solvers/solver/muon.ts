/**
 * Muon: orthogonalised momentum for the weights of hidden layers, Adam for everything else [J24].
 *
 * What is hidden is told by the sites: weights of dense and convolutional layers are, but for the last of them, the head;
 * embeddings, gains, shifts, biases and parameters that several sites share are not.
 *
 * @module
 */
import { mapParams, pickParams } from '../../core/params.ts';
import type { Block } from '../../core/pipeline/blocks.ts';
import type { Shape } from '../../core/tensor.ts';
import { siteBlock } from '../../curvature/sites/kinds.ts';
import type { FirstOrderNeeds } from './firstOrder.ts';
import type { AdamOptions } from './moments.ts';
import { adamDirection, averagedWith, momentsWith } from './moments.ts';
import { orthogonalised } from './orthogonalise.ts';
import { ownMemory, remembering } from './ownMemory.ts';
import type { Solver } from './solver.ts';
import { computing } from './solver.ts';

/**
 * What an orthogonal matrix `[m, n]` is multiplied by: `rms`, 0.2 √max(m, n), has elements as large as Adam's, so that both
 * share a learning rate [LSY25]; `spectral`, √max(1, m / n), is Muon's own, for learning rates around 0.02.
 */
export const muonScales = ['rms', 'spectral'] as const;

/** A scale of Muon's. */
export type MuonScale = (typeof muonScales)[number];

/** Who may move the last layer. */
export const headMovers = ['adam', 'muon'] as const;

/** Who moves the last layer. */
export type HeadMover = (typeof headMovers)[number];

/** Settings of {@link muon}; β₁, β₂ and ε are Adam's. */
export interface MuonOptions extends AdamOptions {
  /** μ in [0, 1), 0.95 unless given. */
  readonly momentum?: number;
  /** Whether to look ahead along the gradient, as Nesterov does; yes unless given. */
  readonly nesterov?: boolean;
  /** Turns of the Newton–Schulz iteration, 5 unless given. */
  readonly iterations?: number;
  /** Scale of the orthogonal matrices, `rms` unless given. */
  readonly scale?: MuonScale;
  /** Who moves the last dense layer, `adam` unless given. */
  readonly head?: HeadMover;
  /** Adam's part moves by this multiple of the learning rate, 1 unless given. */
  readonly adamRate?: number;
}

/** Memory of Muon's part, and of Adam's beside it. */
const [velocity, first, second] = ['muon', 'muonFirst', 'muonSecond'];

const hiddenWeights = (blocks: ReadonlyArray<Block>, head: HeadMover): ReadonlyArray<string> => {
  const weights = blocks.flatMap((block) =>
    block.kind === 'site' && siteBlock(block.site).affine ? [block.site.weight] : [],
  );
  return head === 'muon' ? weights : weights.slice(0, -1);
};

const factorOf = (scale: MuonScale, [m, n]: Shape): number =>
  scale === 'rms' ? 0.2 * Math.sqrt(Math.max(m, n)) : Math.sqrt(Math.max(1, m / n));

/**
 * Muon's direction.
 *
 * @param options - momentum, iterations, scales, and Adam's settings
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { muon, solve, update } from 'kfac-ts/solvers';
 *
 * // As its author runs it: two learning rates, 0.02 and 3e-4.
 * const step = pipeline(
 *   forward,
 *   backward,
 *   solve(muon({ scale: 'spectral', adamRate: 0.015 })),
 *   update({ learningRate: 0.02 }),
 * );
 * ```
 */
export const muon = (options: MuonOptions = {}): Solver<FirstOrderNeeds | 'blocks'> => {
  const { momentum: mu = 0.95, nesterov = true, iterations = 5, scale = 'rms' } = options;
  const { head = 'adam', adamRate = 1, ...ofAdam } = options;
  return computing((ops, { state, gradient, blocks }) => {
    const hidden = hiddenWeights(blocks, head).filter((path) => Object.hasOwn(gradient, path));
    const rest = Object.keys(gradient).filter((path) => !hidden.includes(path));
    const { slots, begun, t } = ownMemory(state, velocity);

    const weights = pickParams(gradient, hidden);
    const v = averagedWith(ops, mu, slots[velocity], weights, t);
    const moved = mapParams(weights, (g, path) => {
      const ahead = nesterov ? ops.linearCombination(1 - mu, g, mu, v[path]) : v[path];
      return ops.scale(factorOf(scale, g.shape), orthogonalised(ops, ahead, iterations));
    });

    const before = { m: slots[first], v: slots[second] };
    const moments = momentsWith(ops, ofAdam, before, pickParams(gradient, rest), t);
    const adams = adamDirection(ops, ofAdam, moments, t);
    const scaled = adamRate === 1 ? adams : mapParams(adams, (d) => ops.scale(adamRate, d));
    return {
      direction: pickParams({ ...moved, ...scaled }, Object.keys(gradient)),
      state: remembering(state, begun, { [velocity]: v, [first]: moments.m, [second]: moments.v }),
      metrics: {},
    };
  });
};
