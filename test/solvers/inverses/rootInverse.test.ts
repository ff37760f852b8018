import fc from 'fast-check';

import { materialise } from '../../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Stage } from '../../../src/core/pipeline/stage.ts';
import type { Context, Field } from '../../../src/core/pipeline/context.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { fromBlocks, toBlocks } from '../../../src/curvature/blocks.ts';
import { captureGradient } from '../../../src/curvature/captureGradient.ts';
import type { GradientFactorsOptions } from '../../../src/curvature/gradientFactors.ts';
import { gradientFactors } from '../../../src/curvature/gradientFactors.ts';
import { rootInverse } from '../../../src/solvers/inverses/rootInverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { descent } from '../../../src/core/pipeline/descent.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, none, orThrow, referenceEnv } from '../../support/training.ts';

const env = referenceEnv();
const { ops } = env.backend;

/** Runs stages on gradients alone. */
const directionOf = async (
  gradients: ReadonlyArray<Params<Tensor>>,
  options: GradientFactorsOptions,
  epsilon: number,
): Promise<Params<Tensor>> => {
  const stages = descent(
    captureGradient(),
    updateFactors(gradientFactors(options)),
    damp(epsilon),
    solve(preconditioned(rootInverse)),
  );
  const run = stages as unknown as Stage<Field, Field>;
  let state = initialState(gradients[0], keyOf(1));
  let direction: Params<Tensor> = {};
  for (const gradient of gradients) {
    const context = { state, gradient, targets: gaussian(1, [1]), objective: none, metrics: {} };
    const found = orThrow(await run.run(context as unknown as Context<Tensor, Field>)(env)());
    state = { ...found.state, step: state.step + 1 };
    direction = found.direction;
  }
  return direction;
};

/** X with X⁴ M = I or X² M = I, by its eigenvectors. */
const powerOf = async (m: Tensor, power: number): Promise<Tensor> => {
  const { values, vectors } = orThrow(await env.backend.linearAlgebra.eigh(m)());
  const scaled = { ...values, data: Float64Array.from(values.data, (x) => x ** power) };
  return ops.matmul(ops.mul(vectors, scaled), vectors, { transposeB: true });
};

const sums = (parts: ReadonlyArray<Tensor>): Tensor => parts.reduce((a, b) => ops.add(a, b));

