/**
 * Sums over examples, added up: of a large one each rank is sent a run by all others, adds those, and is done, for whatever is computed
 * element by element is computed in runs as well. That is half of what it takes to make it whole; the other half goes with what has come of
 * it, parameters say, if anybody wants that. Terms are added in the order of the ranks.
 *
 * @module
 */
import type { Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Posted } from '../collective.ts';
import type { Place, Spread } from './array.ts';
import { placeOf, withExtent } from './array.ts';
import { runOf } from './layout.ts';
import type { Workshop } from './workshop.ts';
import { evenRuns, makeWhole, movedTo, zerosFor } from './workshop.ts';

type Sum = Extract<Place, { readonly kind: 'sum' }>;

/** A sum on its way to runs. */
interface Scattered {
  readonly posted: Posted;
  readonly settle: () => void;
}

/** The sum of arrays of one shape that lie one behind the other. */
const totalOf = ({ ops }: Workshop, all: Tensor, count: number, shape: Shape): Tensor => {
  const length = sizeOf(shape);
  const [first, ...others] = Array.from({ length: count }, (_, i) => runOf(all, i * length, shape));
  return others.reduce((sum, each) => ops.add(sum, each), first);
};

const scattering = (shop: Workshop, x: Spread, { parts }: Sum): Scattered => {
  const { collective, room } = shop;
  const { size, ranks } = collective;
  const { shape } = x;
  const bounds = evenRuns(shape[0], shop);
  const behind = sizeOf(shape.slice(1));
  const rowsOf = (rank: number): number => bounds[rank + 1] - bounds[rank];
  const lengths = Array.from({ length: size }, (_, rank) => rowsOf(rank) * behind);
  const received = ranks.map((rank) => room([size * lengths[rank]]));
  const posted = collective.allToAll(
    parts.map((part) => zerosFor(shop, shape, part).data),
    lengths,
    received.map(({ data }) => data),
  );
  return {
    posted,
    settle: () => {
      const runs = ranks.map((rank, i) => totalOf(shop, received[i], size, withExtent(shape, 0, rowsOf(rank))));
      movedTo(shop, x, { kind: 'shards', axis: 0, bounds, parts: runs }, runs);
    },
  };
};

/** Whether each rank may have a run: one, of its own, that has something in it. Rounded sums go as they do. */
const isInRuns = ({ collective, parts, wire, rows, small }: Workshop, { shape }: Spread): boolean =>
  collective.size > 1 &&
  parts === 1 &&
  wire === 'full' &&
  rows.count === 1 &&
  shape.length > 0 &&
  shape[0] >= collective.size &&
  sizeOf(shape) > small;

/**
 * Adds up sums: of large ones each rank has a run afterwards, others are whole. All messages are on their way at the same time.
 *
 * @param shop - the scope's means
 * @param arrays - any; what is no sum is made whole
 */
export const addUp = (shop: Workshop, arrays: ReadonlyArray<Spread>): void => {
  const distinct = [...new Set(arrays)];
  const scattered = distinct.flatMap((x): ReadonlyArray<readonly [Spread, Scattered]> => {
    const place = placeOf(x);
    return place.kind === 'sum' && !place.isSymmetric && isInRuns(shop, x) ? [[x, scattering(shop, x, place)]] : [];
  });
  const inRuns = new Set(scattered.map(([x]) => x));
  makeWhole(
    shop,
    distinct.filter((x) => !inRuns.has(x)),
  );
  for (const [, { posted, settle }] of scattered) {
    posted.wait();
    settle();
  }
};
