/**
 * Kernels of what is centred and scaled, on the vector unit: rows by one kernel, columns by one for their sums and one for what
 * is made of them. Arrays that do not lie in its memory are left to plain loops.
 *
 * @module
 */
import type { Kernels } from '../kernels/kernels.ts';
import { standardiseKernels as plain } from '../kernels/standardise.ts';
import type { Vector } from '../kernels/precision.ts';
import type { ReadonlyVector } from '../../../tensor.ts';

import type { VectorUnit } from './instance.ts';
import { chunk, places } from './module.ts';

/** Standardises the rows or the columns of a matrix, from its address to that of the result. */
type Standardising = (
  addresses: ReadonlyArray<number>,
  rows: number,
  columns: number,
  epsilon: number,
  means: Vector,
  variances: Vector,
) => void;

/**
 * The kernels.
 *
 * @param unit - the vector unit
 * @param worthwhile - elements from which it is worth a call
 */
export const standardising = (
  unit: VectorUnit,
  worthwhile: number,
): Pick<Kernels, 'standardise' | 'standardiseVjp' | 'softmaxVjp'> => {
  const { addressOf } = unit.memory;

  /** Addresses of arrays, or `null` where one is not in the memory or all are short. */
  const addressesOf = (arrays: ReadonlyArray<ReadonlyVector>): ReadonlyArray<number> | null => {
    if (arrays[0].length < worthwhile) return null;
    const addresses = arrays.map((array) => addressOf(array, 0));
    return addresses.some((address) => address < 0) ? null : addresses;
  };

  /** Goes over rows in parts whose numbers fit into a place. */
  const forEachPart = (rows: number, visit: (start: number, count: number) => void): void => {
    for (let start = 0; start < rows; start += chunk) visit(start, Math.min(chunk, rows - start));
  };

  /** Numbers of some columns into a place. */
  const put = (place: Float32Array, columns: number, value: (column: number) => number): void => {
    for (let j = 0; j < columns; j += 1) place[j] = value(j);
  };

  const rowsOf: Standardising = ([a, result], rows, columns, epsilon, means, variances) =>
    forEachPart(rows, (start, count) => {
      const at = 4 * start * columns;
      unit.standardiseRows(a + at, result + at, places.a, places.b, 4 * columns, count, columns, epsilon);
      means.set(unit.a.subarray(0, count), start);
      variances.set(unit.b.subarray(0, count), start);
    });

  const columnsOf: Standardising = ([a, result], rows, columns, epsilon, means, variances) => {
    const bytes = 4 * columns;
    unit.middleSums(a, places.a, bytes, rows, 1);
    put(unit.a, columns, (j) => unit.a[j] / rows);
    unit.columnMoments(a, places.a, places.b, places.out, bytes, rows);
    for (let j = 0; j < columns; j += 1) {
      const rest = unit.b[j] / rows;
      const variance = Math.max(unit.out[j] / rows - rest * rest, 0);
      means[j] = unit.a[j] + rest;
      variances[j] = variance;
      unit.b[j] = rest;
      unit.out[j] = 1 / Math.sqrt(variance + epsilon);
    }
    unit.standardiseColumns(a, places.a, places.b, places.out, result, bytes, rows);
  };

  return {
    standardise: (x, blocks, rows, columns, epsilon, out, means, variances) => {
      const found = columns > chunk ? null : addressesOf([x, out]);
      if (found === null) plain.standardise(x, blocks, rows, columns, epsilon, out, means, variances);
      else if (columns === 1) rowsOf(found, blocks, rows, epsilon, means, variances);
      else {
        for (let b = 0; b < blocks; b += 1) {
          const at = 4 * b * rows * columns;
          const [first, end] = [b * columns, (b + 1) * columns];
          columnsOf(
            found.map((address) => address + at),
            rows,
            columns,
            epsilon,
            means.subarray(first, end),
            variances.subarray(first, end),
          );
        }
      }
    },
    standardiseVjp: (y, variances, c, blocks, rows, columns, epsilon, out) => {
      const found = columns > chunk ? null : addressesOf([c, y, out]);
      if (found === null) {
        plain.standardiseVjp(y, variances, c, blocks, rows, columns, epsilon, out);
        return;
      }
      const [cotangent, value, result] = found;
      if (columns === 1) {
        forEachPart(blocks, (start, count) => {
          const at = 4 * start * rows;
          put(unit.a, count, (r) => variances[start + r]);
          unit.standardiseRowsVjp(cotangent + at, value + at, places.a, result + at, 4 * rows, count, rows, epsilon);
        });
        return;
      }
      const bytes = 4 * columns;
      for (let b = 0; b < blocks; b += 1) {
        const at = b * rows * bytes;
        unit.columnProducts(cotangent + at, value + at, places.a, places.b, bytes, rows);
        put(unit.a, columns, (j) => unit.a[j] / rows);
        put(unit.b, columns, (j) => unit.b[j] / rows);
        put(unit.out, columns, (j) => 1 / Math.sqrt(variances[b * columns + j] + epsilon));
        const [p, q, r] = [cotangent, value, result].map((address) => address + at);
        unit.standardiseColumnsVjp(p, q, places.a, places.b, places.out, r, bytes, rows);
      }
    },
    softmaxVjp: (y, c, rows, columns, out) => {
      const found = addressesOf([y, c, out]);
      if (found === null) plain.softmaxVjp(y, c, rows, columns, out);
      else unit.softmaxRowsVjp(...found, 4 * columns, rows);
    },
  };
};
