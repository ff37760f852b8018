import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { hostKernelBackend } from '../../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { apply, applyBlock } from '../../../src/core/operators/apply.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import { kroneckerOf, dampedBlock } from '../../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { cast, tensor } from '../../../src/core/tensor.ts';
import { factoredTikhonov, piOf } from '../../../src/solvers/inverses/factors/factoredTikhonov.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, orThrow, referenceEnv } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { inverted } from '../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const spd = (seed: number, n: number): Tensor => ops.gram(gaussian(seed, [n + 2, n]));

const invertOne = async (block: BlockOperator<Tensor>, lambda: number): Promise<BlockOperator<Tensor>> => {
  const inverse = orThrow(await inverted(kroneckerInverse, backend, blockDiagonal({ block }), lambda)());
  if (inverse._tag !== 'blockDiagonal') throw new Error('expected blocks');
  return inverse.blocks['block'];
};

describe('factored Tikhonov damping', () => {
  it('worked example: π = √((16 / 2) / (6 / 3)) = 2, so A gains 2√λ and G gains √λ / 2', () => {
    expect(piOf(16 / 2, 6 / 3)).toBe(2);
    expect(factoredTikhonov(9, 8, 2)).toEqual({ ofA: 6, ofG: 1.5 });
  });

  it('law: the product of what the factors gain is λ', () => {
    const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(positive, positive, positive, (lambda, meanA, meanG) => {
        const { ofA, ofG } = factoredTikhonov(lambda, meanA, meanG);
        expect(Math.abs((ofA * ofG) / lambda - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  it('law: scaling A by c and G by 1/c changes nothing, (cA + …) ⊗ (G/c + …) = (A + …) ⊗ (G + …)', () => {
    const before = factoredTikhonov(0.3, 2, 5);
    const after = factoredTikhonov(0.3, 2 * 7, 5 / 7);
    expect(after.ofA).toBeCloseTo(7 * before.ofA, 12);
    expect(after.ofG).toBeCloseTo(before.ofG / 7, 12);
  });

  it('a factor of zeros takes π = 1', () => {
    expect(piOf(0, 3)).toBe(1);
    expect(piOf(3, 0)).toBe(1);
    expect(piOf(Number.NaN, 1)).toBe(1);
  });
});

describe('kroneckerInverse', () => {
  it('law: residual, (A + π√λ I) ⊗ (G + √λ/π I) applied to its solution gives V back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        async (seed, out, inputs, lambda) => {
          const [A, G, V] = [spd(seed, inputs), spd(seed + 1, out), gaussian(seed + 2, [out, inputs])];
          const solution = applyBlock(ops, await invertOne(kroneckerOf(A, G), lambda), V);
          const { ofA, ofG } = factoredTikhonov(lambda, ops.trace(A).data[0] / inputs, ops.trace(G).data[0] / out);
          const back = applyBlock(ops, kroneckerOf(ops.addDiagonal(A, ofA), ops.addDiagonal(G, ofG)), solution);
          expect(scaledError(back.data, V.data)).toBeLessThan(1e-8);
        },
      ),
    );
  });

  it('law: a diagonal block is divided by d + λ', async () => {
    const inverse = await invertOne(diagonal(tensor([1, 3], [2])), 1);
    expect(Array.from(applyBlock(ops, inverse, tensor([4, 8], [2])).data)).toEqual([2, 2]);
  });

  it('law: in 32 bits, factors that are 10⁵¹ apart take a gradient to where their product takes it', async () => {
    const single = orThrow(hostKernelBackend('webasm'));
    const [A, G, V] = [ops.scale(1e25, spd(1, 4)), ops.scale(1e-26, spd(2, 3)), ops.scale(1e13, gaussian(3, [3, 4]))];
    const exact = applyBlock(ops, await invertOne(kroneckerOf(A, G), 0.01), V);
    const curvature = blockDiagonal({ block: kroneckerOf(cast(A, 'f32'), cast(G, 'f32')) });
    const inverse = orThrow(await inverted(kroneckerInverse, single, curvature, 0.01)());
    const found = apply(single.ops, inverse, { block: cast(V, 'f32') })['block'];
    const size = Math.max(...Array.from(exact.data, Math.abs));
    const inUnits = ({ data }: Tensor): ReadonlyArray<number> => Array.from(data, (x) => x / size);
    expect(scaledError(inUnits(found), inUnits(exact))).toBeLessThan(1e-3);
  });

  it('raises λ until a factor is positive definite', async () => {
    // A = diag(1, −½), G = 1: π = ½, so A gains ½√λ, which exceeds ½ first at λ = 10 (1e-3, 1e-2, 0.1 and 1 fail).
    const indefinite = tensor([1, 0, 0, -0.5], [2, 2]);
    const inverse = await invertOne(kroneckerOf(indefinite, tensor([1], [1, 1])), 1e-3);
    const [ofA, ofG] = [0.5 * Math.sqrt(10), 2 * Math.sqrt(10)];
    const expected = [1 / ((1 + ofA) * (1 + ofG)), 1 / ((ofA - 0.5) * (1 + ofG))];
    expect(scaledError(applyBlock(ops, inverse, tensor([1, 1], [1, 2])).data, expected)).toBeLessThan(1e-12);
  });

  it('gives up after six tries with an error that names the block and the damping', async () => {
    const hopeless = kroneckerOf(tensor([-1e9], [1, 1]), tensor([1], [1, 1]));
    const result = await inverted(kroneckerInverse, backend, blockDiagonal({ 'encoder.0': hopeless }), 1)();
    expect(result).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'encoder.0', damping: 1e6 },
    });
  });

  it('refuses operators that it cannot invert, naming the block', async () => {
    const block = dampedBlock(dense(tensor([1], [1, 1])), 1);
    const result = await inverted(kroneckerInverse, backend, blockDiagonal({ head: block }), 1)();
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'head', actual: 'damped' } });
    const whole = await inverted(kroneckerInverse, backend, damped(blockDiagonal({ head: block }), 1), 1)();
    expect(E.isLeft(whole)).toBe(true);
  });
});
