/**
 * What a step would take on many processes, counted and not measured: the spread interpreter on top of the shape interpreter runs the
 * step as the busiest of so many ranks would, with messages that nobody receives.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../backends/backend.ts';
import type { KfacError } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import { inversesIn } from '../../pipeline/arraysIn.ts';
import type { Batch } from '../../pipeline/context.ts';
import type { CountingBackend, StepCount } from '../../pipeline/count.ts';
import { countingBackend } from '../../pipeline/count.ts';
import { byStage } from '../../pipeline/metrics.ts';
import type { Stage } from '../../pipeline/stage.ts';
import type { StageCost } from '../../pipeline/stageCosts.ts';
import { stageCosts } from '../../pipeline/stageCosts.ts';
import { placeState, upload } from '../../pipeline/transfer.ts';
import type { TrainState } from '../../pipeline/trainState.ts';
import type { ReadonlyVector, Shaped, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Collective, Posted } from '../collective.ts';
import { carriedBy } from '../collective.ts';
import type { DistributedOptions } from '../spread/distributed.ts';
import { distributed } from '../spread/distributed.ts';
import { rowsFor } from '../spread/rows.ts';
import type { Spread } from '../spread/array.ts';
import { bytesOn } from '../spread/array.ts';

/** What a step costs the busiest rank. */
export interface RankCost {
  /**
   * Floating-point operations of each stage, and in place of those of factorisations as many as they take the rank of their round that
   * has most of them: all others wait for it.
   */
  readonly stages: ReadonlyArray<StageCost>;
  /** Operations without factorisations. */
  readonly operations: number;
  /** Those of factorisations, counted as in the stages. */
  readonly factorisations: number;
  readonly messages: number;
  /** Bytes of the arrays in them. */
  readonly bytes: number;
  /** Rounds that the messages take, one after another: log₂ of the ranks that have a part in each, rounded up. */
  readonly rounds: number;
  /** Bytes that come in from others. */
  readonly carried: number;
  /** Bytes of inverses that the rank with most of them keeps. */
  readonly inverses: number;
}

/** Zeros for as many numbers as anybody wants, in one place. */
const createZeros = (): ((length: number) => ReadonlyVector) => {
  let zeros = new Float32Array(0);
  return (length) => {
    if (zeros.length < length) zeros = new Float32Array(length);
    return zeros.subarray(0, length);
  };
};

/** Shapes as tensors of zeros, for an interpreter whose arrays have a memory. */
const withZeros = ({ backend: shapes }: CountingBackend): Backend<Tensor> => {
  const zerosOf = createZeros();
  const tensorOf = ({ shape }: Shaped): Tensor => ({
    shape,
    dtype: 'f32',
    get data() {
      return zerosOf(sizeOf(shape));
    },
  });
  const entries = Object.entries(shapes.ops).map(([name, operation]) => [
    name,
    (...operands: ReadonlyArray<never>) =>
      tensorOf((operation as (...given: ReadonlyArray<never>) => Shaped)(...operands)),
  ]);
  const ops: Ops<Tensor> = {
    ...(Object.fromEntries(entries) as unknown as Ops<Tensor>),
    whole: (arrays) => arrays,
    addedUp: (arrays) => arrays,
    addingUp: (arrays) => arrays,
    within: (run) => run(ops)[0],
  };
  const { linearAlgebra: own } = shapes;
  const backend: Backend<Tensor> = {
    name: shapes.name,
    dtype: shapes.dtype,
    report: shapes.report,
    dispose: shapes.dispose,
    read: shapes.read,
    ops,
    linearAlgebra: {
      cholesky: (m) => TE.map(tensorOf)(own.cholesky(m)),
      choleskySolve: (l, b) => TE.map(tensorOf)(own.choleskySolve(l, b)),
      inverse: (m) => TE.map(tensorOf)(own.inverse(m)),
      solve: (m, b) => TE.map(tensorOf)(own.solve(m, b)),
      eigh: (m) =>
        TE.map(({ values, vectors }: { readonly values: Shaped; readonly vectors: Shaped }) => ({
          values: tensorOf(values),
          vectors: tensorOf(vectors),
        }))(own.eigh(m)),
    },
    scope: () => ({ backend, close: () => undefined }),
  };
  return backend;
};

const sent: Posted = { wait: () => undefined, done: TE.right(undefined) };

