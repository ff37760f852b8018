/**
 * The distributed backend computes what the reference computes, wherever its operands are.
 *
 * @module
 */
import { newIORef } from 'fp-ts/lib/IORef.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { portableBackend } from '../../../src/core/backends/portable/backend.ts';
import { evenBounds } from '../../../src/core/parallel/collective.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import type { Place, Spread } from '../../../src/core/parallel/spread/array.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { conformanceOnOpening } from '../../support/conformance.ts';

/** The same backend, whose constants are somewhere else each time. */
const scattered = (
  backend: Backend<Spread>,
  size: number,
  placeOf: (value: Tensor, turn: number) => Place | null,
): Backend<Spread> => {
  let turn = 0;
  const constant = (value: Tensor): Spread => {
    const made = backend.ops.constant(value);
    const place = placeOf(value, (turn += 1));
    return place === null ? made : { ...made, held: newIORef({ place, former: [], coming: null })() };
  };
  return {
    ...backend,
    ops: { ...backend.ops, constant },
    scope: () => {
      const scope = backend.scope();
      return { ...scope, backend: scattered(scope.backend, size, placeOf) };
    },
  };
};

const { ops } = referenceBackend();

const shardsOf = (value: Tensor, axis: number, size: number): Place => {
  const bounds = evenBounds(value.shape[axis], size);
  const x = ops.constant(value);
  const parts = Array.from({ length: size }, (_, rank) => {
    const extent = bounds[rank + 1] - bounds[rank];
    const begin = value.shape.map((_e, i) => (i === axis ? bounds[rank] : 0));
    return extent === 0
      ? null
      : ops.slice(
          x,
          begin,
          value.shape.map((e, i) => (i === axis ? extent : e)),
        );
  });
  return { kind: 'shards', axis, bounds, parts };
};

/** What is exactly x when it is added up, the sign of zeros too. */
const addends = (value: Tensor, turn: number, size: number): Place => ({
  kind: 'sum',
  isSymmetric: false,
  parts: Array.from({ length: size }, (_, rank) =>
    rank === turn % size
      ? ops.constant(value)
      : rank === (turn + 1) % size
        ? ops.constant(generate(value.shape, () => -0))
        : null,
  ),
});

/** Every place in turn: shards along any axis, sums, arrays of one rank, numbers that all have. */
const anyPlace =
  (size: number) =>
  (value: Tensor, turn: number): Place | null => {
    const kind = turn % 5;
    if (kind < 2 && value.shape.length > 0) return shardsOf(value, (turn * 7) % value.shape.length, size);
    if (kind === 2 && value.dtype !== 'i32') return addends(value, turn, size);
    if (kind === 3) return { kind: 'owned', row: turn % size, whole: ops.constant(value) };
    return null;
  };

const spreadReference = (size: number): Backend<Spread> =>
  distributed(referenceBackend(), simulated(size), { gradientWorkers: 'one' });

const measured = (name: string, size: number, placeOf: (value: Tensor, turn: number) => Place | null): void => {
  conformanceOnOpening(name, 'f64', TE.right(scattered(spreadReference(size), size, placeOf)), { runs: 40 });
};

for (const size of [1, 3]) measured(`reference on ${size} ranks, arrays anywhere`, size, anyPlace(size));

measured('reference on 2 ranks, all arrays in shards', 2, (value) =>
  value.shape.length === 0 ? null : shardsOf(value, 0, 2),
);

conformanceOnOpening(
  'portable on 2 ranks',
  'f32',
  TE.map((backend: Backend<Tensor>) => distributed(backend, simulated(2)))(TE.fromEither(portableBackend())),
  { runs: 15 },
);
