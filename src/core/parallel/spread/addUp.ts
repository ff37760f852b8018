/**
 * Sums over examples, added up: of a large one each rank is sent a run by all others, adds those, and is done, for whatever is computed
 * element by element is computed in runs as well. That is half of what it takes to make it whole; the other half goes with what has come of
 * it, parameters say, if anybody wants that. Terms are added in the order of the ranks.
 *
 * The message may be under way while other things are computed: a gradient's, while the backward pass goes on to the layers before.
 *
 * @module
 */
import type { Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Place, Spread } from './array.ts';
import { placeOf, withExtent } from './array.ts';
import { addTo, runOf } from './layout.ts';
import type { Workshop } from './workshop.ts';
import { evenRuns, makeWhole, takesOff, zerosFor } from './workshop.ts';

type Sum = Extract<Place, { readonly kind: 'sum' }>;

/** Has the message begin that leaves each rank a run. */
const scatter = (shop: Workshop, x: Spread, { parts }: Sum): void => {
  const { collective, room } = shop;
  const { size, ranks } = collective;
  const { shape } = x;
  const bounds = evenRuns(shape[0], shop);
  const behind = sizeOf(shape.slice(1));
  const rowsOf = (rank: number): number => bounds[rank + 1] - bounds[rank];
  const lengths = Array.from({ length: size }, (_, rank) => rowsOf(rank) * behind);
  const received = ranks.map((rank) => room([size * lengths[rank]]));
  const sent = parts.map((part) => zerosFor(shop, shape, part));
  const posted = collective.allToAll(
    sent.map(({ data }) => data),
    lengths,
    received.map(({ data }) => data),
  );
  /** The sum of the runs that a rank was sent, where the first of them is. */
  const added = (rank: number, i: number): Tensor => {
    const length = lengths[rank];
    const [first, ...others] = Array.from({ length: size }, (_, from) =>
      runOf(received[i], from * length, withExtent(shape, 0, rowsOf(rank))),
    );
    others.forEach((each) => {
      addTo(first, each);
    });
    return first;
  };
  takesOff(shop, x, [...received, ...sent], () => {
    posted.wait();
    return { kind: 'shards', axis: 0, bounds, parts: ranks.map(added) };
  });
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

/** Has the messages of large sums begin. Whoever looks at one of them waits for its message. */
export const beginAddingUp = (shop: Workshop, arrays: ReadonlyArray<Spread>): void => {
  for (const x of new Set(arrays)) {
    if (!isInRuns(shop, x)) continue;
    const { place, coming } = x.held.read();
    if (coming === null && place.kind === 'sum' && !place.isSymmetric) scatter(shop, x, place);
  }
};

/**
 * Adds up sums: of large ones each rank has a run afterwards, others are whole. All messages are on their way at the same time.
 *
 * @param shop - the scope's means
 * @param arrays - any; what is no sum, nor in runs of its own, is made whole
 */
export const addUp = (shop: Workshop, arrays: ReadonlyArray<Spread>): void => {
  beginAddingUp(shop, arrays);
  const isUnderWay = (x: Spread): boolean => x.held.read().coming !== null;
  const isThere = (x: Spread): boolean => isInRuns(shop, x) && x.held.read().place.kind === 'shards';
  makeWhole(
    shop,
    arrays.filter((x) => !isUnderWay(x) && !isThere(x)),
  );
  arrays.forEach(placeOf);
};
