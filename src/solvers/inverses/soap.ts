/**
 * SOAP: Adam in the eigenbasis of Shampoo's factors [VMZ24].
 *
 * The basis is the one of the steps before, so that no gradient is scaled in a basis of its own, where its second moments
 * would be zeros and rounding. The first step therefore only gathers: it moves nothing.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { apply } from '../../core/operators/apply.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { eigenKronecker } from '../../core/operators/blockOperator.ts';
import { diagonal, lowRank } from '../../core/operators/factors/factor.ts';
import { factorTimes, timesFactor } from '../../core/operators/factors/products.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf } from '../../core/ops/shapes.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { SolverState, TrainState } from '../../core/pipeline/trainState.ts';
import type { Shape, Shaped } from '../../core/tensor.ts';
import { sameShape } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import { unitsIn } from '../../curvature/equilibrate.ts';
import { eigenbasis } from './eigenbasis.ts';
import type { AdamOptions } from '../solver/moments.ts';
import { averagedWith, correctionsAt } from '../solver/moments.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import { refresh } from '../solver/refresh.ts';
import type { Solver, SolveNeeds } from '../solver/solver.ts';

/** Settings of {@link soap}: Adam's, of which β₁ and β₂ are 0.95 unless given, and when the basis is refined. */
export type SoapOptions = AdamOptions & Omit<RefreshOptions, 'siteDamping'>;

/** The fields that SOAP needs. */
export type SoapNeeds = Exclude<SolveNeeds, 'damping'>;

/** Memory of the moments, and of how many gradients are in them. */
const [first, second, count] = ['soapFirst', 'soapSecond', 'soap'];

/** Blocks with their bases, and what scales in them. */
type Bases<T> = Readonly<Record<string, BlockOperator<T>>>;

/** Uᵀ g in the basis of a block. */
const projected = <T extends Shaped>(ops: Ops<T>, block: BlockOperator<T>, g: T): T => {
  if (block._tag === 'eigenKronecker') return timesFactor(ops, factorTimes(ops, block.UG, g, true), block.UA);
  if (block._tag !== 'lowRank') return g;
  return ops.reshape(ops.matmul(block.U, ops.reshape(g, [g.shape[0], 1]), { transposeA: true }), g.shape);
};

/** U diag(S) Uᵀ in the basis of a block. */
const withScales = <T>(block: BlockOperator<T>, S: T): BlockOperator<T> => {
  if (block._tag === 'eigenKronecker') return eigenKronecker(block.UA, block.UG, S);
  return block._tag === 'lowRank' ? lowRank(block.U, diagonal(S), 0) : diagonal(S);
};

/** Shape of the scales in a block that is SOAP's own; `null` of any other. */
const scalesOf = <T extends Shaped>(block: BlockOperator<T> | undefined): Shape | null => {
  if (block?._tag === 'eigenKronecker') return block.S.shape;
  if (block?._tag === 'lowRank' && block.core._tag === 'diagonal') return block.core.values.shape;
  return block?._tag === 'diagonal' ? block.values.shape : null;
};

/** The bases that a state has for these arrays with moments in them; `null` at first, and after another optimizer. */
const basesIn = <T extends Shaped>({ prepared, slots }: SolverState<T>, vector: Params<T>): Bases<T> | null => {
  if (prepared?._tag !== 'blockDiagonal' || !(second in slots)) return null;
  const { blocks } = prepared;
  const names = Object.keys(vector);
  const areOwn = names.every((name) => {
    const shape = scalesOf(blocks[name]);
    const isHeld = Object.hasOwn(slots[second], name) && sameShape(slots[second][name].shape, vector[name].shape);
    return shape !== null && sameShape(shape, vector[name].shape) && isHeld;
  });
  return areOwn && Object.keys(blocks).length === names.length ? blocks : null;
};

interface Moved<T> {
  readonly direction: Params<T>;
  readonly state: TrainState<T>;
}

