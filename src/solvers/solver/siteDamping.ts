/**
 * Damping of single sites: factors on λ by block name.
 *
 * Factors, not values, so that an override keeps its meaning when λ adapts or decays. Blocks that share a factor are
 * prepared together, with a λ of their own, whatever the solver.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { pickParams } from '../../core/params.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import { unsupported } from './unsupported.ts';
import type { DampingOf } from './inverse.ts';

/** Factors on λ by block name, greater than 0; a block that is not named keeps λ. */
export type SiteDamping = Readonly<Record<string, number>>;

/**
 * λ of each block.
 *
 * @param overrides - factors by block name
 * @param lambda - λ of the blocks that are not named
 */
export const dampingBySite =
  (overrides: SiteDamping, lambda: number): DampingOf =>
  (name) =>
    lambda * (overrides[name] ?? 1);

/**
 * What is wrong with overrides for some blocks, or `null`.
 *
 * @param overrides - factors by block name
 * @param names - the blocks that there are
 */
export const siteDampingError = (overrides: SiteDamping, names: ReadonlyArray<string>): KfacError | null => {
  const wrong = Object.entries(overrides).find(
    ([name, factor]) => !names.includes(name) || !(factor > 0 && factor < Infinity),
  );
  if (wrong === undefined) return null;
  const [name, factor] = wrong;
  const known = names.includes(name);
  return {
    _tag: 'BadConfig',
    path: `siteDamping.${name}`,
    expected: known ? 'a finite number above 0' : `one of ${names.join(', ')}`,
    actual: known ? String(factor) : name,
  };
};

/** Metrics of blocks with a λ of their own carry the blocks' names. */
const labelled = <T>({ metrics, ...rest }: Prepared<T>, label: string): Prepared<T> => ({
  ...rest,
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${name}.${label}`, value])),
});

/** Parts on different blocks as one; memory of one name is that of all parts. */
const joined = <T>(
  parts: ReadonlyArray<Prepared<T>>,
  order: ReadonlyArray<string>,
): E.Either<KfacError, Prepared<T>> => {
  const other = parts.find(({ operator }) => operator._tag !== 'blockDiagonal');
  if (other !== undefined) {
    const { _tag } = other.operator;
    return E.left(unsupported('siteDamping', 'siteDamping', 'an inverse that is made block by block', _tag));
  }
  const blocks = parts.flatMap(({ operator }) =>
    operator._tag === 'blockDiagonal' ? Object.entries(operator.blocks) : [],
  );
  const slots = parts.flatMap((part) => Object.entries(part.slots ?? {}));
  return E.right({
    operator: blockDiagonal(pickParams(Object.fromEntries(blocks), order)),
    metrics: parts.reduce((all: Prepared<T>['metrics'], { metrics }) => ({ ...all, ...metrics }), {}),
    slots: Object.fromEntries(
      slots.map(([name]) => [
        name,
        Object.fromEntries(slots.filter(([other]) => other === name).flatMap(([, memory]) => Object.entries(memory))),
      ]),
    ),
  });
};

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
  prepare: (part: LinearOperator<T>, lambda: number) => TE.TaskEither<KfacError, Prepared<T>>,
): TE.TaskEither<KfacError, Prepared<T>> => {
  if (Object.keys(overrides).length === 0) return prepare(operator, lambda);
  if (operator._tag !== 'blockDiagonal') {
    return TE.left(unsupported('siteDamping', 'operator', 'a block-diagonal operator', operator._tag));
  }
  const { blocks } = operator;
  const names = Object.keys(blocks);
  const error = siteDampingError(overrides, names);
  if (error !== null) return TE.left(error);
  const factorOf = (name: string): number => overrides[name] ?? 1;
  const distinct = [...new Set(names.map(factorOf))];
  if (distinct.every((factor) => factor === 1)) return prepare(operator, lambda);
  return pipe(
    distinct,
    TE.traverseArray((factor) => {
      const own = names.filter((name) => factorOf(name) === factor);
      return pipe(
        prepare(blockDiagonal(pickParams(blocks, own)), lambda * factor),
        TE.map((part) => (factor === 1 ? part : labelled(part, own.join('+')))),
      );
    }),
    TE.chainEitherK((parts) => joined(parts, names)),
  );
};
