/**
 * D F D: as an operator, and formed, on every kind of block that units can be given to; refusals of the others.
 */
import fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { attempt } from '../../../src/core/errors.ts';
import { apply, applyTranspose } from '../../../src/core/operators/apply.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import {
  dampedBlock,
  eigenKronecker,
  kronecker,
  kroneckerOf,
  twoTerm,
} from '../../../src/core/operators/blockOperator.ts';
import { scaled, skewPart, sumOf, symmetricPart } from '../../../src/core/operators/composite.ts';
import { formed } from '../../../src/core/operators/congruence.ts';
import { costOfBlocks } from '../../../src/core/operators/cost.ts';
import { cholesky, dense, diagonal, identity } from '../../../src/core/operators/factors/factor.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import {
  blockDiagonal,
  blockTridiagonal,
  blockTridiagonalInverse,
  congruent,
  damped,
} from '../../../src/core/operators/linearOperator.ts';
import { materialiseBlocks } from '../../../src/core/operators/materialise.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import type { Case } from '../../support/operators.ts';
import { members } from '../../support/operators.ts';
import { gaussian } from '../../support/training.ts';

const { ops } = referenceBackend();

/** Positive and of different sizes. */
const unitsLike = (seed: number, shape: Shape): Tensor => ops.exp(gaussian(seed, shape));

/** D F D by its definition: matrices, multiplied. */
const explicit = (op: LinearOperator<Tensor>, units: Params<Tensor>, shapes: Params<Shape>): Tensor => {
  const D = materialiseBlocks(
    ops,
    (on: typeof ops, v: Params<Tensor>) => {
      return Object.fromEntries(Object.entries(v).map(([name, x]) => [name, on.mul(units[name], x)]));
    },
    shapes,
  );
  return ops.matmul(ops.matmul(D, materialiseBlocks(ops, op, shapes)), D);
};

/** Whether a row of the table is made of Kronecker products, which have units by column. */
const byColumn = ({ op }: Case): boolean =>
  op._tag === 'kronecker' || ('operator' in op && op.operator._tag === 'kronecker');

/** The rows that units can be given to; sums need terms of one kind and have a table of their own. */
const taken = members.filter(([name]) => !name.startsWith('basis') && !['two terms', 'damped', 'sum'].includes(name));

describe.each(taken)('in other units, %s', (_, cases) => {
  it('law: D F D v as an operator = formed = the matrices multiplied, and so is its transpose', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (drawn, seed) => {
        const [out, inputs] = drawn.shape;
        const shapes = { w: [out, inputs] };
        const units = { w: unitsLike(seed, byColumn(drawn) ? [1, inputs] : [out, inputs]) };
        const inner = blockDiagonal({ w: drawn.op });
        const whole = congruent(inner, units);
        const made = formed(ops, whole);
        expect(made._tag).toBe('blockDiagonal');
        const matrix = explicit(inner, units, shapes);
        expect(scaledError(materialiseBlocks(ops, whole, shapes).data, matrix.data)).toBeLessThan(1e-12);
        expect(scaledError(materialiseBlocks(ops, made, shapes).data, matrix.data)).toBeLessThan(1e-12);
        const back = (on: typeof ops, v: Params<Tensor>): Params<Tensor> => applyTranspose(on, whole, v);
        expect(scaledError(materialiseBlocks(ops, back, shapes).data, ops.transposed(matrix).data)).toBeLessThan(1e-12);
      }),
      { numRuns: 15 },
    );
  });
});

