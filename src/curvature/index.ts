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
export type { KfraOptions } from './kfra.ts';
export { partitionOf } from './partition.ts';
export type { Cut, Run } from './partition.ts';
export { sample } from './sample.ts';
export type { SampleOptions } from './sample.ts';
export { crossStatistics, tridiagonalKfac } from './tridiagonalKfac.ts';
export { classFactors, classStatistics, classWeights } from './statistics/classes.ts';
export type { ClassFactors } from './statistics/classes.ts';
export { cotangentGram, denseStatistics, homogeneousRows } from './statistics/dense.ts';
export { blockEigenMoments, eigenMoments } from './statistics/eigenbasis.ts';
export type { Basis, OuterSite } from './statistics/eigenbasis.ts';
export { embeddingStatistics, indexCounts, squaredIndexSums } from './statistics/embedding.ts';
export { orderOfSite, perExampleGradients } from './statistics/perExample.ts';
export { scaleShiftGradients, scaleShiftKinds, scaleShiftStatistics } from './statistics/scaleShift.ts';
export type { ScaleShiftKind } from './statistics/scaleShift.ts';
export { asRows, capturesOf, positionsOf, sharedRows, sharings, sumOfPositions } from './statistics/sharing.ts';
export type { SharedRows, Sharing } from './statistics/sharing.ts';
export {
  blockStatistics,
  parameterStatistics,
  siteStatistics,
  statisticsBy,
  statisticsOfParameters,
  statisticsOfSites,
} from './statistics/site.ts';
export { statisticsOfWindows } from './statistics/windows.ts';
export type { SiteOptions } from './statistics/site.ts';
export { averageInto, combine, means } from './statistics/statistics.ts';
export type { BlockStatistics, Statistics } from './statistics/statistics.ts';
