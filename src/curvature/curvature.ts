/**
 * What a curvature approximation is, and the stage that keeps it up to date.
 *
 * A curvature is two functions: from a capture to statistics per block, and from averaged statistics to an operator.
 * The average between them is the same for all, so averaging over time, micro-batches and workers is written once.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../core/backends/backend.ts';
import type { SiteShapes } from '../core/autodiff/shape.ts';
import type { KfacError } from '../core/errors.ts';
import { raise } from '../core/errors.ts';
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import type { LinearOperator } from '../core/operators/linearOperator.ts';
import { blockDiagonal } from '../core/operators/linearOperator.ts';
import type { Model } from '../core/nn/model.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { calculate } from '../core/pipeline/compute.ts';
import type { Captured, Context } from '../core/pipeline/context.ts';
import type { Env } from '../core/pipeline/env.ts';
import type { Objective } from '../core/pipeline/objective.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { stage } from '../core/pipeline/stage.ts';
import { tidily } from '../core/pipeline/tidied.ts';
import { chained } from '../core/tasks.ts';
import type { CurvatureState } from '../core/pipeline/trainState.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import type { BlockStatistics } from './statistics/statistics.ts';
import { averageInto } from './statistics/statistics.ts';
import { statisticsOfWindows } from './statistics/windows.ts';

/** A model with its parameters. */
export interface Network<T> {
  readonly model: Model;
  /** All of them: those that are trained and those that are held fixed. */
  readonly params: Params<T>;
}

/** A curvature approximation. */
export interface Curvature {
  readonly name: string;
  /** ρ of the moving average, in [0, 1). */
  readonly decay: number;
  /** Whether a parameter without a site is an error instead of a diagonal block. */
  readonly strict: boolean;
  /** Refuses what only a look at the values of a capture can tell, before statistics are made of it. */
  readonly inspect?: <T extends Shaped>(
    backend: Backend<T>,
    captured: Captured<T>,
  ) => TE.TaskEither<KfacError, unknown>;
  /** Sums of a batch, from what was captured and the network that it was captured in. */
  readonly statistics: <T extends Shaped>(ops: Ops<T>, captured: Captured<T>, at: Network<T>) => BlockStatistics<T>;
  /** The curvature as an operator, from averages by block and name. */
  readonly operator: <T extends Shaped>(
    ops: Ops<T>,
    blocks: ReadonlyArray<Block>,
    averages: CurvatureState<T>['averages'],
  ) => LinearOperator<T>;
  /** What the block's curvature is called in the coverage report, given the sites of the forward pass where it matters. */
  readonly describe: (block: Block, sites?: ReadonlyArray<SiteShapes>) => string;
}

/**
 * ⊕ over blocks, each from its own averages: the operator of every block-diagonal curvature.
 *
 * @param blocks - the model's blocks
 * @param averages - by block and name
 * @param operatorOf - the operator of one block
 * @example
 * ```ts
 * import type { Curvature } from 'kfac-ts/curvature';
 * import { blockwise, kfac, kroneckerBlock } from 'kfac-ts/curvature';
 *
 * // What K-FAC does, spelled out: a place for a block's operator of one's own.
 * const own: Curvature = {
 *   ...kfac(),
 *   name: 'own',
 *   operator: (ops, blocks, averages) =>
 *     blockwise(blocks, averages, (block, found) => kroneckerBlock(ops, block, found)),
 * };
 * ```
 */
export const blockwise = <T>(
  blocks: ReadonlyArray<Block>,
  averages: CurvatureState<T>['averages'],
  operatorOf: (block: Block, averages: Params<T>) => BlockOperator<T>,
): LinearOperator<T> =>
  blockDiagonal(Object.fromEntries(blocks.map((block) => [block.name, operatorOf(block, averages[block.name])])));

/** Averages a batch's statistics into the state. */
const accumulate = <T extends Shaped>(
  backend: Backend<T>,
  curvature: Curvature,
  { params, held, curvature: state }: Context<T, 'state'>['state'],
  objective: Objective,
  captured: Captured<T>,
): CurvatureState<T> => {
  const updates = state.updates + 1;
  return tidily(backend, Object.values(params), (inner) => {
    const sums = statisticsOfWindows(inner, captured, (ops, window) =>
      curvature.statistics(ops, window, { params: { ...held, ...params }, model: objective.model }),
    );
    const averages = Object.entries(sums).map(([name, statistics]): readonly [string, Params<T>] => [
      name,
      averageInto(inner.ops, curvature.decay, updates, state.averages[name], statistics),
    ]);
    return { averages: Object.fromEntries(averages), updates };
  });
};

/** Why a parameter has no site, in the words of an error. */
const uncoveredBy = ({ tied, elsewhere }: Extract<Block, { readonly kind: 'parameter' }>): string => {
  if (tied !== undefined) return `a parameter of sites that share parameters: ${tied.join(', ')}`;
  return elsewhere === undefined
    ? 'a parameter without a site'
    : `a parameter of a site that does not see every use of ${elsewhere.join(', ')}`;
};

const refuseUncovered = (blocks: ReadonlyArray<Block>): ReadonlyArray<Block> =>
  blocks.map((block) =>
    block.kind === 'site'
      ? block
      : raise({
          _tag: 'BadConfig',
          path: block.name,
          expected: 'a parameter that belongs to one site, since the curvature is strict',
          actual: uncoveredBy(block),
        }),
  );

type UpdateNeeds = 'state' | 'objective' | 'blocks' | 'captured';

/**
 * Averages what was captured and gives the curvature as an operator; without a capture the average stays.
 *
 * @param curvature - the approximation
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact, kfac, updateFactors } from 'kfac-ts/curvature';
 *
 * const curved = pipeline(forward, backward, capture(exact()), updateFactors(kfac({ decay: 0.9, strict: true })));
 * ```
 */
export const updateFactors = (curvature: Curvature): Stage<UpdateNeeds, 'state' | 'operator'> =>
  stage(
    'updateFactors',
    <T extends Shaped>({ state, objective, blocks, captured }: Context<T, UpdateNeeds>) =>
      ({ backend }: Env<T>) =>
        pipe(
          captured === null || curvature.inspect === undefined ? TE.right(null) : curvature.inspect(backend, captured),
          chained(() =>
            calculate(() => {
              const accepted = curvature.strict ? refuseUncovered(blocks) : blocks;
              const averaged =
                captured === null ? state.curvature : accumulate(backend, curvature, state, objective, captured);
              return {
                state: { ...state, curvature: averaged },
                operator: curvature.operator(backend.ops, accepted, averaged.averages),
              };
            }),
          ),
        ),
  );
