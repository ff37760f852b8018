/**
 * From captured statistics to curvature as linear operators.
 *
 * @module
 */
export { blockKfac, partitionedStatistics } from './blockKfac.ts';
export type { BlockKfacOptions } from './blockKfac.ts';
export { fromBlocks, toBlocks } from './blocks.ts';
export { bySite } from './bySite.ts';
export type { SitePart } from './bySite.ts';
export { capture } from './capture.ts';
export type { CaptureOptions } from './capture.ts';
export { classKfac } from './classKfac.ts';
export type { ClassKfacOptions } from './classKfac.ts';
export { coverage } from './coverage.ts';
export type { CoverageRow } from './coverage.ts';
export { blockwise, updateFactors } from './curvature.ts';
export type { Curvature } from './curvature.ts';
export { dense, fisherStatistics } from './dense.ts';
export type { DenseOptions } from './dense.ts';
export { diagonal, diagonalStatistics } from './diagonal.ts';
export { curvaturePropagation, empirical, estimatorNames, estimatorOf, exact, monteCarlo } from './estimators.ts';
export type { CurvaturePropagationOptions, Estimator, EstimatorName, MonteCarloOptions } from './estimators.ts';
export { describeBlock, kfac, kroneckerBlock } from './kfac.ts';
export type { KfacOptions } from './kfac.ts';
export { kfra } from './kfra.ts';
export { sample } from './sample.ts';
export type { SampleOptions } from './sample.ts';
export { crossStatistics, tridiagonalKfac } from './tridiagonalKfac.ts';
export { capturesOf } from './sites/captures.ts';
export { denseStatistics, homogeneousRows } from './sites/dense.ts';
export { blockEigenMoments, eigenMoments } from './sites/eigenMoments.ts';
export { embeddingStatistics, indexCounts, squaredIndexSums } from './sites/embedding.ts';
export type { Basis, Cuts, PartitionedBlock, Seen, SiteBlock, SiteKind, SiteKinds } from './sites/kind.ts';
export { siteBlock } from './sites/kinds.ts';
export { scaleShiftKinds } from './sites/options.ts';
export type { ScaleShiftKind, SiteOptions } from './sites/options.ts';
export { scaleShiftGradients, scaleShiftStatistics } from './sites/scaleShift.ts';
export {
  blockStatistics,
  orderOfSite,
  perExampleGradients,
  siteStatistics,
  statisticsBy,
  statisticsOfSites,
} from './sites/statistics.ts';
export { classFactors, classStatistics, classWeights } from './statistics/classes.ts';
export type { ClassFactors } from './statistics/classes.ts';
export { cotangentGram } from './statistics/factors.ts';
export { parameterStatistics, statisticsOfParameters } from './statistics/parameters.ts';
export { partitionOf } from './statistics/partition.ts';
export type { Cut, Run } from './statistics/partition.ts';
export { asRows, positionsOf, sharedRows, sharings, sumOfPositions } from './statistics/sharing.ts';
export type { SharedRows, Sharing } from './statistics/sharing.ts';
export { statisticsOfWindows } from './statistics/windows.ts';
export { averageInto, combine, means } from './statistics/statistics.ts';
export type { BlockStatistics, Statistics } from './statistics/statistics.ts';