/** The last of so many ranks, whose messages are counted. No rank has more examples. */
const counted = (size: number): Collective & { readonly rounds: () => number } => {
  let [messages, bytes, rounds, carried] = [0, 0, 0, 0];
  const post = (data: number, takenIn: number, among = size): Posted => {
    messages += 1;
    bytes += data;
    rounds += Math.ceil(Math.log2(among));
    carried += takenIn;
    return sent;
  };
  return {
    rounds: () => rounds,
    name: 'counted',
    size,
    ranks: [size - 1],
    allReduce: ([part]) => post(part.byteLength, carriedBy.sum(part.byteLength, size)),
    allGather: ([part], _, out) => post(out.byteLength, carriedBy.runs(out.byteLength, part.byteLength)),
    broadcast: (_, data, among) => post(data.byteLength, data.byteLength, among?.length),
    reduceScatter: ([part], _, [out]) => post(part.byteLength, carriedBy.runs(part.byteLength, out.byteLength)),
    allToAll: ([part], _, [out]) => post(part.byteLength, carriedBy.runs(out.byteLength, out.byteLength / size)),
    barrier: () => post(0, 0),
    progress: () => undefined,
    traffic: () => ({ messages, bytes, carried, waited: 0 }),
    abort: () => undefined,
    end: () => undefined,
  };
};

/** A step to be counted. */
export interface Forecast {
  readonly step: Stage<'state' | 'batch', 'next' | 'metrics'>;
  readonly state: TrainState<Tensor>;
  readonly batch: Batch<Tensor>;
  /** How many steps, of which the mean is taken. */
  readonly steps: number;
}

/** How so many ranks go about a step: what {@link distributed} is told. */
export interface Sharing extends Pick<DistributedOptions, 'gradientWorkers' | 'wire' | 'accumulate'> {
  readonly ranks: number;
}

/**
 * Mean cost of the first steps for the busiest of so many ranks. Steps that decide by the numbers they read see ones.
 *
 * @param of - what is counted
 * @param sharing - how many ranks, and how they go about it
 */
export const rankCost =
  (
    { step, state, batch, steps }: Forecast,
    { ranks, gradientWorkers = 'all', ...options }: Sharing,
  ): TE.TaskEither<KfacError, RankCost> =>
  async () => {
    const counting = countingBackend();
    const collective = counted(ranks);
    let [own, longest] = [0, 0];
    const backend = distributed(withZeros(counting), collective, {
      ...options,
      gradientWorkers,
      assigned: (loads) => {
        own += loads[ranks - 1];
        longest += Math.max(...loads);
      },
    });
    // With operations for a clock, the seconds of a stage are its operations.
    const clock = (): number => counting.operations() - own + longest;
    const counts: Array<Pick<StepCount, 'stages'>> = [];
    let current: TrainState<Spread> = placeState(backend.ops, state);
    for (let i = 0; i < steps; i += 1) {
      const stepped = await step.run<Spread>({ state: current, batch: upload(backend, batch) })({ backend, clock })();
      if (E.isLeft(stepped)) return stepped;
      const { next, metrics } = stepped.right;
      current = next;
      counts.push({ stages: byStage(metrics) });
    }
    const { messages, bytes, carried } = collective.traffic();
    const prepared = inversesIn(current);
    const rows = rowsFor(ranks, gradientWorkers);
    const firsts = Array.from({ length: rows.count }, (_, row) => row * rows.workers);
    return E.right({
      stages: stageCosts(counts),
      operations: (counting.operations() - own) / steps,
      factorisations: longest / steps,
      messages: messages / steps,
      bytes: bytes / steps,
      rounds: collective.rounds() / steps,
      carried: carried / steps,
      inverses: Math.max(...firsts.map((rank) => bytesOn(rows, rank, prepared))),
    });
  };

/** Seconds for each operation of a stage, in most steps and in what dear ones do beyond that. */
export interface Pace {
  readonly always: number;
  readonly periodic: number;
}

/** The machine: what a process computes in a second, and what messages take. */
export interface Machine {
  /** By stage. One that is not there takes no time. */
  readonly paces: Readonly<Record<string, Pace>>;
  /** α, seconds that a message takes from one process to another. */
  readonly latency: number;
  /** 1/β, bytes from one process to another in a second. */
  readonly bandwidth: number;
}

/**
 * Seconds of a step by the α–β model: α for each round of a message, β for each byte that comes in, and the work of each stage as fast as
 * it was seen to be done, whatever it is bound by.
 */
export const secondsOf = (
  { paces, latency, bandwidth }: Machine,
  { stages, rounds, carried }: Pick<RankCost, 'stages' | 'rounds' | 'carried'>,
): number =>
  stages.reduce(
    (sum, { stage, always, periodic }) => {
      const pace = Object.hasOwn(paces, stage) ? paces[stage] : { always: 0, periodic: 0 };
      return sum + always * pace.always + periodic * pace.periodic;
    },
    rounds * latency + carried / bandwidth,
  );
