/**
 * Gathering and scattering of rows. An index outside the rows gathers NaN (0 among integers), and what is scattered to
 * it is lost.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { gatherShape, scatterAddShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Vector } from './kernels/precision.ts';

import type { Host } from './host.ts';
import { copyRun } from './kernels/plain.ts';
import { floatsOf, floatTensor, movable, room } from './host.ts';

const addRow = (out: Vector, to: number, x: ReadonlyVector, from: number, n: number): void => {
  for (let i = 0; i < n; i += 1) out[to + i] += x[from + i];
};

/** The primitives on rows. */
export const indexing = (host: Host): Pick<Primitives<Tensor>, 'gather' | 'scatterAdd'> => ({
  gather: (x, indices) => {
    const shape = gatherShape(x.shape, indices.shape);
    const source = movable(host, x);
    const out = room(host, source.dtype, sizeOf(shape));
    const rows = x.shape[0];
    const width = sizeOf(x.shape.slice(1));
    const at = indices.data;
    for (let i = 0; i < at.length; i += 1) {
      if (at[i] >= 0 && at[i] < rows) copyRun(source.data, at[i] * width, out, i * width, width);
      else out.fill(NaN, i * width, (i + 1) * width);
    }
    return { ...source, shape, data: out };
  },
  scatterAdd: (indices, updates, rows) => {
    const shape = scatterAddShape(indices.shape, updates.shape, rows);
    const out = host.allocator.zeros(sizeOf(shape));
    const source = floatsOf(host, updates);
    const width = sizeOf(shape.slice(1));
    const at = indices.data;
    for (let i = 0; i < at.length; i += 1) {
      if (at[i] >= 0 && at[i] < rows) addRow(out, at[i] * width, source, i * width, width);
    }
    return floatTensor(host, shape, out);
  },
});
