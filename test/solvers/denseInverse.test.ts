import fc from 'fast-check';

import { apply, applyBlock } from '../../src/core/operators/apply.ts';
import type { BlockOperator } from '../../src/core/operators/linearOperator.ts';
import {
  blockDiagonal,
  damped,
  dampedBlock,
  dense,
  diagonal,
  diagonalKronecker,
  eigenKronecker,
  kronecker,
  lowRankKronecker,
  lowRankPlusDiagonal,
  partitionedKronecker,
  sumOf,
} from '../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { invertDensely } from '../../src/solvers/denseInverse.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, orThrow, referenceEnv } from '../support/training.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const spd = (seed: number, n: number): Tensor => ops.gram(gaussian(seed, [n + 2, n]));

const kinds: ReadonlyArray<readonly [string, (seed: number) => BlockOperator<Tensor>]> = [
  ['kronecker', (seed) => kronecker(spd(seed, 4), spd(seed + 1, 3))],
  [
    'eigenKronecker',
    (seed) => eigenKronecker(gaussian(seed, [4, 4]), gaussian(seed + 1, [3, 3]), ops.square(gaussian(seed, [3, 4]))),
  ],
  [
    'partitionedKronecker',
    (seed) => partitionedKronecker([spd(seed, 3), spd(seed + 1, 1)], [spd(seed + 2, 1), spd(seed + 3, 2)]),
  ],
  [
    'diagonalKronecker',
    (seed) => diagonalKronecker(ops.square(gaussian(seed, [4])), [spd(seed + 1, 2), spd(seed + 2, 1)]),
  ],
  [
    'lowRankKronecker',
    (seed) =>
      lowRankKronecker(
        { U: gaussian(seed, [4, 2]), core: spd(seed + 1, 2), shift: 0.3 },
        { U: gaussian(seed + 2, [3, 1]), core: spd(seed + 3, 1), shift: 0.1 },
      ),
  ],
  ['diagonal', (seed) => diagonal(ops.square(gaussian(seed, [3, 4])))],
  ['dense', (seed) => dense(spd(seed, 12))],
  [
    'lowRankPlusDiagonal',
    (seed) => lowRankPlusDiagonal(gaussian(seed, [12, 2]), ops.square(gaussian(seed + 1, [2])), 0.2),
  ],
  ['damped', (seed) => dampedBlock(kronecker(spd(seed, 4), spd(seed + 1, 3)), 0.5)],
  ['sum', (seed) => sumOf([dense(spd(seed, 12)), kronecker(spd(seed + 1, 4), spd(seed + 2, 3))])],
];

describe('denseInverse', () => {
  it.each(kinds)('law: residual, (%s + λ I) applied to its solution gives V back', async (_, make) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.double({ min: 1e-2, max: 10, noNaN: true }), async (seed, lambda) => {
        const block = make(seed);
        const V = gaussian(seed + 9, [3, 4]);
        const inverse = orThrow(await invertDensely(backend, blockDiagonal({ block }), lambda)());
        const solution = apply(ops, inverse, { block: V })['block'];
        const back = ops.add(applyBlock(ops, block, solution), ops.scale(lambda, solution));
        expect(scaledError(back.data, V.data)).toBeLessThan(1e-8);
      }),
      { numRuns: 15 },
    );
  });

  it('worked example: 8 / (3 + 1)', async () => {
    const inverse = orThrow(await invertDensely(backend, blockDiagonal({ b: dense(tensor([3], [1, 1])) }), 1)());
    expect(scaledError(apply(ops, inverse, { b: tensor([8], [1, 1]) })['b'].data, [2])).toBeLessThan(1e-15);
  });

  it('an indefinite block is an error that names it and the damping', async () => {
    const operator = blockDiagonal({ head: dense(tensor([-3], [1, 1])) });
    expect(await invertDensely(backend, operator, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'head', damping: 1 },
    });
  });

  it('refuses an operator that is not block-diagonal', async () => {
    expect(await invertDensely(backend, damped(blockDiagonal({}), 1), 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'operator', actual: 'damped' },
    });
  });
});