describe('in other units, operators made of several', () => {
  const shapes = { a: [3, 2], b: [2, 4], c: [4] };
  const units = { a: unitsLike(1, [1, 2]), b: unitsLike(2, [1, 4]), c: unitsLike(3, [4]) };
  const blocks = (seed: number): Readonly<Record<string, BlockOperator<Tensor>>> => ({
    a: kroneckerOf(gaussian(seed, [2, 2]), gaussian(seed + 1, [3, 3])),
    b: sumOf([
      kroneckerOf(gaussian(seed + 2, [4, 4]), gaussian(seed + 3, [2, 2])),
      kronecker(identity(4), dense(gaussian(seed + 4, [2, 2]))),
    ]),
    c: scaled(0.5, diagonal(gaussian(seed + 5, [4]))),
  });
  const both = blockDiagonal(blocks(10));
  const links = [{ from: 'b', to: 'a', A: gaussian(7, [2, 4]), G: gaussian(8, [3, 2]) }];

  it.each<readonly [string, LinearOperator<Tensor>]>([
    ['block-diagonal', both],
    ['tridiagonal, with a link', blockTridiagonal(blocks(20), links)],
    ['a sum', sumOf([both, blockTridiagonal(blocks(30), links)])],
    ['a sum over different blocks', sumOf([blockDiagonal({ a: blocks(1)['a'] }), both])],
    ['a multiple', scaled(-2, both)],
    ['its symmetric part', symmetricPart(both)],
    ['its skew part', skewPart(both)],
  ])('law: %s as an operator = formed = the matrices multiplied', (_, op) => {
    const whole = congruent(op, units);
    const matrix = explicit(op, units, shapes);
    expect(scaledError(materialiseBlocks(ops, whole, shapes).data, matrix.data)).toBeLessThan(1e-13);
    expect(scaledError(materialiseBlocks(ops, formed(ops, whole), shapes).data, matrix.data)).toBeLessThan(1e-13);
    const back = (on: typeof ops, v: Params<Tensor>): Params<Tensor> => applyTranspose(on, whole, v);
    expect(scaledError(materialiseBlocks(ops, back, shapes).data, ops.transposed(matrix).data)).toBeLessThan(1e-13);
  });

  it('law: factors that were no matrices are none afterwards', () => {
    const kindOf = (A: BlockOperator<Tensor>): string => {
      const op = formed(ops, congruent(blockDiagonal({ w: A }), { w: unitsLike(4, [1, 4]) }));
      const block = op._tag === 'blockDiagonal' ? op.blocks['w'] : A;
      return block._tag === 'kronecker' ? block.A._tag : block._tag;
    };
    const G = dense(gaussian(1, [2, 2]));
    expect(kindOf(kronecker(diagonal(gaussian(2, [4])), G))).toBe('diagonal');
    expect(kindOf(kronecker(identity(4), G))).toBe('diagonal');
    expect(kindOf(kronecker(dense(gaussian(3, [4, 4])), G))).toBe('dense');
  });

  it('an operator without units is formed as it is', () => {
    expect(formed(ops, both)).toBe(both);
  });

  it('law: purity. Operator, units and vector are bit-identical afterwards', () => {
    const v = { a: gaussian(1, [3, 2]), b: gaussian(2, [2, 4]), c: gaussian(3, [4]) };
    const whole = congruent(both, units);
    const before = structuredClone({ whole, v });
    apply(ops, whole, v);
    formed(ops, whole);
    expect({ whole, v }).toEqual(before);
  });

  it('worked example: it costs two multiplications an element more, and holds the units', () => {
    const own = costOfBlocks(both, shapes);
    expect(costOfBlocks(congruent(both, units), shapes)).toEqual({
      flops: own.flops + 2 * (6 + 8 + 4),
      numbers: own.numbers + 2 + 4 + 4,
    });
  });

  const w = { w: unitsLike(5, [1, 3]) };
  const one = kroneckerOf(gaussian(1, [3, 3]), gaussian(2, [2, 2]));
  const inverses: ReadonlyArray<BlockOperator<Tensor>> = [
    dampedBlock(one, 0.1),
    eigenKronecker<Tensor>(identity(3), identity(2), gaussian(3, [2, 3])),
    twoTerm(gaussian(1, [3, 3]), gaussian(2, [3]), gaussian(3, [2, 2]), gaussian(4, [2]), 1),
    cholesky(gaussian(5, [6, 6])),
    sumOf([one, dampedBlock(one, 0.1)]),
    scaled(2, dampedBlock(one, 0.1)),
  ];

  it.each(inverses.map((op) => [op._tag, op] as const))('refuses a block that is %s', (_, op) => {
    expect(attempt(() => formed(ops, congruent(blockDiagonal({ w: op }), w)))).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'operator' },
    });
  });

  it('refuses operators that are damped, or inverses', () => {
    for (const op of [damped(both, 0.1), blockTridiagonalInverse(blocks(1), links)]) {
      expect(attempt(() => formed(ops, congruent(op, units)))).toMatchObject({
        _tag: 'Left',
        left: { _tag: 'BadConfig', path: 'operator', actual: op._tag },
      });
    }
  });
});
