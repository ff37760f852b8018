/**
 * Operators from what a checkpoint says of them: a codec for every kind, or this does not compile.
 *
 * @module
 */
import * as t from 'io-ts';

import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import type { LinearOperator, Link } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { arrayIn, count, lazily, numeric, recordOf, tagged } from './codecs.ts';

/** A codec for each kind of a union. */
type Kinds<Op extends { readonly _tag: string }> = {
  readonly [Tag in Op['_tag']]: t.Decoder<unknown, Extract<Op, { readonly _tag: Tag }>>;
};

const tag = <Tag extends string>(name: Tag): t.LiteralC<Tag> => t.literal(name);

/** Codecs of the operators that operators are made of. */
const composites = <Op>(operator: t.Type<Op>) => ({
  damped: t.strict({ _tag: tag('damped'), operator, lambda: numeric }),
  sum: t.strict({ _tag: tag('sum'), operators: t.readonlyArray(operator) }),
  scaled: t.strict({ _tag: tag('scaled'), factor: numeric, operator }),
  symmetricPart: t.strict({ _tag: tag('symmetricPart'), operator }),
  skewPart: t.strict({ _tag: tag('skewPart'), operator }),
});

/**
 * A codec of operators.
 *
 * @param arrays - arrays of the file, by name
 */
export const operatorIn = (arrays: Params<Tensor>): t.Type<LinearOperator<Tensor>> => {
  const array = arrayIn(arrays);
  const factor: t.Type<Factor<Tensor>> = lazily('a factor', () => tagged<Factor<Tensor>>('a factor', factors));
  const block: t.Type<BlockOperator<Tensor>> = lazily('an operator on an array', () =>
    tagged<BlockOperator<Tensor>>('an operator on an array', blocks),
  );
  const operator: t.Type<LinearOperator<Tensor>> = lazily('an operator', () =>
    tagged<LinearOperator<Tensor>>('an operator', operators),
  );
  const link: t.Type<Link<Tensor>> = t.strict({ from: t.string, to: t.string, A: array, G: array });

  const factors: Kinds<Factor<Tensor>> = {
    dense: t.strict({ _tag: tag('dense'), matrix: array }),
    diagonal: t.strict({ _tag: tag('diagonal'), values: array }),
    identity: t.strict({ _tag: tag('identity'), order: count }),
    lowRank: t.strict({ _tag: tag('lowRank'), U: array, core: factor, shift: numeric }),
    cholesky: t.strict({ _tag: tag('cholesky'), L: array }),
    directSum: t.strict({ _tag: tag('directSum'), parts: t.readonlyArray(factor) }),
  };

  const blocks: Kinds<BlockOperator<Tensor>> = {
    ...factors,
    ...composites(block),
    kronecker: t.strict({ _tag: tag('kronecker'), A: factor, G: factor }),
    eigenKronecker: t.strict({ _tag: tag('eigenKronecker'), UA: factor, UG: factor, S: array }),
    twoTerm: t.strict({
      _tag: tag('twoTerm'),
      K1: array,
      S1: array,
      K2: array,
      S2: array,
      sign: t.union([t.literal(1), t.literal(-1)]),
    }),
  };

  const operators: Kinds<LinearOperator<Tensor>> = {
    ...composites(operator),
    blockDiagonal: t.strict({ _tag: tag('blockDiagonal'), blocks: recordOf(block) }),
    blockTridiagonal: t.strict({
      _tag: tag('blockTridiagonal'),
      blocks: recordOf(block),
      links: t.readonlyArray(link),
    }),
    blockTridiagonalInverse: t.strict({
      _tag: tag('blockTridiagonalInverse'),
      blocks: recordOf(block),
      links: t.readonlyArray(link),
    }),
    congruent: t.strict({ _tag: tag('congruent'), operator, scales: recordOf(array) }),
  };

  return operator;
};
