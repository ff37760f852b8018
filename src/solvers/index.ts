/**
 * From a gradient and a curvature to a step: solvers, damping, update rules, schedules, presets.
 *
 * @module
 */
export { batchWoodbury } from './batchWoodbury.ts';
export type { BatchWoodburyNeeds, BatchWoodburyOptions } from './batchWoodbury.ts';
export { calculate, dampedReciprocal, eachBlock, invertDiagonal, unsupported } from './blockwise.ts';
export { burnIn } from './burnIn.ts';
export { choleskySolve, factoriseBlocks, solveWithFactors } from './choleskySolve.ts';
export { classWiseInverse, invertClassWise } from './classWiseInverse.ts';
export type { ClassWiseMethod, ClassWiseOptions } from './classWiseInverse.ts';
export { factoredTikhonov, piOf } from './damping.ts';
export type { FactoredDamping } from './damping.ts';
export { denseInverse, invertDensely } from './denseInverse.ts';
export { dampDiagonalKronecker } from './diagonalKronecker.ts';
export type { DampedDiagonalKronecker } from './diagonalKronecker.ts';
export { eigen, eigenMetrics, eigenOf, invertInEigenbasis, invertMatrixInEigenbasis } from './eigen.ts';
export type { Extremes, Inverted, KroneckerEigen } from './eigen.ts';
export { driftOf } from './drift.ts';
export { ekfac } from './ekfac.ts';
export type { EkfacNeeds, EkfacOptions } from './ekfac.ts';
export { meanEigenvaluesOfParts, partsOf } from './factorParts.ts';
export type { FactorParts } from './factorParts.ts';
export { invertKroneckerBlocks } from './factorInverse.ts';
export type { FactorInverse, InvertFactor, InvertedBlocks } from './factorInverse.ts';
export { adam, identity } from './firstOrder.ts';
export type { AdamOptions, FirstOrderNeeds } from './firstOrder.ts';
export { gaussNewtonAction } from './gaussNewton.ts';
export { averageIterates, averagedParams } from './iterateAveraging.ts';
export type { IterateAveragingOptions } from './iterateAveraging.ts';
export { hssSolver } from './hssSolver.ts';
export type { HssSolverOptions } from './hssSolver.ts';
export { iterative, solveIteratively } from './iterative.ts';
export type { Attack, IterativeOptions, KrylovMethod } from './iterative.ts';
export { kfacCg } from './kfacCg.ts';
export type { KfacCgNeeds, KfacCgOptions } from './kfacCg.ts';
export { invertFactors, kroneckerInverse } from './kroneckerInverse.ts';
export { adaptedDamping, levenbergMarquardt, reductionRatio, takenBack } from './levenbergMarquardt.ts';
export type { LevenbergMarquardtOptions } from './levenbergMarquardt.ts';
export { invertLowRank, lowRankInverse } from './lowRankInverse.ts';
export { modelCoefficients } from './measuredModel.ts';
export type { ModelGivens } from './measuredModel.ts';
export { newtonSchulz, newtonSchulzInverse } from './newtonSchulz.ts';
export type { NewtonSchulzOptions, NewtonSchulzReport } from './newtonSchulz.ts';
export { normConstraint } from './normConstraint.ts';
export type { NormConstraintOptions } from './normConstraint.ts';
export { minimiseModel, modelChange, quadraticModelOf, updateNorm } from './quadraticModel.ts';
export type { ModelMinimum, QuadraticModel } from './quadraticModel.ts';
export { quadraticUpdate } from './quadraticUpdate.ts';
export type { QuadraticUpdateOptions } from './quadraticUpdate.ts';
export { leadingEigen } from './rangeFinder.ts';
export type { LeadingEigen, RangeOptions } from './rangeFinder.ts';
export {
  after,
  constant,
  cosine,
  exponential,
  inverseSquareRoot,
  piecewise,
  product,
  scheduleOf,
  warmUp,
} from './schedules.ts';
export type { Schedule } from './schedules.ts';
export { gammaCandidates, leastModel, separateDamping } from './separateDamping.ts';
export type { SeparateDampingOptions, SeparateNeeds } from './separateDamping.ts';
export { prepareBySite, siteDampingError } from './siteDamping.ts';
export type { SiteDamping } from './siteDamping.ts';
export { refreshed, refreshError } from './refresh.ts';
export type { DriftPeriod, Overlap, Period, Preparation, Refreshed, RefreshOptions } from './refresh.ts';
export {
  applyPrepared,
  computing,
  dampingAt,
  precondition,
  refreshing,
  refreshingReported,
  renew,
  solve,
  unreported,
} from './solver.ts';
export type { Prepare, PrepareReported, SolveNeeds, Solved, Solver, UsePrepared } from './solver.ts';
export { invertSuitably, suitableInverse } from './suitableInverse.ts';
export { invertTridiagonal, tridiagonalInverse } from './tridiagonalInverse.ts';
export { twoTermInverse } from './twoTerm.ts';
export { invertTwoTerms, twoTermSolver } from './twoTermSolver.ts';
export { update } from './update.ts';
export type { UpdateOptions } from './update.ts';
export { clipByGlobalNorm } from './rules/clipByGlobalNorm.ts';
export { innerProduct } from './rules/innerProduct.ts';
export { klClip } from './rules/klClip.ts';
export { momentum } from './rules/momentum.ts';
export type { MomentumOptions } from './rules/momentum.ts';
export type { Proposal, Revision, UpdateRule } from './rules/rule.ts';
export { weightDecay } from './rules/weightDecay.ts';
export { act, shifted } from './krylov/action.ts';
export type { Action, Applicable } from './krylov/action.ts';
export { bicgstab } from './krylov/bicgstab.ts';
export { conjugateGradient } from './krylov/conjugateGradient.ts';
export type { CgEnding, CgOptions, CgOutcome } from './krylov/conjugateGradient.ts';
export { gmres } from './krylov/gmres.ts';
export type { GmresOptions } from './krylov/gmres.ts';
export { hss } from './krylov/hss.ts';
export type { HssOptions } from './krylov/hss.ts';
export { hasStalled } from './krylov/martens.ts';
export type { MartensRule } from './krylov/martens.ts';
export { minres } from './krylov/minres.ts';
export type { Ending, Outcome, Reached } from './krylov/outcome.ts';
export { relative, settingsOf, startOf } from './krylov/problem.ts';
export type { KrylovOptions, Start } from './krylov/problem.ts';
export { splittingOf, splittingOfOperator } from './krylov/splitting.ts';
export type { Splitting } from './krylov/splitting.ts';
export { competitive } from './games/competitive.ts';
export type { CompetitiveOptions } from './games/competitive.ts';
export {
  inputsOf,
  interaction,
  jacobian,
  jacobianTranspose,
  jointGradient,
  ownGradient,
  playGame,
} from './games/game.ts';
export type { Game, GameNeeds, Player } from './games/game.ts';
export { gameNewton, preconditionedGameNewton } from './games/gameNewton.ts';
export type {
  GameNewtonOptions,
  PreconditionedGameNeeds,
  PreconditionedGameNewtonOptions,
} from './games/gameNewton.ts';
export { symplectic } from './games/symplectic.ts';
export type { SymplecticOptions } from './games/symplectic.ts';
export type { Optimizer } from './presets/optimizer.ts';
export { optimizerNames, optimizerOf } from './presets/registry.ts';
export type { Setting } from './presets/registry.ts';
export { adam as adamOptimizer } from './presets/adam.ts';
export type { AdamPresetOptions } from './presets/adam.ts';
export { blockKfac as blockKfacOptimizer } from './presets/blockKfac.ts';
export type { BlockKfacPresetOptions } from './presets/blockKfac.ts';
export { classKfac as classKfacOptimizer } from './presets/classKfac.ts';
export type { ClassKfacPresetOptions } from './presets/classKfac.ts';
export { ekfac as ekfacOptimizer } from './presets/ekfac.ts';
export type { EkfacPresetOptions } from './presets/ekfac.ts';
export { kfac as kfacOptimizer } from './presets/kfac.ts';
export type { KfacPresetOptions, KfacSettings } from './presets/kfac.ts';
export { kfacAdaptive as kfacAdaptiveOptimizer } from './presets/kfacAdaptive.ts';
export type { KfacAdaptiveOptions } from './presets/kfacAdaptive.ts';
export { kfacCg as kfacCgOptimizer } from './presets/kfacCg.ts';
export type { KfacCgPresetOptions } from './presets/kfacCg.ts';
export { lowRankKfac as lowRankKfacOptimizer } from './presets/lowRankKfac.ts';
export type { LowRankKfacOptions } from './presets/lowRankKfac.ts';
export { newtonSchulzKfac as newtonSchulzKfacOptimizer } from './presets/newtonSchulzKfac.ts';
export type { NewtonSchulzKfacOptions } from './presets/newtonSchulzKfac.ts';
export { sgd as sgdOptimizer } from './presets/sgd.ts';
export type { SgdOptions } from './presets/sgd.ts';
export { tridiagonalKfac as tridiagonalKfacOptimizer } from './presets/tridiagonalKfac.ts';