describe('Shampoo’s preconditioner', () => {
  const shapes = { matrix: [4, 3], vector: [3] } as const;
  const gradientsOf = (seed: number) =>
    Array.from({ length: 5 }, (_, i) => ({
      matrix: gaussian(seed + 10 * i, shapes.matrix),
      vector: gaussian(seed + 10 * i + 1, shapes.vector),
    }));

  it('law: L^(−1/4) G R^(−1/4), and F^(−1/2) g of a vector, of the means over the steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const gradients = gradientsOf(seed);
        const found = await directionOf(gradients, { decay: 1 - 1e-15 }, 1e-300);
        const mean = (parts: ReadonlyArray<Tensor>): Tensor => ops.scale(1 / parts.length, sums(parts));
        const L = mean(gradients.map(({ matrix }) => ops.gram(ops.transposed(matrix))));
        const R = mean(gradients.map(({ matrix }) => ops.gram(matrix)));
        const F = mean(gradients.map(({ vector }) => ops.gram(ops.reshape(vector, [1, 3]))));
        const last = gradients[4];
        const expected = ops.matmul(ops.matmul(await powerOf(L, -0.25), last.matrix), await powerOf(R, -0.25));
        expect(scaledError(found['matrix'].data, expected.data)).toBeLessThan(1e-8);
        const ofVector = ops.matmul(await powerOf(F, -0.5), ops.reshape(last.vector, [3, 1]));
        expect(scaledError(found['vector'].data, ofVector.data)).toBeLessThan(1e-8);
      }),
      { numRuns: 20 },
    );
  });

  it('law: the scale of the gradients does not matter, and zeros stay', async () => {
    const gradients = gradientsOf(3);
    const plain = await directionOf(gradients, {}, 1e-6);
    for (const scale of [1e-12, 1e12]) {
      const scaled = gradients.map(({ matrix, vector }) => ({
        matrix: ops.scale(scale, matrix),
        vector: ops.scale(scale, vector),
      }));
      const found = await directionOf(scaled, {}, 1e-6);
      for (const path of Object.keys(found)) {
        expect(scaledError(found[path].data, plain[path].data)).toBeLessThan(1e-6);
      }
    }
    const still = { matrix: ops.full([4, 3], 0), vector: ops.full([3], 0) };
    const found = await directionOf([still, still], {}, 1e-6);
    for (const { data } of Object.values(found)) expect(Math.hypot(...data)).toBe(0);
  });

  it('an axis beyond the limit has a diagonal factor, and so has a vector', async () => {
    const gradients = gradientsOf(5);
    const found = await directionOf(gradients, { decay: 0, limit: 3 }, 1e-300);
    const { matrix } = gradients[4];
    const l = ops.sum(ops.square(matrix), [1]);
    const left = ops.reshape({ ...l, data: Float64Array.from(l.data, (x) => x ** -0.25) }, [4, 1]);
    const expected = ops.matmul(ops.mul(left, matrix), await powerOf(ops.gram(matrix), -0.25));
    expect(scaledError(found['matrix'].data, expected.data)).toBeLessThan(1e-8);
    const short = await directionOf(gradients, { decay: 0, limit: 2 }, 1e-300);
    // A single gradient over the root of its own square is its sign.
    expect(Array.from(short['vector'].data)).toEqual(
      Array.from(gradients[4].vector.data, (x): unknown => expect.closeTo(Math.sign(x), 10)),
    );
  });

  it('parameters with more axes are the matrix of the first and all others; numbers have a square', async () => {
    const g = gaussian(7, [3, 2, 2]);
    const matrix = ops.reshape(g, [3, 4]);
    const [found, flat] = [
      await directionOf([{ g, c: gaussian(8, []) }], {}, 1e-6),
      await directionOf([{ g: matrix }], {}, 1e-6),
    ];
    expect(found['g'].shape).toEqual([3, 2, 2]);
    expect(found['g'].data).toEqual(flat['g'].data);
    expect(Math.abs(found['c'].data[0])).toBeCloseTo(1, 5);
  });

  it('law: blocks of arrays and back is the identity', () => {
    const params = { a: gaussian(1, [2, 3, 4]), b: gaussian(2, [3]) };
    const blocks = [
      { kind: 'parameter', name: 'a', shape: [2, 3, 4] },
      { kind: 'parameter', name: 'b' },
    ] as const;
    expect(toBlocks(ops, blocks, params)['a'].shape).toEqual([2, 12]);
    expect(fromBlocks(ops, blocks, toBlocks(ops, blocks, params))).toEqual(params);
  });

  it('worked example: 81 has the root 1/9 as one factor, and 16 ⊗ 16 has 1/2 ⊗ 1/2', async () => {
    const prepared = async (block: BlockOperator<Tensor>): Promise<ReadonlyArray<number>> => {
      const operator: LinearOperator<Tensor> = { _tag: 'blockDiagonal', blocks: { w: block } };
      const { operator: made } = orThrow(await rootInverse.prepare(env.backend, operator, 1e-300, null)());
      if (made._tag !== 'blockDiagonal') throw new Error('no blocks');
      return Array.from(materialise(ops, made.blocks['w'], [1, 1]).data);
    };
    const one = ops.full([1, 1], 16);
    const dense = { _tag: 'dense', matrix: one } as const;
    expect(
      await prepared({ _tag: 'diagonal', values: ops.constant({ ...one, shape: [1], data: Float64Array.of(81) }) }),
    ).toEqual([expect.closeTo(1 / 9, 14)]);
    expect(await prepared(dense)).toEqual([expect.closeTo(1 / 4, 14)]);
    expect(await prepared({ _tag: 'kronecker', A: dense, G: dense })).toEqual([expect.closeTo(1 / 4, 14)]);
  });
});
