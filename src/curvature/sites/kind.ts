/**
 * What curvature asks of a site.
 *
 * A kind of site is a function from a site to its {@link SiteBlock}: how parameters are laid out in the block, what the
 * gradient of one example is, which statistics are kept and what operator they make. Nothing else in the library asks a
 * site of which kind it is; what a kind cannot do it says with `null`, and each curvature decides what that means for it.
 *
 * @module
 */
import type { SiteShapes } from '../../core/autodiff/shape.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { AnySite, Site } from '../../core/ops/site.ts';
import type { Params } from '../../core/params.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Cut } from '../statistics/partition.ts';
import type { SharedRows, Sharing } from '../statistics/sharing.ts';
import type { Statistics } from '../statistics/statistics.ts';
import type { SiteOptions } from './options.ts';

/** What a site saw: inputs `[n, …, in]` (indices `[n, …]` at an embedding) and cotangents `[n, …, out]` per pass. */
export type Seen<T> = Omit<SiteCapture<T>, 'site'>;

/** How the inputs (with the homogeneous coordinate) and the outputs of a block are cut. */
export interface Cuts {
  readonly inputs: Cut;
  readonly outputs: Cut;
  /** Whether sites that say of which heads their features are get a part for each head instead. */
  readonly perHead?: boolean;
}

/** Orthonormal bases of a block: of its inputs, whose order is the block's columns, and of its outputs. */
export interface Basis<T> {
  readonly UA: Factor<T>;
  readonly UG: Factor<T>;
}

/** Statistics in parts, and what they make. */
export interface PartitionedBlock {
  /** Sums over the examples, part by part, of weight n. */
  readonly statistics: <T extends Shaped>(
    ops: Ops<T>,
    seen: Seen<T>,
    cuts: Cuts,
    options: SiteOptions,
  ) => Statistics<T>;
  /** The operator of their averages. */
  readonly operator: <T>(averages: Params<T>) => BlockOperator<T>;
  /** What the operator is called in the coverage report. */
  readonly words: string;
}

/** The block of one site: all that curvature asks of it. */
export interface SiteBlock {
  /** The site's arrays among those of all parameters, as the block `[out, in]`. */
  readonly join: <T extends Shaped>(ops: Ops<T>, params: Params<T>) => T;
  /** The inverse of `join`: the block as arrays by parameter path. */
  readonly split: <T extends Shaped>(ops: Ops<T>, block: T) => Params<T>;
  /** How many axes at the end of the input are features; axes between them and the first are positions. */
  readonly featureAxes: number;
  /** Number of parameters. */
  readonly order: <T extends Shaped>(seen: Seen<T>) => number;
  /** Gradients of single examples, rows vec(V_n)ᵀ `[n, order]` for each pass, with V_n in the shape of the block. */
  readonly gradients: <T extends Shaped>(ops: Ops<T>, seen: Seen<T>) => ReadonlyArray<T>;
  /** Σ_n V_n² over the passes, in the shape of the block: what `gradients` say, without forming them where possible. */
  readonly squares: <T extends Shaped>(ops: Ops<T>, seen: Seen<T>) => T;
  /** The sums that K-FAC keeps, of weight n. */
  readonly statistics: <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, options: SiteOptions) => Statistics<T>;
  /** The operator of their averages. */
  readonly operator: <T extends Shaped>(averages: Params<T>, ops: Ops<T>) => BlockOperator<T>;
  /** What that operator is called in the coverage report, given the shapes that the site sees where they matter. */
  readonly words: (options: SiteOptions, shapes?: SiteShapes) => string;
  /** The same in parts, or `null` where the block is not cut. */
  readonly partitioned: PartitionedBlock | null;
  /**
   * Where the block of K-FAC is A ⊗ G with two full factors: ā and g as matrices whose rows count as examples, so that
   * whatever is made of such rows (statistics by class, between neighbours, an inverse through the batch) is made of them.
   * `null` elsewhere.
   */
  readonly rows: (<T extends Shaped>(ops: Ops<T>, seen: Seen<T>, sharing: Sharing) => SharedRows<T>) | null;
  /** Σ_n (U_Gᵀ V_n U_A)² over the passes, in the shape of the block, or `null` where it has no Kronecker basis. */
  readonly eigenMoments: (<T extends Shaped>(ops: Ops<T>, seen: Seen<T>, basis: Basis<T>) => T) | null;
  /** Runs of the block's columns, each with a homogeneous coordinate as its last where there is a bias; one unless given. */
  readonly groups?: number;
  /** Whether s = a Wᵀ + b at every position: what a recursion over layers can go through. */
  readonly affine: boolean;
}

/** One kind of site: what curvature asks of each of its sites. */
export type SiteKind<S extends AnySite> = (site: S) => SiteBlock;

/** A row for each kind. A new member of the union leaves a table without its row one that does not compile. */
export type SiteKinds<S extends AnySite = Site> = {
  readonly [K in S['kind']]: SiteKind<Extract<S, { readonly kind: K }>>;
};
