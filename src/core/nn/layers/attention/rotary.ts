/**
 * Rotary positions [S21]: queries and keys are turned by angles that grow with their position, so that their products
 * depend on the distance of their positions alone.
 *
 * Feature i of a head turns with feature i + d/2, as in GPT-NeoX and Llama; the paper turns neighbours, which is the same up
 * to a permutation of the features that projections learn.
 *
 * @module
 */
import type { Ops } from '../../../ops/ops.ts';
import type { Shaped } from '../../../tensor.ts';
import { generate } from '../../../tensor.ts';

/**
 * Queries or keys, turned.
 *
 * @param ops - interpreter
 * @param x - heads `[rows, t, d]`, d even
 * @param base - the slowest pair turns once in about 2π · base positions
 */
export const rotated = <T extends Shaped>(ops: Ops<T>, x: T, base: number): T => {
  const [rows, t, d] = x.shape;
  const half = d / 2;
  const angle = (i: number): number => Math.floor(i / half) * base ** (-(i % half) / half);
  const table = (f: (angle: number) => number): T => ops.constant(generate([t, half], (i) => f(angle(i))));
  const [cosine, sine] = [table(Math.cos), table(Math.sin)];
  const [a, b] = [0, half].map((begin) => ops.slice(x, [0, 0, begin], [rows, t, half]));
  return ops.concat([ops.sub(ops.mul(a, cosine), ops.mul(b, sine)), ops.add(ops.mul(b, cosine), ops.mul(a, sine))], 2);
};
