/**
 * Operations that move elements, on spread arrays: shapes change, and with them which axis is in shards.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import {
  broadcastToShape,
  concatShape,
  gatherShape,
  padShape,
  raisedAxes,
  reshapedShape,
  scatterAddShape,
  sliceShape,
  transposedShape,
} from '../../ops/shapes.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { generate, sizeOf } from '../../tensor.ts';
import type { Names } from './apply.ts';
import { apply, isAddend, linearly } from './apply.ts';
import type { Part, Place, Spread } from './array.ts';
import { aroundAxis, placeOf, withExtent } from './array.ts';
import { runOf } from './layout.ts';
import type { Workshop } from './workshop.ts';
import { addendsOf, runsHere, spread, wholeOf } from './workshop.ts';

/** Names of axes that run with no others. */
export const axisNames = (prefix: string, count: number): Names =>
  Array.from({ length: count }, (_, axis) => `${prefix}${axis}`);

/** Names of an operand's axes in an elementwise operation: those of the result, where it is not repeated along them. */
export const alignedNames = (from: Shape, to: Shape): Names => {
  const raised = new Set(raisedAxes(from, to));
  const missing = to.length - from.length;
  return from.map((_, axis) => (raised.has(axis + missing) ? '' : `${axis + missing}`));
};

/** The row that has all of an array by itself, -1 where there is none. */
const owningRow = (place: Place): number => (place.kind === 'owned' ? place.row : -1);

type Shards = Extract<Place, { readonly kind: 'shards' }>;

/** The shards of x, where it is in any. */
const shardsOf = (x: Spread): Shards | null => {
  const place = placeOf(x);
  return place.kind === 'shards' ? place : null;
};

/** Where the runs lie under another shape: along the axis that has as many elements before it; `null` where they would be torn. */
const reshaped = (from: Shape, to: Shape, { axis, bounds }: Shards): Pick<Shards, 'axis' | 'bounds'> | null => {
  const [before, behind] = aroundAxis(from, axis);
  const found = to.flatMap((_, at) => {
    const [ahead, rest] = aroundAxis(to, at);
    if (ahead !== before || rest === 0) return [];
    const moved = bounds.map((bound) => (bound * behind) / rest);
    return moved.every((bound) => Number.isInteger(bound)) && moved[moved.length - 1] === to[at]
      ? [{ axis: at, bounds: moved }]
      : [];
  });
  return found.length === 0 ? null : found[0];
};

/** Shards made from those of x. */
const fromShards = (
  shop: Workshop,
  { dtype }: Spread,
  shape: Shape,
  { axis, bounds }: Pick<Shards, 'axis' | 'bounds'>,
  part: (run: number, at: number, extents: Shape) => Part,
): Spread => {
  const parts = runsHere(shop).map((run, at) => {
    const extent = bounds[run + 1] - bounds[run];
    return extent === 0 ? null : part(run, at, withExtent(shape, axis, extent));
  });
  return spread(shop, shape, { kind: 'shards', axis, bounds, parts }, dtype);
};

/** Rows of x that its shards have, at indices in ascending order: each rank takes its own. */
const gatheredRows = (shop: Workshop, x: Spread, indices: Tensor): Spread | null => {
  const shards = shardsOf(x);
  if (shards?.axis !== 0 || indices.shape.length !== 1) return null;
  const { data } = indices;
  for (let i = 1; i < data.length; i += 1) if (data[i] < data[i - 1]) return null;
  const bounds = shards.bounds.map((bound) => {
    let count = 0;
    while (count < data.length && data[count] < bound) count += 1;
    return count;
  });
  const shape = gatherShape(x.shape, indices.shape);
  return fromShards(shop, x, shape, { axis: 0, bounds }, (run, at, [extent]) => {
    const part = shards.parts[at];
    const rows = generate([extent], (i) => data[bounds[run] + i] - shards.bounds[run], 'i32');
    return part === null ? null : shop.ops.gather(part, shop.ops.constant(rows));
  });
};

/** The movements among the primitives. */
export const movement = (
  shop: Workshop,
): Pick<
  Primitives<Spread>,
  'reshape' | 'transpose' | 'broadcastTo' | 'concat' | 'slice' | 'pad' | 'gather' | 'scatterAdd'
