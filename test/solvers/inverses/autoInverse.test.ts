import * as E from 'fp-ts/lib/Either.js';

import { dampedBlock, eigenKronecker, kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { scaled, sumOf, symmetricPart } from '../../../src/core/operators/composite.ts';
import { dense, diagonal, identity } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal, blockTridiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { autoChoices } from '../../../src/solvers/inverses/autoInverse.ts';

const one = (x: number): Tensor => tensor([x], [1, 1]);

describe('autoChoices', () => {
  it('says which inverse every block gets', () => {
    const product = kroneckerOf(one(2), one(3));
    const blocks = blockDiagonal<Tensor>({
      product,
      full: dense(one(1)),
      gain: diagonal(tensor([1], [1])),
      basis: eigenKronecker(identity(1), identity(1), one(1)),
      classes: sumOf([product, product, product]),
      other: dampedBlock(product, 1),
    });
    const chain = blockTridiagonal<Tensor>({ first: product, second: product }, []);
    expect(autoChoices(sumOf([damped(blocks, 1), scaled(2, chain)]))).toEqual(
      E.right({
        product: 'kroneckerInverse',
        full: 'kroneckerInverse',
        gain: 'kroneckerInverse',
        basis: 'eigen',
        classes: 'classWiseInverse',
        other: 'denseInverse',
        first: 'tridiagonalInverse',
        second: 'tridiagonalInverse',
      }),
    );
  });

  it('refuses what is not made of blocks, and sums over the same ones', () => {
    const blocks = blockDiagonal<Tensor>({ a: dense(one(1)) });
    expect(autoChoices(symmetricPart(blocks))).toMatchObject({ left: { path: 'operator', actual: 'symmetricPart' } });
    expect(autoChoices(sumOf([blocks, blocks]))).toMatchObject({ left: { actual: 'a sum over the same blocks' } });
  });
});
