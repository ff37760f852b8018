/**
 * Gathering and scattering of rows. An index outside the rows gathers NaN (0 among integers), and what is scattered to
 * it is lost.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { gatherShape, scatterAddShape } from '../../ops/shapes.ts';
import type { Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor, movable, room } from './host.ts';

/** The primitives on rows. */
export const indexing = (host: Host): Pick<Primitives<Tensor>, 'gather' | 'scatterAdd'> => ({
  gather: (x, indices) => {
    const shape = gatherShape(x.shape, indices.shape);
    const source = movable(host, x);
    const out = room(host, source.dtype, sizeOf(shape));
    host.kernels.gatherRows(source.data, x.shape[0], indices.data, sizeOf(x.shape.slice(1)), out);
    return { ...source, shape, data: out };
  },
  scatterAdd: (indices, updates, rows) => {
    const shape = scatterAddShape(indices.shape, updates.shape, rows);
    const out = host.allocator.zeros(sizeOf(shape));
    host.kernels.scatterRows(floatsOf(host, updates), indices.data, sizeOf(shape.slice(1)), out, rows);
    return floatTensor(host, shape, out);
  },
});
