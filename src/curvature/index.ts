/**
 * From captured statistics to curvature as linear operators.
 *
 * @module
 */
export { blockKfac } from './blockKfac.ts';
export type { BlockKfacOptions } from './blockKfac.ts';
export { changeToBlocks, fromBlocks, toBlocks } from './blocks.ts';
export { equilibrate, equilibrations } from './equilibrate.ts';
export type { EquilibrateOptions, Equilibration } from './equilibrate.ts';
export { bySite } from './bySite.ts';
export type { SitePart } from './bySite.ts';
export { capture } from './capture.ts';
export type { CaptureOptions } from './capture.ts';
export { classKfac } from './classKfac.ts';
export type { ClassKfacOptions } from './classKfac.ts';
export { captureGradient } from './captureGradient.ts';
export type { CaptureGradientOptions } from './captureGradient.ts';
export { gradientFactors } from './gradientFactors.ts';
export type { GradientFactorsOptions, VectorFactors } from './gradientFactors.ts';
export { coverage } from './coverage.ts';
export type { CoverageRow } from './coverage.ts';
export { blockwise, updateFactors } from './curvature.ts';
export { gatherStatistics } from './gatherStatistics.ts';
export type { Curvature, Network } from './curvature.ts';
export { workByBlock } from './dearness.ts';
export { dense } from './dense.ts';
export type { DenseOptions } from './dense.ts';
export { diagonal } from './diagonal.ts';
export {
  curvaturePropagation,
  empirical,
  estimatorNames,
  estimatorOf,
  exact,
  forwardOnly,
  monteCarlo,
} from './estimators.ts';
export type { CurvaturePropagationOptions, Estimator, EstimatorName, MonteCarloOptions } from './estimators.ts';
export { describeBlock, kfac, kroneckerBlock } from './kfac.ts';
export type { KfacOptions } from './kfac.ts';
export { kfra } from './kfra.ts';
export { sample } from './sample.ts';
export type { SampleOptions } from './sample.ts';
export { tridiagonalKfac } from './tridiagonalKfac.ts';
export { biasTreatments } from './sites/biases.ts';
export type { Biases } from './sites/biases.ts';
export type { Cuts } from './sites/kind.ts';
export { scaleShiftKinds } from './sites/options.ts';
export type { ScaleShiftKind, SiteOptions } from './sites/options.ts';
export { blockStatistics, perExampleGradients, siteStatistics, statisticsBy } from './sites/statistics.ts';
export type { Cut } from './statistics/partition.ts';
export { sharings } from './statistics/sharing.ts';
export type { Sharing } from './statistics/sharing.ts';
export { combine, means } from './statistics/statistics.ts';
export type { BlockStatistics, Statistics } from './statistics/statistics.ts';
