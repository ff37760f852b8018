/**
 * Block K-FAC for layers that are too wide for full factors.
 *
 * @module
 */
import { blockKfac as blockKfacCurvature } from '../../curvature/blockKfac.ts';
import type { Cut } from '../../curvature/statistics/partition.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDescent, kfacSettings } from './kfac.ts';
import { refreshOf } from './scaleFree.ts';
import { ofCurvature } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link blockKfac}: those of K-FAC, and how the layers are cut. */
export interface BlockKfacPresetOptions extends KfacPresetOptions {
  /** Parts of each layer's inputs, 4 unless given. */
  readonly inputBlocks?: number;
  /** Parts of each layer's outputs, 4 unless given. */
  readonly outputBlocks?: number;
  /** Size of a part, instead of their number; 0, the default, counts. */
  readonly blockSize?: number;
  /** Whether the projections of attention have a part for each head instead; they have not unless this is `true`. */
  readonly perHead?: boolean;
}

/**
 * Block K-FAC: factors of parts of the inputs and outputs, damped inverses, KL clip, momentum.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { blockKfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = blockKfacOptimizer({ inputBlocks: 4, outputBlocks: 2 });
 * optimizer.hyperparameters['inputBlocks']; // => 4
 * ```
 */
export const blockKfac: Preset<BlockKfacPresetOptions> = preset<BlockKfacPresetOptions>(
  'block-kfac',
  {
    ...kfacSettings,
    inputBlocks: ofCurvature.inputBlocks,
    outputBlocks: ofCurvature.outputBlocks,
    blockSize: ofCurvature.blockSize,
    perHead: ofCurvature.perHead,
  },
  (settings) => {
    const cutInto = (count: number): Cut => (settings.blockSize > 0 ? { size: settings.blockSize } : { count });
    const blocks = {
      inputs: cutInto(settings.inputBlocks),
      outputs: cutInto(settings.outputBlocks),
      perHead: settings.perHead,
    };
    return kfacDescent(
      settings,
      blockKfacCurvature({ ...settings, blocks }),
      preconditioned(kroneckerInverse, refreshOf(settings)),
    );
  },
);
