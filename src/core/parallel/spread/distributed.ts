/**
 * A backend whose arrays are spread over the ranks of a collective.
 *
 * It stands in the place of any other: training, judging and saving do not know of it. Examples are shared out where a batch is
 * placed; all that follows from that is arithmetic, see `interpreter.ts`.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend, Scope } from '../../backends/backend.ts';
import { withinScopes } from '../../backends/within.ts';
import { attempt } from '../../errors.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { checkSame, digestOf } from '../agreement.ts';
import type { Collective } from '../collective.ts';
import type { PartingBackend } from '../parts/deferring.ts';
import { deferring, undivided } from '../parts/deferring.ts';
import { extent } from '../../settings.ts';
import type { Spread } from './array.ts';
import { arraysOf, bytesOn, settle, wholesAmong } from './array.ts';
import { sharedLinearAlgebra } from './factorising.ts';
import { spreadOps, typeIn } from './interpreter.ts';
import type { Queue } from './rounds.ts';
import { createQueue } from './rounds.ts';
import type { GradientWorkers } from './rows.ts';
import { rowsFor } from './rows.ts';
import type { Wire } from './wire.ts';
import type { Workshop } from './workshop.ts';
import { evenRuns, runsOf, spread, wholeOf } from './workshop.ts';

/** Settings of {@link distributed}. */
export interface DistributedOptions {
  /**
   * Who keeps what comes of a factorisation, and so who turns gradients into directions [P21]: `all` unless given, when it is sent to
   * all at once; `one` rank for each, when only what it gives is sent, once it is needed; or a share of the ranks, between 1 and one
   * of them, that divides them evenly: those have it, and send what it gives to the others.
   */
  readonly gradientWorkers?: GradientWorkers;
  /**
   * In how many parts each rank takes its examples, one after another: 1 unless given. What is computed for examples is in memory for a
   * part at a time; what is summed over them is the sum over all parts, and nothing else changes.
   */
  readonly accumulate?: number;
  /**
   * How sums over examples travel, gradients and statistics: in their own precision, `full`, unless given, or rounded to `bf16` in half the
   * bytes, from 256 elements on. Inverses and directions are sent as they are.
   */
  readonly wire?: Wire;
  /** Elements up to which sums travel together, and every rank has all of them: 2¹⁴ unless given. Of others it has a run where that will do. */
  readonly small?: number;
  /** Told of each round of factorisations: about how many operations each rank has in it. */
  readonly assigned?: (loads: ReadonlyArray<number>) => void;
}

/**
 * A backend in host memory, spread over ranks. Each of them runs the same program on the same batches.
 *
 * @param local - the backend of this process
 * @param collective - the ranks
 * @param options - who keeps inverses
 * @example
 * ```ts
 * import { distributed, referenceBackend, simulated, tensor } from 'kfac-ts/core';
 *
 * // Two ranks, each with one of the rows; their sum is of both.
 * const backend = distributed(referenceBackend(), simulated(2));
 * const x = backend.batch?.(tensor([1, 2], [2, 1])) ?? backend.ops.full([], 0);
 * const total = await backend.read(backend.ops.sum(x, [0, 1]))();
 * total._tag === 'Right' ? total.right.data : []; // => [3]
 * ```
 */
export const distributed = (
  local: Backend<Tensor>,
  collective: Collective,
  { gradientWorkers = 'all', accumulate = 1, wire = 'full', small = 2 ** 14, assigned }: DistributedOptions = {},
): Backend<Spread> => {
  const parts = extent('accumulate', accumulate);
  const queue = createQueue(collective.size, assigned);
  const means = { collective, parts, wire, small, rows: rowsFor(collective.size, gradientWorkers) };
  const nobody: Around = { outlives: () => undefined, begun: () => undefined };
  return backendOn(parts === 1 ? undivided(local) : deferring(local), means, queue, nobody);
};

/** What all scopes have in common. */
type Means = Pick<Workshop, 'collective' | 'parts' | 'wire' | 'small' | 'rows'>;

/** What a scope tells the one around it. */
type Around = Pick<Workshop, 'outlives' | 'begun'>;

const backendOn = (local: PartingBackend, means: Means, queue: Queue, around: Around): Backend<Spread> => {
  const { ops, dtype: float, parting } = local;
  const { collective } = means;
  const { room = (shape: Shape) => ops.full(shape, 0) } = local;
  const shop: Workshop = { ...means, ops, room, parting, dtype: float, scope: {}, ...around };
  const scope = (): Scope<Spread> => {
    const inner = local.scope();
    const outliving: Array<Tensor> = [];
    const underWay = new Set<Spread>();
    const told: Around = { outlives: (made) => void outliving.push(made), begun: (x) => void underWay.add(x) };
    return {
      backend: backendOn(inner.backend, means, queue, told),
      close: (keep, retire = []) => {
        const living = new Set(keep);
        for (const x of underWay) {
          if (living.has(x)) around.begun(x);
          else settle(x);
        }
        retire.forEach(settle);
        const gone = new Set(retire.flatMap(arraysOf));
        // What was made whole here belongs to arrays of an outer scope, which may keep it.
        const outlived = outliving.filter((made) => !gone.has(made));
        outlived.forEach(around.outlives);
        inner.close([...keep.flatMap(arraysOf), ...outlived], [...gone]);
      },
    };
  };
  return {
    name: local.name,
    dtype: local.dtype,
    ops: spreadOps(shop, withinScopes(scope)),
    linearAlgebra: sharedLinearAlgebra(shop, queue, local.linearAlgebra),
    read: (x) =>
      TE.flatMap((whole: Tensor) => local.read(whole))(TE.fromIOEither(() => attempt(() => wholeOf(shop, x)))),
    batch: (value) => {
      const [examples] = value.shape;
      const dtype = typeIn(shop, value);
      const host = spread(shop, value.shape, { kind: 'given', value }, dtype);
      if (value.shape.length === 0) return host;
      const bounds = evenRuns(examples, shop);
      const parts = runsOf(shop, host, 0, bounds);
      return spread(shop, value.shape, { kind: 'shards', axis: 0, bounds, parts }, dtype);
    },
    isInStep: true,
    bytesHeld: (arrays) => Math.max(...collective.ranks.map((rank) => bytesOn(means.rows, rank, arrays))),
    agree: (arrays) => TE.fromIOEither(() => checkSame(collective, { parameters: digestOf(wholesAmong(arrays)) })),
    scope,
    report: () => {
      const report = local.report();
      return collective.size === 1
        ? report
        : { ...report, library: `${report.library}, ${collective.size} ranks over ${collective.name}` };
    },
    dispose: local.dispose,
  };
};
