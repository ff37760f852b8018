import fc from 'fast-check';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../../src/core/errors.ts';
import { applyBlock } from '../../../../src/core/operators/apply.ts';
import { materialise } from '../../../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../../../src/core/operators/blockOperator.ts';
import type { LinearOperator } from '../../../../src/core/operators/linearOperator.ts';
import { kronecker } from '../../../../src/core/operators/blockOperator.ts';
import type { Factor } from '../../../../src/core/operators/factors/factor.ts';
import {
  dense,
  diagonal,
  directSum,
  directSumOf,
  identity,
  lowRank,
} from '../../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { scaledError } from '../../../support/closeness.ts';
import { factoredDamping } from '../../../support/factors.ts';
import { gaussian, orThrow, referenceEnv } from '../../../support/training.ts';
import { kroneckerInverse } from '../../../../src/solvers/inverses/kroneckerInverse.ts';
import { tridiagonalInverse } from '../../../../src/solvers/inverses/tridiagonalInverse.ts';
import { denseInverse } from '../../../../src/solvers/inverses/denseInverse.ts';
import { lowRankInverse } from '../../../../src/solvers/inverses/lowRankInverse.ts';
import { classWiseInverse } from '../../../../src/solvers/inverses/classWiseInverse.ts';
import { eigen } from '../../../../src/solvers/inverses/eigen.ts';
import { newtonSchulz } from '../../../../src/solvers/inverses/newtonSchulz.ts';
import { inverted } from '../../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;

type Invert = (operator: LinearOperator<Tensor>, lambda: number) => TE.TaskEither<KfacError, LinearOperator<Tensor>>;

/** Solvers that damp each factor; a new one joins here. */
const factored: ReadonlyArray<readonly [string, Invert]> = [
  ['kroneckerInverse', (operator, lambda) => inverted(kroneckerInverse, backend, operator, lambda)],
  [
    'newtonSchulz',
    (operator, lambda) => inverted(newtonSchulz({ tolerance: 1e-12, iterations: 100 }), backend, operator, lambda),
  ],
  [
    'lowRankInverse of full rank',
    (operator, lambda) => inverted(lowRankInverse({ rank: 12 }), backend, operator, lambda),
  ],
  ['tridiagonalInverse', (operator, lambda) => inverted(tridiagonalInverse, backend, operator, lambda)],
  ['classWiseInverse', (operator, lambda) => inverted(classWiseInverse(), backend, operator, lambda)],
];

/** Solvers that add λ and nothing else. */
const exact: ReadonlyArray<readonly [string, Invert]> = [
  ['eigen', (operator, lambda) => inverted(eigen, backend, operator, lambda)],
  ['denseInverse', (operator, lambda) => inverted(denseInverse(), backend, operator, lambda)],
];

const spd = (seed: number, n: number): Tensor => ops.gram(gaussian(seed, [n + 1, n]));

/** Some frequencies are zero, as those of words that never came. */
const frequencies = (seed: number): Factor<Tensor> => diagonal(ops.relu(gaussian(seed, [5])));

/** Kronecker products with factors of every kind, of order 5 and 3; a new kind of factor joins here. */
const blocks: ReadonlyArray<readonly [string, (seed: number) => BlockOperator<Tensor>]> = [
  ['diagonal ⊗ matrix', (seed) => kronecker(frequencies(seed), dense(spd(seed + 1, 3)))],
  ['diagonal ⊗ parts', (seed) => kronecker(frequencies(seed), directSumOf([spd(seed + 1, 1), spd(seed + 2, 2)]))],
  ['parts ⊗ matrix', (seed) => kronecker(directSumOf([spd(seed, 2), spd(seed + 1, 3)]), dense(spd(seed + 2, 3)))],
  ['matrix ⊗ identity', (seed) => kronecker(dense(spd(seed, 5)), identity(3))],
  [
    'parts of several kinds ⊗ low rank',
    (seed) =>
      kronecker(
        directSum([diagonal(ops.relu(gaussian(seed, [1]))), identity(2), dense(spd(seed + 1, 2))]),
        lowRank(gaussian(seed + 2, [3, 2]), diagonal(ops.square(gaussian(seed + 3, [2]))), 0.1),
      ),
  ],
];

