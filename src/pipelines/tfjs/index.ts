/**
 * K-FAC inside TensorFlow.js. It needs `@tensorflow/tfjs-core` and `@tensorflow/tfjs-layers` beside this package.
 *
 * @module
 */
export { KFACOptimizer } from './optimizer.ts';
export type { KFACOptions } from './optimizer.ts';
export type { CoverageRow } from '../../curvature/coverage.ts';
export type { Metrics } from '../../core/pipeline/metrics.ts';
