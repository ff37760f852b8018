/**
 * The array language and its interpreters, automatic differentiation, layers and losses, stages.
 *
 * @module
 */
export { attempt, describeError, orRaise, raise } from './errors.ts';
export type {
  BackendUnavailable,
  BadCheckpoint,
  BadConfig,
  BadData,
  CallbackFailed,
  CollectiveFailed,
  DeviceFailed,
  FileFailed,
  NotDrawn,
  KfacError,
  NonFinite,
  NotPositiveDefinite,
  ShapeMismatch,
} from './errors.ts';
export { allocate, cast, generate, sameShape, sizeOf, tensor } from './tensor.ts';
export type { DType, ReadonlyVector, Shape, Shaped, Tensor } from './tensor.ts';
export { joinPath, leavesOf, mapParams, pickParams, zipParams } from './params.ts';
export type { Params } from './params.ts';
export { selectedPaths, selects } from './selection.ts';
export type { Selection } from './selection.ts';
export { completeOps } from './ops/complete.ts';
export type { Derived, Ops, Standardised, Whole } from './ops/ops.ts';
export { innerProduct } from './ops/innerProduct.ts';
export { unaryKinds } from './ops/primitives.ts';
export type { BinaryKind, Primitives, Transposes, UnaryKind } from './ops/primitives.ts';
export type { Window } from './ops/window.ts';
export { narrowSite, parametersOfSite } from './ops/site.ts';
export type {
  AnySite,
  ConvolutionSite,
  DenseSite,
  EmbeddingSite,
  Heads,
  ScaleShiftSite,
  ShiftSite,
  Site,
  TiedSite,
  TransposedConvolutionSite,
} from './ops/site.ts';
export { growing, isDue } from './pipeline/period.ts';
export type { Growing, Period } from './pipeline/period.ts';
export type { Program, TreeProgram } from './autodiff/program.ts';
export { gradientOf, vjp, vjpTree } from './autodiff/reverse.ts';
export type { Cotangents, Linearised, LinearisedTree, PassedSite } from './autodiff/reverse.ts';
export { jvp, jvpTree } from './autodiff/forward.ts';
export type { Jvp } from './autodiff/forward.ts';
export { gaussNewton, gaussNewtonProduct, hessianProduct } from './autodiff/products.ts';
export { dryRun } from './autodiff/shape.ts';
export type { DryRun, ShapeInterpreter, SiteShapes, Tally } from './autodiff/shape.ts';
export { apply, applyBlock, applyBlockTranspose, applyTranspose } from './operators/apply.ts';
export { materialise, materialiseBlocks } from './operators/materialise.ts';
export type { Composite, VectorSpace } from './operators/composite.ts';
export { costOf, costOfBlocks } from './operators/cost.ts';
export type { Cost } from './operators/factors/measures.ts';
export { dampedBlock, eigenKronecker, kronecker, twoTerm } from './operators/blockOperator.ts';
export {
  cholesky,
  dense as denseOperator,
  diagonal,
  directSum,
  identity as identityOperator,
  lowRank,
  orderOf,
} from './operators/factors/factor.ts';
export type { Cholesky, Dense, Diagonal, DirectSum, Factor, Identity, LowRank } from './operators/factors/factor.ts';
export { matrixOf, traceOf } from './operators/factors/measures.ts';
export { scaled, skewPart, sumOf, symmetricPart } from './operators/composite.ts';
export {
  blockDiagonal,
  blockTridiagonal,
  blockTridiagonalInverse,
  congruent,
  damped,
} from './operators/linearOperator.ts';
export type { BlockOperator, EigenKronecker, Kronecker, Product, TwoTerm } from './operators/blockOperator.ts';
export type { Damped, Scaled, SkewPart, Sum, SymmetricPart } from './operators/composite.ts';
export type {
  BlockDiagonal,
  BlockTridiagonal,
  BlockTridiagonalInverse,
  Congruent,
  LinearOperator,
  Link,
} from './operators/linearOperator.ts';
export { act, shifted } from './operators/action.ts';
export type { Action, Applicable } from './operators/action.ts';
export { nearestKronecker } from './operators/nearestKronecker.ts';
export { stack, unstack, unvec, vec } from './operators/vec.ts';
export type {
  Backend,
  BackendReport,
  LinearAlgebra,
  MemoryReport,
  Scope,
  SomeBackend,
  SymmetricEigen,
} from './backends/backend.ts';
export { backendNames, chooseBackend, openBackend, withBackend } from './backends/choice/choose.ts';
export type { BackendName, BackendOptions } from './backends/choice/choose.ts';
export { diagnose } from './backends/choice/doctor.ts';
export type { Diagnosis, DiagnosisOptions, Finding, ModeFinding } from './backends/choice/doctor.ts';
export { nativeBackend } from './backends/native/backend.ts';
export type { SharingOptions } from './backends/host/simd/sharing.ts';
export type { NativeOptions } from './backends/native/backend.ts';
export type { PortableBackendOptions } from './backends/portable/backend.ts';
export { portableBackend } from './backends/portable/backend.ts';
export { gpuBackend } from './backends/gpu/backend.ts';
export type { GpuOptions } from './backends/gpu/backend.ts';
export { gpuModes } from './backends/gpuModes.ts';
export type { GpuMode, GpuPlace, Refusal } from './backends/gpuModes.ts';
export type { ProgramArguments, ShapedLike } from './backends/gpu/compiled/arguments.ts';
export { compileProgram } from './backends/gpu/compiled/compile.ts';
export type { CompiledMode, CompiledProgram, CompileOptions } from './backends/gpu/compiled/compile.ts';
export type { PlanReport } from './backends/gpu/compiled/plan.ts';
export { referenceBackend } from './backends/reference/backend.ts';
export { activation } from './nn/layers/activation.ts';
export type { ActivationKind } from './nn/layers/activation.ts';
export { conv1d, conv2d } from './nn/layers/convolution.ts';
export type { Conv1dOptions, Conv2dOptions } from './nn/layers/convolution.ts';
export { convTranspose2d } from './nn/layers/transposedConvolution.ts';
export type { ConvTranspose2dOptions } from './nn/layers/transposedConvolution.ts';
export { averagePool, globalAveragePool, maxPool, upsample } from './nn/layers/pooling.ts';
export type { PoolOptions } from './nn/layers/pooling.ts';
export type { Padding, Sides, WindowOptions } from './nn/layers/windows.ts';
export { dense } from './nn/layers/dense.ts';
export { latent } from './nn/layers/latent.ts';
export type { LatentOptions } from './nn/layers/latent.ts';
export { dropout } from './nn/layers/dropout.ts';
export type { DenseOptions } from './nn/layers/dense.ts';
export { embedding } from './nn/layers/embedding.ts';
export type { EmbeddingOptions } from './nn/layers/embedding.ts';
export { arrayAt, evaluating, keyAt } from './nn/layers/circumstances.ts';
export type { Circumstances } from './nn/layers/circumstances.ts';
export type { Initialiser } from './nn/initialisers/initialiser.ts';
export { leaf, parameterAt } from './nn/layers/layer.ts';
export type { Layer, ParameterSpec } from './nn/layers/layer.ts';
export { batchNorm } from './nn/layers/batchNorm.ts';
export type { BatchNormOptions } from './nn/layers/batchNorm.ts';
export { groupNorm } from './nn/layers/groupNorm.ts';
export type { GroupNormOptions } from './nn/layers/groupNorm.ts';
export { rmsNorm } from './nn/layers/rmsNorm.ts';
export type { RmsNormOptions } from './nn/layers/rmsNorm.ts';
export { layerNorm } from './nn/layers/layerNorm.ts';
export type { LayerNormOptions } from './nn/layers/layerNorm.ts';
export { multiHeadAttention } from './nn/layers/attention/multiHeadAttention.ts';
export type { AttentionOptions } from './nn/layers/attention/multiHeadAttention.ts';
export { transformerBlock } from './nn/layers/attention/transformerBlock.ts';
export type { TransformerBlockOptions } from './nn/layers/attention/transformerBlock.ts';
export { encoderDecoder } from './nn/layers/attention/encoderDecoder.ts';
export type { EncoderDecoderOptions } from './nn/layers/attention/encoderDecoder.ts';
export { learnedPositions, sinusoidalPositions } from './nn/layers/attention/positions.ts';
export type { PositionsOptions } from './nn/layers/attention/positions.ts';
export { meanPool } from './nn/layers/meanPool.ts';
export type { MeanPoolOptions } from './nn/layers/meanPool.ts';
export { tiedProjection } from './nn/layers/tiedProjection.ts';
export type { TiedProjectionOptions } from './nn/layers/tiedProjection.ts';
export { gru, lstm, rnn } from './nn/layers/recurrence/recurrent.ts';
export type { RecurrentOptions, RnnOptions } from './nn/layers/recurrence/recurrent.ts';
export { initialParams, model, summarise } from './nn/model.ts';
export type { Model, ModelProgram } from './nn/model.ts';
export { flatten, reshape } from './nn/layers/reshape.ts';
export { residual } from './nn/layers/residual.ts';
export { scaleShift } from './nn/layers/scaleShift.ts';
export type { ScaleShiftOptions } from './nn/layers/scaleShift.ts';
export { sequential } from './nn/layers/sequential.ts';
export type { LayerSummary, Summary } from './nn/summary.ts';
export { constant, zeros } from './nn/initialisers/constant.ts';
export { gaussian } from './nn/initialisers/gaussian.ts';
export { lsuv } from './nn/lsuv.ts';
export { orthogonal } from './nn/initialisers/orthogonal.ts';
export { sparse } from './nn/initialisers/sparse.ts';
export { glorotNormal, glorotUniform, heNormal, heUniform } from './nn/initialisers/varianceScaling.ts';
export { sumPerExample, targetsLike, weighed } from './nn/losses/loss.ts';
export type { Admissible, Range } from './nn/admissible.ts';
export type { Loss } from './nn/losses/loss.ts';
export { meanOverPositions } from './nn/losses/meanOverPositions.ts';
export { multiplied } from './nn/losses/multiplied.ts';
export { softmaxCrossEntropy } from './nn/losses/softmaxCrossEntropy.ts';
export { hinge, linearScore } from './nn/losses/margins.ts';
export { gradientPenalty, r1 } from './nn/losses/gradientPenalty.ts';
export type { Scoring } from './nn/losses/gradientPenalty.ts';
export { towards } from './nn/losses/towards.ts';
export { sigmoidCrossEntropy } from './nn/losses/sigmoidCrossEntropy.ts';
export { poisson } from './nn/losses/poisson.ts';
export { sigmoidCrossEntropyWith } from './nn/losses/sigmoidCrossEntropyWith.ts';
export type { SigmoidCrossEntropyOptions } from './nn/losses/sigmoidCrossEntropyWith.ts';
export { softmaxCrossEntropyWith } from './nn/losses/softmaxCrossEntropyWith.ts';
export type { SoftmaxCrossEntropyOptions } from './nn/losses/softmaxCrossEntropyWith.ts';
export { squaredErrorWith } from './nn/losses/squaredErrorWith.ts';
export type { SquaredErrorOptions } from './nn/losses/squaredErrorWith.ts';
export { squaredError } from './nn/losses/squaredError.ts';
export { keyOf } from './random/key.ts';
export type { Key } from './random/key.ts';
export { foldIn, split } from './random/split.ts';
export { uniform } from './random/uniform.ts';
export type { FloatType } from './random/uniform.ts';
export { normal } from './random/normal.ts';
export { permutation } from './random/permutation.ts';
export { signs } from './random/signs.ts';
export type { Block, BlockInUnits } from './pipeline/blocks.ts';
export { blocksOf } from './pipeline/blocks.ts';
export { computation, compute } from './pipeline/compute.ts';
export type { Computation } from './pipeline/compute.ts';
export type {
  Batch,
  Captured,
  Context,
  Field,
  Given,
  PlayerStep,
  Sample,
  SiteCapture,
  SiteInput,
  StepFields,
} from './pipeline/context.ts';
export type { Env } from './pipeline/env.ts';
export { countStep, countSteps, meanFlops } from './pipeline/count.ts';
export type { StepCount } from './pipeline/count.ts';
export { stageCosts } from './pipeline/stageCosts.ts';
export type { StageCost } from './pipeline/stageCosts.ts';
export { arraysIn } from './pipeline/arraysIn.ts';
export { placeState, readState } from './pipeline/transfer.ts';
export { takeStep } from './pipeline/takeStep.ts';
export type { LossBound, Stepped } from './pipeline/takeStep.ts';
export { distributed } from './parallel/spread/distributed.ts';
export type { DistributedOptions } from './parallel/spread/distributed.ts';
export type { GradientWorkers } from './parallel/spread/rows.ts';
export type { Wire } from './parallel/spread/wire.ts';
export type { Collective, Posted, Traffic } from './parallel/collective.ts';
export { measureMessages } from './parallel/measure.ts';
export type { MessageCost } from './parallel/measure.ts';
export { simulated, single } from './parallel/simulated.ts';
export { mpi } from './parallel/mpi/mpi.ts';
export type { Mpi } from './parallel/mpi/mpi.ts';
export { launchOf } from './parallel/mpi/launch.ts';
export type { Abi, Launch } from './parallel/mpi/launch.ts';
export type { Spread } from './parallel/spread/array.ts';
export { createBackground } from './pipeline/background.ts';
export type { Background, Work } from './pipeline/background.ts';
export type { Prepared } from './pipeline/prepared.ts';
export { backward, forward } from './pipeline/forward.ts';
export type { Forwarded } from './pipeline/forward.ts';
export { linearise, outputsAt } from './pipeline/linearise.ts';
export type { Placed } from './pipeline/linearise.ts';
export { judgingOf, lossGradient, meanLoss } from './pipeline/objective.ts';
export type { Judging, Objective, Weights } from './pipeline/objective.ts';
export { learn, withObjective } from './pipeline/withObjective.ts';
export { iterate } from './iterate.ts';
export { prefetched } from './scan.ts';
export type { Source } from './scan.ts';
export { readMetrics } from './pipeline/metrics.ts';
export type { Metrics } from './pipeline/metrics.ts';
export { readScalars } from './pipeline/read.ts';
export { descent } from './pipeline/descent.ts';
export type { Descent, FromGradient, GradientContext } from './pipeline/descent.ts';
export { pipeline, stage } from './pipeline/stage.ts';
export type { Foresee, Stage, StageRun, Step } from './pipeline/stage.ts';
export { initialState } from './pipeline/trainState.ts';
export type {
  Allowance,
  CurvatureState,
  Pending,
  Memory,
  RuleMemory,
  SolverState,
  TrainState,
} from './pipeline/trainState.ts';
