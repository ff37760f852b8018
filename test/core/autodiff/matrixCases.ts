/**
 * Rows of the products of matrices.
 *
 * @module
 */
import fc from 'fast-check';

import type { Shape } from '../../../src/core/tensor.ts';
import { arrayOf, extent } from './arrays.ts';
import type { Case } from './rows.ts';
import { row, rowOfTwo, setting } from './rows.ts';

const products = [2, 3].flatMap((rank) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => {
      const flags = `${transposeA ? 'ᵀ' : ''}${transposeB ? ' Bᵀ' : ' B'}`;
      const shapes = fc.tuple(extent, extent, extent, extent).map(([batch, m, k, n]): readonly [Shape, Shape] => {
        const lead = rank === 3 ? [batch] : [];
        return [
          [...lead, ...(transposeA ? [k, m] : [m, k])],
          [...lead, ...(transposeB ? [n, k] : [k, n])],
        ];
      });
      return rowOfTwo(`matmul of rank ${rank}: A${flags}`, shapes, (ops, a, b) =>
        ops.matmul(a, b, { transposeA, transposeB }),
      );
    }),
  ),
);

const affine = (hasBias: boolean): Case => ({
  name: hasBias ? 'affine' : 'affine without bias',
  settings: () =>
    fc
      .tuple(extent, extent, extent)
      .chain(([n, from, to]) =>
        fc
          .record({ x: arrayOf([n, from]), weight: arrayOf([to, from]), bias: arrayOf([to]) })
          .map(({ x, weight, bias }) =>
            hasBias
              ? setting({ x, weight, bias }, (ops, p) => ops.affine(p['x'], p['weight'], p['bias']))
              : setting({ x, weight }, (ops, p) => ops.affine(p['x'], p['weight'], null)),
          ),
      ),
});

/** Operands of an affine map that do not all have a derivative. */
const affineIn = (...moving: ReadonlyArray<'x' | 'weight' | 'bias'>): Case => ({
  name: `affine in ${moving.join(' and ')} alone`,
  settings: () =>
    fc
      .record({ x: arrayOf([3, 2]), weight: arrayOf([4, 2]), bias: arrayOf([4]) })
      .map(({ x, weight, bias }) =>
        setting(
          Object.fromEntries(moving.map((name) => [name, { x, weight, bias }[name]])),
          (ops, p, inputs) => ops.affine(p['x'] ?? inputs[0], p['weight'] ?? inputs[1], p['bias'] ?? inputs[2]),
          [x, weight, bias],
        ),
      ),
});

/** Every product of matrices. */
export const matrixCases: ReadonlyArray<Case> = [
  ...products,
  rowOfTwo('matmul of an array with itself', fc.constant([[3, 2], [1]] as const), (ops, a, b) =>
    ops.mul(ops.matmul(a, a, { transposeA: true }), b),
  ),
  affine(true),
  affine(false),
  affineIn('x'),
  affineIn('weight'),
  affineIn('bias'),
  affineIn('x', 'bias'),
  affineIn('weight', 'bias'),
  affineIn('x', 'weight'),
  row(
    'gram',
    fc.tuple(extent, extent).chain((shape) => arrayOf(shape)),
    (ops, x) => ops.gram(x),
  ),
];
