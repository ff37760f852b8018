/**
 * Block-tridiagonal K-FAC, for sequential models [MG15 §4.3].
 *
 * @module
 */
import { tridiagonalKfac as tridiagonalCurvature } from '../../curvature/tridiagonalKfac.ts';
import { tridiagonalInverse } from '../inverses/tridiagonalInverse.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDescent, kfacSettings } from './kfac.ts';
import { refreshOf } from './scaleFree.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/**
 * Block-tridiagonal K-FAC: every layer's direction takes the next layer's into account. Its inverses cost several times
 * those of `kfac`.
 *
 * @param options - settings of K-FAC, each with a default
 * @example
 * ```ts
 * import { tridiagonalKfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = tridiagonalKfacOptimizer({ damping: 10 });
 * ```
 */
export const tridiagonalKfac: Preset<KfacPresetOptions> = preset<KfacPresetOptions>(
  'tridiagonal-kfac',
  kfacSettings,
  (settings) =>
    kfacDescent(settings, tridiagonalCurvature(settings), preconditioned(tridiagonalInverse, refreshOf(settings))),
);