> => {
  /** Each axis by itself, except those of which a box takes a part. */
  const boxNames = (x: Shape, result: Shape): Names =>
    x.map((extent, axis) => (extent === result[axis] ? `${axis}` : ''));

  return {
    reshape: (x, shape) => {
      reshapedShape(x.shape, shape);
      const summed = linearly(shop, x, shape, (ops, part) => ops.reshape(part, shape));
      if (summed !== null) return summed;
      const place = placeOf(x);
      if (place.kind === 'given') {
        const value = typeof place.value === 'number' ? place.value : { ...place.value, shape };
        return spread(shop, shape, { kind: 'given', value }, x.dtype);
      }
      const found = place.kind === 'shards' ? reshaped(x.shape, shape, place) : null;
      if (place.kind === 'shards' && found !== null) {
        return fromShards(shop, x, shape, found, (_, at, extents) => {
          const part = place.parts[at];
          return part === null ? null : shop.ops.reshape(part, extents);
        });
      }
      const names = x.shape.map(() => '');
      return apply(shop, {
        operands: [[x, names]],
        names: shape.map(() => ''),
        shape,
        dtype: x.dtype,
        run: (ops, [a]) => ops.reshape(a, shape),
      });
    },
    transpose: (x, permutation) => {
      const shape = transposedShape(x.shape, permutation);
      return (
        linearly(shop, x, shape, (ops, part) => ops.transpose(part, permutation), true) ??
        apply(shop, {
          operands: [[x, axisNames('', x.shape.length)]],
          names: permutation.map((axis) => `${axis}`),
          shape,
          dtype: x.dtype,
          run: (ops, [a]) => ops.transpose(a, permutation),
        })
      );
    },
    broadcastTo: (x, shape) => {
      broadcastToShape(x.shape, shape);
      // A sum that is repeated is sent before: as moments of a batch are, whose cotangents meet all examples.
      const isRepeated = shop.parts === 1 && sizeOf(shape) > sizeOf(x.shape);
      return (
        (isRepeated ? null : linearly(shop, x, shape, (ops, part) => ops.broadcastTo(part, shape))) ??
        apply(shop, {
          operands: [[x, alignedNames(x.shape, shape)]],
          names: axisNames('', shape.length),
          shape,
          dtype: x.dtype,
          run: (ops, [a], extents) => ops.broadcastTo(a, extents),
        })
      );
    },
    concat: (xs, axis) => {
      const shape = concatShape(
        xs.map((x) => x.shape),
        axis,
      );
      const owners = new Set(xs.map((x) => owningRow(placeOf(x))));
      if (xs.every(isAddend) && (owners.size > 1 || owners.has(-1))) {
        const all = xs.map((x) => addendsOf(shop, x));
        const parts = shop.collective.ranks.map((_, at): Part =>
          all.every((each) => each[at] === null)
            ? null
            : shop.ops.concat(
                all.map((each, i) => each[at] ?? shop.ops.full(xs[i].shape, 0)),
                axis,
              ),
        );
        return spread(shop, shape, { kind: 'sum', parts, isSymmetric: false });
      }
      const names = shape.map((_, own) => (own === axis ? '' : `${own}`));
      return apply(shop, {
        operands: xs.map((x) => [x, names]),
        names,
        shape,
        dtype: xs[0].dtype,
        run: (ops, all) => ops.concat(all, axis),
      });
    },
    slice: (x, begin, size) => {
      const shape = sliceShape(x.shape, begin, size);
      const summed = linearly(shop, x, shape, (ops, part) => ops.slice(part, begin, size));
      if (summed !== null) return summed;
      const place = placeOf(x);
      if (place.kind === 'given' && typeof place.value === 'number') return spread(shop, shape, place);
      if (place.kind === 'given' && typeof place.value !== 'number' && shape.length === 1) {
        return spread(shop, shape, { kind: 'given', value: runOf(place.value, begin[0], shape) }, x.dtype);
      }
      const shards = shardsOf(x);
      if (shards !== null && size[shards.axis] !== x.shape[shards.axis]) {
        const { axis, bounds, parts } = shards;
        const within = bounds.map((bound) => Math.min(Math.max(bound - begin[axis], 0), size[axis]));
        return fromShards(shop, x, shape, { axis, bounds: within }, (run, at, extents) => {
          const part = parts[at];
          const from = begin.map((own, i) => (i === axis ? Math.max(begin[axis] - bounds[run], 0) : own));
          return part === null ? null : shop.ops.slice(part, from, extents);
        });
      }
      return apply(shop, {
        operands: [[x, boxNames(x.shape, shape)]],
        names: boxNames(shape, x.shape),
        shape,
        dtype: x.dtype,
        run: (ops, [a], extents) => ops.slice(a, begin, extents),
      });
    },
    pad: (x, begin, shape) => {
      padShape(x.shape, begin, shape);
      return (
        linearly(shop, x, shape, (ops, part) => ops.pad(part, begin, shape)) ??
        apply(shop, {
          operands: [[x, boxNames(x.shape, shape)]],
          names: boxNames(shape, x.shape),
          shape,
          dtype: x.dtype,
          run: (ops, [a], extents) => ops.pad(a, begin, extents),
        })
      );
    },
    gather: (x, indices) => {
      const shape = gatherShape(x.shape, indices.shape);
      const place = placeOf(indices);
      const given = place.kind === 'given' && typeof place.value !== 'number' ? place.value : null;
      const rows = given === null ? null : gatheredRows(shop, x, given);
      if (rows !== null) return rows;
      const isKnown = place.kind === 'given' || place.kind === 'whole';
      // Of a sum, fewer elements are sent than it has.
      const summed =
        isKnown && sizeOf(shape) <= sizeOf(x.shape)
          ? linearly(shop, x, shape, (ops, part) => ops.gather(part, wholeOf(shop, indices)))
          : null;
      if (summed !== null) return summed;
      const [at, rest] = [axisNames('i', indices.shape.length), axisNames('x', x.shape.length).slice(1)];
      return apply(shop, {
        operands: [
          [x, ['', ...rest]],
          [indices, at],
        ],
        names: [...at, ...rest],
        shape,
        dtype: x.dtype,
        run: (ops, [a, b]) => ops.gather(a, b),
      });
    },
    scatterAdd: (indices, updates, rows) => {
      const shape = scatterAddShape(indices.shape, updates.shape, rows);
      const at = axisNames('i', indices.shape.length);
      const rest = axisNames('x', updates.shape.length).slice(at.length);
      return apply(shop, {
        operands: [
          [indices, at],
          [updates, [...at, ...rest]],
        ],
        names: ['', ...rest],
        shape,
        run: (ops, [a, b]) => ops.scatterAdd(a, b, rows),
      });
    },
  };
};
