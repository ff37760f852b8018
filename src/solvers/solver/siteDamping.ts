/**
 * Damping of single sites: factors on λ by block name.
 *
 * Factors, not values, so that an override keeps its meaning when λ adapts or decays. Blocks that share a factor are
 * prepared together, with a λ of their own, whatever the solver.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, pickParams } from '../../core/params.ts';
import { unsupported } from '../inverses/factors/blockwise.ts';

/** Factors on λ by block name, greater than 0; a block that is not named keeps λ. */
export type SiteDamping = Readonly<Record<string, number>>;

/**
 * What is wrong with overrides for an operator, or `null`.
 *
 * @param overrides - factors by block name
 * @param operator - curvature
 */
export const siteDampingError = <T>(overrides: SiteDamping, operator: LinearOperator<T>): KfacError | null => {
  if (Object.keys(overrides).length === 0) return null;
  if (operator._tag !== 'blockDiagonal') {
    return unsupported('siteDamping', 'operator', 'a block-diagonal operator', operator._tag);
  }
  const wrong = Object.entries(overrides).find(
    ([name, factor]) => !Object.hasOwn(operator.blocks, name) || !(factor > 0 && factor < Infinity),
  );
  if (wrong === undefined) return null;
  const [name, factor] = wrong;
  const known = Object.hasOwn(operator.blocks, name);
  return {
    _tag: 'BadConfig',
    path: `siteDamping.${name}`,
    expected: known ? 'a finite number above 0' : `one of ${Object.keys(operator.blocks).join(', ')}`,
    actual: known ? String(factor) : name,
  };
};

/** What is prepared: an operator and scalars. */
interface Part<T> {
  readonly operator: LinearOperator<T>;
  readonly metrics: Readonly<Record<string, T | number>>;
}

/** Metrics of blocks with a λ of their own carry the blocks' names. */
const labelled = <T>({ operator, metrics }: Part<T>, label: string): Part<T> => ({
  operator,
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${name}.${label}`, value])),
});

const blocksIn = <T>(operator: LinearOperator<T>): Params<BlockOperator<T>> =>
  operator._tag === 'blockDiagonal' ? operator.blocks : {};

/**
 * Prepares each group of blocks that share a factor with that multiple of λ, and joins the results.
 *
 * @param overrides - factors by block name
 * @param operator - curvature
 * @param lambda - λ of the blocks that are not named
 * @param prepare - prepares a part of the operator
 */
export const prepareBySite = <T>(
  overrides: SiteDamping,
  operator: LinearOperator<T>,
  lambda: number,
  prepare: (part: LinearOperator<T>, lambda: number) => TE.TaskEither<KfacError, Part<T>>,
): TE.TaskEither<KfacError, Part<T>> => {
  const error = siteDampingError(overrides, operator);
  if (error !== null) return TE.left(error);
  const blocks = blocksIn(operator);
  const factors = mapParams(blocks, (_, name) => overrides[name] ?? 1);
  const distinct = [...new Set(Object.values(factors))];
  if (distinct.every((factor) => factor === 1)) return prepare(operator, lambda);
  return pipe(
    distinct,
    TE.traverseArray((factor) => {
      const names = Object.keys(blocks).filter((name) => factors[name] === factor);
      return pipe(
        prepare(blockDiagonal(pickParams(blocks, names)), lambda * factor),
        TE.map((part) => (factor === 1 ? part : labelled(part, names.join('+')))),
      );
    }),
    TE.map((parts) => {
      const prepared = Object.fromEntries(parts.flatMap((part) => Object.entries(blocksIn(part.operator))));
      return {
        operator: blockDiagonal(pickParams(prepared, Object.keys(blocks))),
        metrics: parts.reduce((all: Part<T>['metrics'], part) => ({ ...all, ...part.metrics }), {}),
      };
    }),
  );
};
