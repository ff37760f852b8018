/**
 * From a gradient and a curvature to a step: solvers, damping, update rules, schedules, presets.
 *
 * @module
 */
export { damp } from './solver/damp.ts';
export type { Allowing, DampingOf, Follow, Inverse, Preconditioner, Prepare, Refreshed } from './solver/inverse.ts';
export { preconditioned } from './solver/preconditioned.ts';
export { refresh } from './solver/refresh.ts';
export type { DriftPeriod, Overlap, RefreshOptions, RefreshPeriod } from './solver/refresh.ts';
export type { SiteDamping } from './solver/siteDamping.ts';
export { computing, solve } from './solver/solver.ts';
export type { Solved, Solver, SolveNeeds } from './solver/solver.ts';
export { autoChoices, autoInverse } from './inverses/autoInverse.ts';
export { batchWoodbury } from './inverses/batchWoodbury.ts';
export type { BatchWoodburyNeeds } from './inverses/batchWoodbury.ts';
export { choleskySolve } from './inverses/choleskySolve.ts';
export { classWiseInverse } from './inverses/classWiseInverse.ts';
export type { ClassWiseInverseOptions, ClassWiseMethod } from './inverses/classWiseInverse.ts';
export { denseInverse } from './inverses/denseInverse.ts';
export type { DenseInverseOptions } from './inverses/denseInverse.ts';
export { eigen } from './inverses/eigen.ts';
export { ekfac } from './inverses/ekfac.ts';
export type { EkfacOptions } from './inverses/ekfac.ts';
export { kroneckerInverse } from './inverses/kroneckerInverse.ts';
export { kroneckerInverseWithin } from './inverses/kroneckerInverseWithin.ts';
export { lowRankInverse } from './inverses/lowRankInverse.ts';
export { newtonSchulz } from './inverses/newtonSchulz.ts';
export type { NewtonSchulzOptions } from './inverses/newtonSchulz.ts';
export { rootInverse } from './inverses/rootInverse.ts';
export { tridiagonalInverse } from './inverses/tridiagonalInverse.ts';
export { twoTermSolve } from './inverses/twoTermSolve.ts';
export { eachBlock, invertDiagonal } from './inverses/factors/blockwise.ts';
export { unsupported } from './solver/unsupported.ts';
export { preparingFactors } from './inverses/factors/factorInverse.ts';
export type { FactorInverse, InvertMatrix } from './inverses/factors/factorInverse.ts';
export { factoredTikhonov, piOf } from './inverses/factors/factoredTikhonov.ts';
export type { FactoredDamping } from './inverses/factors/factoredTikhonov.ts';
export { leadingEigen } from './inverses/factors/rangeFinder.ts';
export type { LeadingEigen, RangeOptions } from './inverses/factors/rangeFinder.ts';
export { classWise } from './iterative/classWise.ts';
export type { ClassWiseOptions, SumMethod } from './iterative/classWise.ts';
export { gaussNewtonAction } from './iterative/gaussNewton.ts';
export { hssSolver } from './iterative/hssSolver.ts';
export type { HssSolverOptions } from './iterative/hssSolver.ts';
export { iterative } from './iterative/iterative.ts';
export type { IterativeOptions, KrylovMethod } from './iterative/iterative.ts';
export { kfacCg } from './iterative/kfacCg.ts';
export type { KfacCgNeeds, KfacCgOptions } from './iterative/kfacCg.ts';
export { burnIn } from './update/burnIn.ts';
export { adam, identity } from './solver/firstOrder.ts';
export type { FirstOrderNeeds } from './solver/firstOrder.ts';
export type { AdamOptions } from './solver/moments.ts';
export { muon } from './solver/muon.ts';
export type { HeadMover, MuonOptions, MuonScale } from './solver/muon.ts';
export { soap } from './inverses/soap.ts';
export type { SoapNeeds, SoapOptions } from './inverses/soap.ts';
export { averageIterates, averagedParams } from './update/iterateAveraging.ts';
export type { IterateAveragingOptions } from './update/iterateAveraging.ts';
export { crossBatchDamping } from './quadraticModel/crossBatchDamping.ts';
export type { CrossBatchOptions } from './quadraticModel/judgement.ts';
export { levenbergMarquardt } from './quadraticModel/levenbergMarquardt.ts';
export type { LevenbergMarquardtOptions } from './quadraticModel/levenbergMarquardt.ts';
export { normConstraint } from './update/normConstraint.ts';
export type { NormConstraintOptions } from './update/normConstraint.ts';
export { quadraticUpdate, quadraticUpdateWithin, updateByModel } from './quadraticModel/quadraticUpdate.ts';
export type { ModelUpdateOptions } from './quadraticModel/quadraticUpdate.ts';
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
export { separateDamping } from './quadraticModel/separateDamping.ts';
export type { SeparateDampingOptions, SeparateNeeds } from './quadraticModel/separateDamping.ts';
export { update } from './update/update.ts';
export type { UpdateOptions } from './update/update.ts';
export { adamRule } from './update/rules/adamRule.ts';
export { clipByGlobalNorm } from './update/rules/clipByGlobalNorm.ts';
export { graft } from './update/rules/graft.ts';
export type { GraftOptions } from './update/rules/graft.ts';
export type { Grafting } from './update/rules/grouped.ts';
export { klClip } from './update/rules/klClip.ts';
export { momentum } from './update/rules/momentum.ts';
export type { MomentumOptions } from './update/rules/momentum.ts';
export type { Kinds, MemoryKinds, MemoryOf } from './update/rules/memory.ts';
export { normalise } from './update/rules/normalise.ts';
export type { NormaliseOptions } from './update/rules/normalise.ts';
export { onlyFor } from './update/rules/onlyFor.ts';
export { renamed, rule } from './update/rules/rule.ts';
export type { Proposal, Revision, RuleWith, UpdateRule } from './update/rules/rule.ts';
export { weightDecay } from './update/rules/weightDecay.ts';
export type { Decays } from './update/rules/weightDecay.ts';
export { bicgstab } from './krylov/bicgstab.ts';
export { conjugateGradient } from './krylov/conjugateGradient.ts';
export type { CgEnding, CgOptions, CgOutcome } from './krylov/conjugateGradient.ts';
export { gmres } from './krylov/gmres.ts';
export type { GmresOptions } from './krylov/gmres.ts';
export { hss } from './krylov/hss.ts';
export type { HssOptions } from './krylov/hss.ts';
export type { MartensRule } from './krylov/martens.ts';
export { minres } from './krylov/minres.ts';
export type { Ending, Outcome, Reached } from './krylov/outcome.ts';
export type { KrylovOptions } from './krylov/problem.ts';
export { spectralRadius } from './krylov/spectralRadius.ts';
export { splittingOf, splittingOfOperator } from './krylov/splitting.ts';
export type { Splitting } from './krylov/splitting.ts';
export { competitive } from './games/competitive.ts';
export type { CompetitiveOptions } from './games/competitive.ts';
export { interaction, jacobian, jacobianTranspose, jointGradient } from './games/game.ts';
export { posed } from './games/networks.ts';
export type { AnyGame, NetworkGame, NetworkPlayer, Posed } from './games/networks.ts';
export { playGame, updatePlayers } from './games/playGame.ts';
export type { PlayersCurvature } from './games/playGame.ts';
export type { Game, GameNeeds, Player } from './games/game.ts';
export { gameNewton, preconditionedGameNewton } from './games/gameNewton.ts';
export type {
  GameNewtonOptions,
  PreconditionedGameNeeds,
  PreconditionedGameNewtonOptions,
} from './games/gameNewton.ts';
export { gamePreset, isGameOptimizer } from './games/gameOptimizer.ts';
export type { GameOptimizer, GamePreset, GameStep } from './games/gameOptimizer.ts';
export {
  competitiveDescent,
  newtonOfGames,
  simultaneousDescent,
  splittingOfGames,
  symplecticDescent,
} from './games/gamePresets.ts';
export type {
  CompetitiveDescentOptions,
  NewtonOfGamesOptions,
  SimultaneousOptions,
  SymplecticDescentOptions,
} from './games/gamePresets.ts';
export { turns } from './games/turns.ts';
export type { TurnPlayer, TurnsOptions } from './games/turns.ts';
export { symplectic } from './games/symplectic.ts';
export type { SymplecticOptions } from './games/symplectic.ts';
export { partition } from './groups/partition.ts';
export type { Partition, PartitionGroup } from './groups/partition.ts';
export type { Share } from './groups/members.ts';
export { gradientOptimizer } from './presets/optimizer.ts';
export type { GradientOptimizer, Optimizer } from './presets/optimizer.ts';
export { optimizerNames, optimizerOf } from './presets/registry.ts';
export type { Preset } from './presets/preset.ts';
export type { Range } from './settings/range.ts';
export { tunable } from './settings/setting.ts';
export type { SearchRange, Setting, Settings, SettingValue } from './settings/setting.ts';
export { adam as adamOptimizer } from './presets/adam.ts';
export type { AdamPresetOptions } from './presets/adam.ts';
export { adamw as adamwOptimizer } from './presets/adamw.ts';
export type { AdamwOptions } from './presets/adamw.ts';
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
export type { ScaleFreeOptions } from './presets/scaleFree.ts';
export { kfacGrafted as kfacGraftedOptimizer } from './presets/kfacGrafted.ts';
export type { KfacGraftedOptions } from './presets/kfacGrafted.ts';
export { kfacCg as kfacCgOptimizer } from './presets/kfacCg.ts';
export type { KfacCgPresetOptions } from './presets/kfacCg.ts';
export { lowRankKfac as lowRankKfacOptimizer } from './presets/lowRankKfac.ts';
export type { LowRankKfacOptions } from './presets/lowRankKfac.ts';
export { muon as muonOptimizer } from './presets/muon.ts';
export type { MuonPresetOptions } from './presets/muon.ts';
export { newtonSchulzKfac as newtonSchulzKfacOptimizer } from './presets/newtonSchulzKfac.ts';
export type { NewtonSchulzKfacOptions } from './presets/newtonSchulzKfac.ts';
export { shampoo as shampooOptimizer } from './presets/shampoo.ts';
export type { GradientStatisticsOptions, ShampooOptions } from './presets/shampoo.ts';
export { soap as soapOptimizer } from './presets/soap.ts';
export type { SoapPresetOptions } from './presets/soap.ts';
export { sgd as sgdOptimizer } from './presets/sgd.ts';
export type { SgdOptions } from './presets/sgd.ts';
export { tridiagonalKfac as tridiagonalKfacOptimizer } from './presets/tridiagonalKfac.ts';
export { decay } from './update/decay.ts';