const shape = [3, 5] as const;

/** The matrix with damped factors. */
const dampedMatrix = (block: BlockOperator<Tensor>, lambda: number): Tensor => {
  if (block._tag !== 'kronecker') throw new Error('expected a Kronecker product');
  return materialise(ops, factoredDamping(block, lambda), shape);
};

const only = (operator: LinearOperator<Tensor>): BlockOperator<Tensor> => {
  const found = 'blocks' in operator ? operator.blocks['b'] : undefined;
  if (found === undefined) throw new Error('expected a block');
  return found;
};

const vec = (v: Tensor): Tensor => ops.reshape(ops.transposed(v), [v.data.length, 1]);

const expectSolved = async (
  invert: Invert,
  block: BlockOperator<Tensor>,
  lambda: number,
  matrix: Tensor,
): Promise<void> => {
  const inverse = only(orThrow(await invert(blockDiagonal({ b: block }), lambda)()));
  const V = gaussian(7, shape);
  const back = ops.matmul(matrix, vec(applyBlock(ops, inverse, V)));
  expect(scaledError(back.data, vec(V).data)).toBeLessThan(1e-8);
};

const drawn = [fc.nat(1000), fc.double({ min: 1e-3, max: 10, noNaN: true })] as const;

describe.each(blocks)('%s', (_, make) => {
  it.each(factored)('law: residual, (A + π√λ I) ⊗ (G + π⁻¹√λ I) undoes %s', async (_solver, invert) => {
    await fc.assert(
      fc.asyncProperty(...drawn, async (seed, lambda) => {
        const block = make(seed);
        await expectSolved(invert, block, lambda, dampedMatrix(block, lambda));
      }),
      { numRuns: 10 },
    );
  });

  it.each(exact)('law: residual, A ⊗ G + λ I undoes %s', async (_solver, invert) => {
    await fc.assert(
      fc.asyncProperty(...drawn, async (seed, lambda) => {
        const block = make(seed);
        await expectSolved(invert, block, lambda, ops.addDiagonal(materialise(ops, block, shape), lambda));
      }),
      { numRuns: 10 },
    );
  });
});

describe('a block that is a full matrix', () => {
  it.each([...factored, ...exact])('law: residual, F + λ I undoes %s', async (_, invert) => {
    await fc.assert(
      fc.asyncProperty(...drawn, async (seed, lambda) => {
        // Singular without damping.
        const F = ops.gram(gaussian(seed, [4, 15]));
        await expectSolved(invert, dense(F), lambda, ops.addDiagonal(F, lambda));
      }),
      { numRuns: 10 },
    );
  });
});

describe('damping of diag(a) ⊗ G', () => {
  it('worked example: a = (4, 12), G = 2, λ = 4: π² = 8 / 2, so 1 / (a + 4) and G + 1', async () => {
    const block = kronecker(diagonal(tensor([4, 12], [2])), dense(tensor([2], [1, 1])));
    const inverse = only(orThrow(await inverted(kroneckerInverse, backend, blockDiagonal({ b: block }), 4)()));
    if (inverse._tag !== 'kronecker' || inverse.A._tag !== 'diagonal' || inverse.G._tag !== 'dense') {
      throw new Error('expected a diagonal and a matrix');
    }
    expect(Array.from(inverse.A.values.data)).toEqual([1 / 8, 1 / 16]);
    expect(inverse.G.matrix.data[0]).toBeCloseTo(1 / 3, 15);
  });

  it('a G that is not positive definite is an error that names the block, after λ has risen', async () => {
    const block = kronecker(diagonal(tensor([1], [1])), dense(tensor([-1e9], [1, 1])));
    expect(await inverted(kroneckerInverse, backend, blockDiagonal({ words: block }), 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'words', damping: 1e6 },
    });
  });

  it('a full matrix whose λ must rise is solved with the risen one', async () => {
    const inverse = only(
      orThrow(await inverted(kroneckerInverse, backend, blockDiagonal({ b: dense(tensor([-5], [1, 1])) }), 1)()),
    );
    expect(applyBlock(ops, inverse, tensor([10], [1])).data[0]).toBeCloseTo(2, 12);
  });
});
