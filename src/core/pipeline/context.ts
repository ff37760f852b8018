/**
 * What a training step knows, field by field.
 *
 * Stages are typed by the names of the fields they need and add, and this interface says what each name means for an
 * interpreter's arrays `T`. A step therefore works on every backend, and one put together in a wrong order does not
 * compile.
 *
 * @module
 */
import type { Linearised, PassedSite } from '../autodiff/reverse.ts';
import type { Circumstances } from '../nn/layers/circumstances.ts';
import type { LinearOperator } from '../operators/linearOperator.ts';
import type { Ops } from '../ops/ops.ts';
import type { Site } from '../ops/site.ts';
import type { Params } from '../params.ts';
import type { Key } from '../random/key.ts';
import type { Shaped } from '../tensor.ts';
import type { BlockInUnits } from './blocks.ts';
import type { Judging, Objective, Weights } from './objective.ts';
import type { TrainState } from './trainState.ts';

/** Examples of one step: arrays by name (`inputs`, `targets`, `mask`, `weights`, …), each `[n, …]`. */
export type Batch<T> = Params<T>;

/**
 * A site of the forward pass with its input, without the homogeneous coordinate: `[n, in]`, or `[n, …, in]` with axes of
 * positions; indices `[n, …]` at an embedding.
 */
export interface SiteInput<T, S extends Site = Site> extends PassedSite<T> {
  readonly site: S;
}

/** Examples at which curvature is looked at, with the model linearised at them. */
export interface Sample<T extends Shaped> extends Linearised<T>, Judging<T> {
  /** Where the model is applied: the circumstances of the examples. */
  readonly at: Circumstances<T>;
  /** The linearisation once more with other operations, for passes whose temporaries go back before the step ends. */
  readonly linearise: (ops: Ops<T>) => Linearised<T>;
}

/** What one site saw in one batch. */
export interface SiteCapture<T, S extends Site = Site> extends SiteInput<T, S> {
  /**
   * Output cotangents g per example, never divided by the batch: `[n, …, out]`, one array per pass of the estimator. The
   * sum over passes of E[g gᵀ] estimates the Fisher.
   */
  readonly cotangents: ReadonlyArray<T>;
  /**
   * Weights of the examples `[n]`, of mean 1, whose square roots are in the cotangents; none where all weigh alike. Where the
   * batch weighs positions, `[n, …]`: those of the examples where the loss looks at a position, 0 at padding.
   */
  readonly weights?: T | null;
  /**
   * Whether the cotangents stand for all that have mean 0 and covariance I at every position, independent of the inputs and of
   * each other: whatever needs of them no more than that can have it without chance.
   */
  readonly isotropic?: true;
  /** Randomness of the step for what is drawn of the site's positions. */
  readonly key?: Key;
  /** What the other sort of uses saw, at a site whose weight is met in two ways. */
  readonly other?: Pick<SiteCapture<T>, 'input' | 'cotangents' | 'weights' | 'isotropic' | 'key'>;
}

/** What a batch says about the curvature. */
export interface Captured<T extends Shaped> {
  readonly sites: ReadonlyArray<SiteCapture<T>>;
  /**
   * Cotangents of parameters that no site covers, summed over examples whose cotangents are independent with mean zero. The
   * sum of the squares of all of these arrays estimates Σ_n g_n², summed over passes.
   */
  readonly uncovered: ReadonlyArray<Params<T>>;
  /** Training targets of the examples, for curvatures that keep classes apart. */
  readonly targets: T;
  /** Weights of the examples `[n]`; none where all weigh alike. */
  readonly weights?: T | null;
  /** Number of examples. */
  readonly examples: number;
  /**
   * Where an estimator has more passes than are held at once, the captures of the other passes, made on demand. Each, this
   * one included, is scaled to stand for all passes, so the mean over them is what all passes together give.
   */
  readonly more: ReadonlyArray<(ops: Ops<T>) => Captured<T>>;
}