/** The first step: nothing moves, moments are zero, and a basis is made of the first gradient. */
const gathered = <T extends Shaped>(
  ops: Ops<T>,
  { state, gradient }: Context<T, 'state' | 'gradient'>,
  vector: Params<T>,
): Moved<T> => {
  const zeros = (params: Params<T>): Params<T> => mapParams(params, ({ shape }) => ops.full(shape, 0));
  const slots = { ...unitsIn(state.solver.slots), [first]: zeros(gradient), [second]: zeros(vector) };
  return {
    direction: zeros(gradient),
    state: {
      ...state,
      solver: { ...state.solver, prepared: null, pending: null, slots },
      scalars: { ...state.scalars, [count]: 0 },
    },
  };
};

/**
 * The part of a gradient's typical element that the products with a basis leave as rounding, where there should be zeros: Adam would scale it
 * up to a step like any other. A batch that comes again before anything has moved is nothing but zeros beside its basis.
 */
const roundingOf = (dtype: 'f32' | 'f64'): number => 64 * (dtype === 'f32' ? 2 ** -23 : 2 ** -52);

/** Adam's step in the bases that there are. */
const moved = <T extends Shaped>(
  ops: Ops<T>,
  { state, gradient, blocks }: Context<T, 'state' | 'gradient' | 'blocks'>,
  vector: Params<T>,
  bases: Bases<T>,
  { beta1 = 0.95, beta2 = 0.95, epsilon = 1e-8 }: AdamOptions,
  noise: number,
): Moved<T> => {
  const { slots } = state.solver;
  const t = state.scalars[count] + 1;
  const m = averagedWith(ops, beta1, slots[first], gradient, t);
  const squares = mapParams(vector, (g, name) => ops.square(projected(ops, bases[name], g)));
  const v = averagedWith(ops, beta2, slots[second], squares, t);
  // 1 / (√v̂ + ε), with the correction of the first moment in it.
  const { c, floor } = correctionsAt({ beta1, beta2, epsilon }, t);
  const least = ops.full([], floor);
  const scales = mapParams(v, (x) => {
    const rounding = ops.scale(c * noise, ops.sqrt(ops.mean(x, axesOf(x.shape))));
    return ops.div(ops.full([], 1), ops.add(ops.scale(c, ops.sqrt(x)), ops.add(least, rounding)));
  });
  const operator = blockDiagonal(mapParams(bases, (block, name) => withScales(block, scales[name])));
  return {
    direction: fromBlocks(ops, blocks, apply(ops, operator, toBlocks(ops, blocks, m))),
    state: {
      ...state,
      solver: { ...state.solver, prepared: operator, slots: { ...unitsIn(slots), [first]: m, [second]: v } },
      scalars: { ...state.scalars, [count]: t },
    },
  };
};

/**
 * SOAP's direction, from a curvature of gradients.
 *
 * @param options - β₁, β₂, ε; when the basis is refined
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { captureGradient, gradientFactors, updateFactors } from 'kfac-ts/curvature';
 * import { soap, solve, update } from 'kfac-ts/solvers';
 *
 * const step = pipeline(
 *   forward,
 *   backward,
 *   captureGradient(),
 *   updateFactors(gradientFactors({ vectors: 'diagonal' })),
 *   solve(soap({ every: 10 })),
 *   update({ learningRate: 3e-3 }),
 * );
 * ```
 */
export const soap = (options: SoapOptions = {}): Solver<SoapNeeds> => ({
  run:
    <T extends Shaped>(context: Context<T, SoapNeeds>) =>
    (env: Env<T>) =>
      pipe(
        calculate(() => {
          const { ops, dtype } = env.backend;
          const vector = toBlocks(ops, context.blocks, context.gradient);
          const bases = basesIn(context.state.solver, vector);
          return bases === null
            ? gathered(ops, context, vector)
            : moved(ops, context, vector, bases, options, roundingOf(dtype));
        }),
        TE.chain(({ direction, state }: Moved<T>) => {
          const ahead: Context<T, SolveNeeds> = { ...context, state, damping: 1 };
          return pipe(
            refresh(eigenbasis, options, ahead)(env),
            TE.map(({ state: next, metrics }) => ({
              direction,
              state: next,
              metrics: { ...metrics, inverseAge: next.step - next.solver.preparedAt },
            })),
          );
        }),
      ),
});
