/**
 * Large products of arrays that every rank has are shared out by rows; small ones are not worth a message.
 *
 * @module
 */
import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { orThrow } from '../../support/training.ts';

/** Small whole numbers, whose sums are exact in any order. */
const wholes = (shape: Shape, shift: number): Tensor => generate(shape, (i) => ((7 * i + shift) % 11) - 5);

/** The reference, and the shapes of the products that it computes. */
const counting = () => {
  const local = referenceBackend();
  const products: Array<Shape> = [];
  const matmul: typeof local.ops.matmul = (a, b, transposes) => {
    const product = local.ops.matmul(a, b, transposes);
    products.push(product.shape);
    return product;
  };
  const backend: Backend<Tensor> = { ...local, ops: { ...local.ops, matmul } };
  return { backend, products };
};

const transposed = ([rows, columns]: Shape, isTransposed: boolean): Shape =>
  isTransposed ? [columns, rows] : [rows, columns];

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('a product with transposes %p and %p', (transposeA, transposeB) => {
  const transposes = { transposeA, transposeB };

  /** What three ranks make of a product of arrays that all have, and the shapes of what they compute. */
  const made = async (m: number, k: number, n: number) => {
    const { backend, products } = counting();
    const [a, b] = [wholes(transposed([m, k], transposeA), 1), wholes(transposed([k, n], transposeB), 2)];
    const together = distributed(backend, simulated(3));
    const [x, y] = together.ops.whole([together.ops.constant(a), together.ops.constant(b)]);
    const found = orThrow(await together.read(together.ops.matmul(x, y, transposes))());
    return { found, expected: referenceBackend().ops.matmul(a, b, transposes), products };
  };

  it('is shared out by rows where it is large, and is the same product', async () => {
    const { found, expected, products } = await made(260, 256, 256);
    expect(products).toEqual([
      [86, 256],
      [87, 256],
      [87, 256],
    ]);
    expect(found).toEqual(expected);
  });

  it.each([
    ['small', 128, 256, 256],
    ['of few terms for each element', 520, 65, 512],
  ])('is not where it is %s', async (_, m, k, n) => {
    const { found, expected, products } = await made(m, k, n);
    expect(products).toEqual([[m, n]]);
    expect(found).toEqual(expected);
  });
});