/** One of several who move in a step, with what it knows of it by itself. */
export interface PlayerStep<T extends Shaped> {
  readonly name: string;
  /** Paths of its parameters among those that are trained. */
  readonly paths: ReadonlyArray<string>;
  /** Its step from its gradient on, in its parameters alone; those of the others are constants. */
  readonly context: Omit<
    StepFields<T>,
    'players' | 'parts' | 'captured' | 'operator' | 'damping' | 'direction' | 'predictedChange' | 'next'
  >;
}

/** The fields of a step in the order in which the standard stages add them. */
export interface StepFields<T extends Shaped> {
  /** The state before the step; stages that change a part of it (the averages, a prepared solve) replace it. */
  readonly state: TrainState<T>;
  readonly batch: Batch<T>;
  /** What is learned. */
  readonly objective: Objective;

  /** Where the model is applied in this step: the same in every pass over the batch. */
  readonly circumstances: Circumstances<T>;
  /** Targets of the batch. */
  readonly targets: T;
  /** Weights of the batch's examples, `null` where all weigh alike. */
  readonly weights: Weights<T> | null;
  /** What the model keeps for its next run, by path; the state has it already. */
  readonly kept: Params<T>;

  /** Model outputs, `[n, …]`. */
  readonly outputs: T;
  /** Mean loss over the batch, shape `[]`. */
  readonly loss: T;
  /** Sites in the order of the forward pass, with their input activations. */
  readonly sites: ReadonlyArray<SiteInput<T>>;
  /** How the parameters are grouped for curvature. */
  readonly blocks: ReadonlyArray<BlockInUnits<T>>;
  /** Jᵀ c for a cotangent c of the outputs, summed over examples, with the cotangents that passed the sites. */
  readonly pullback: Linearised<T>['pullback'];
  /** The sites' output cotangents alone: cheaper, since no parameter's cotangent is formed. */
  readonly sitePullback: (cotangent: T) => ReadonlyArray<T>;
  /** The cotangents of the parameters at some paths alone. */
  readonly parameterPullback: (paths: ReadonlyArray<string>) => (cotangent: T) => Params<T>;
  /** J u for tangents u of the parameters, per example, in the shape of the outputs. */
  readonly pushforward: Linearised<T>['pushforward'];
  /** The same linearisation in some of the parameters alone. */
  readonly narrow: (has: (path: string) => boolean) => Linearised<T>;
  /** Where curvature is looked at: the batch, or a part of it. */
  readonly sample: Sample<T>;

  /** Mean gradient over the batch. */
  readonly gradient: Params<T>;
  /** Cotangents of the training loss at the sites, per example, in the order of `sites`. */
  readonly siteCotangents: ReadonlyArray<T>;

  /** In a game, what each player knows by itself, in the order of the players. */
  readonly players: ReadonlyArray<PlayerStep<T>>;

  /** What the sites saw, or `null` in a step that takes no statistics. */
  readonly captured: Captured<T> | null;

  /** The curvature as an operator on block vectors. */
  readonly operator: LinearOperator<T>;

  /** λ, greater than 0, in units of the loss per example and squared parameter. */
  readonly damping: number;

  /** Preconditioned gradient, in the units of the parameters. */
  readonly direction: Params<T>;

  /** M(δ) − M(0): how much the quadratic model says that the loss changes. */
  readonly predictedChange: number;

  /** The state after the step. */
  readonly next: TrainState<T>;

  /** Steps within the step, of some of the parameters each, with all that they came to know: where a failure is looked for. */
  readonly parts: ReadonlyArray<Partial<StepFields<T>>>;

  /** Scalars of the step, shape `[]` or plain numbers, by name. A stage adds its own; `pipeline` merges them. */
  readonly metrics: Readonly<Record<string, T | number>>;
}

/** A field's name. */
export type Field = keyof StepFields<Shaped>;

/** The part of a step's knowledge that has the given fields. */
export type Context<T extends Shaped, Fields extends Field> = Pick<StepFields<T>, Fields>;

/** What every step starts from. */
export type Given = 'state' | 'batch' | 'objective';
