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
import type { CountingBackend } from '../../pipeline/count.ts';
import { countingBackend } from '../../pipeline/count.ts';
import type { Stage } from '../../pipeline/stage.ts';
import { placeState, upload } from '../../pipeline/transfer.ts';
import type { TrainState } from '../../pipeline/trainState.ts';
import type { ReadonlyVector, Shaped, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Collective, Posted } from '../collective.ts';
import type { GradientWorkers } from '../spread/rows.ts';
import { rowsFor } from '../spread/rows.ts';
import { distributed } from '../spread/distributed.ts';
import type { Spread } from '../spread/array.ts';
import { bytesOn } from '../spread/array.ts';

/** What a step costs the busiest rank. */
export interface RankCost {
  /** Floating-point operations without factorisations. */
  readonly operations: number;
  /** Those of the factorisations of the rank that has most of them. */
  readonly factorisations: number;
  readonly messages: number;
  /** Bytes of the arrays in them. */
  readonly bytes: number;
  /** Rounds that the messages take, one after another: log₂ of the ranks that have a part in each, rounded up. */
  readonly rounds: number;
  /** Bytes that go there and back: of the arrays in a message, all but one of as many parts as there are ranks in it. */
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
const counted = (size: number): Collective & { readonly way: () => Pick<RankCost, 'rounds' | 'carried'> } => {
  let [messages, bytes, rounds, carried] = [0, 0, 0, 0];
  const post = (data: number, among = size): Posted => {
    messages += 1;
    bytes += data;
    rounds += Math.ceil(Math.log2(among));
    carried += data * 2 * (1 - 1 / among);
    return sent;
  };
  return {
    way: () => ({ rounds, carried }),
    name: 'counted',
    size,
    ranks: [size - 1],
    allReduce: ([part]) => post(part.byteLength),
    allGather: (_, __, out) => post(out.byteLength),
    broadcast: (_, data, among) => post(data.byteLength, among?.length),
    reduceScatter: ([part]) => post(part.byteLength),
    allToAll: ([part]) => post(part.byteLength),
    barrier: () => post(0),
    traffic: () => ({ messages, bytes, waited: 0 }),
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

/**
 * Mean cost of the first steps for the busiest of so many ranks. Steps that decide by the numbers they read see ones.
 *
 * @param of - what is counted
 * @param size - number of ranks
 * @param gradientWorkers - who keeps an inverse
 */
export const rankCost =
  (
    { step, state, batch, steps }: Forecast,
    size: number,
    gradientWorkers: GradientWorkers,
  ): TE.TaskEither<KfacError, RankCost> =>
  async () => {
    const counting = countingBackend();
    const collective = counted(size);
    const load = Array.from({ length: size }, () => 0);
    const backend = distributed(withZeros(counting), collective, {
      gradientWorkers,
      assigned: (rank, operations) => {
        load[rank] += operations;
      },
    });
    let current: TrainState<Spread> = placeState(backend.ops, state);
    for (let i = 0; i < steps; i += 1) {
      const outcome = await step.run<Spread>({ state: current, batch: upload(backend, batch) })({
        backend,
        clock: () => 0,
      })();
      if (E.isLeft(outcome)) return outcome;
      current = outcome.right.next;
    }
    const { messages, bytes } = collective.traffic();
    const { rounds, carried } = collective.way();
    const prepared = inversesIn(current);
    const rows = rowsFor(size, gradientWorkers);
    const firsts = Array.from({ length: rows.count }, (_, row) => row * rows.workers);
    return E.right({
      operations: (counting.operations() - load[size - 1]) / steps,
      factorisations: Math.max(...load) / steps,
      messages: messages / steps,
      bytes: bytes / steps,
      rounds: rounds / steps,
      carried: carried / steps,
      inverses: Math.max(...firsts.map((rank) => bytesOn(rows, rank, prepared))),
    });
  };

/** The machine: what a process computes in a second, and what messages take. */
export interface Machine {
  /** Operations of a process in a second. */
  readonly rate: number;
  /** α, seconds that a message takes from one process to another. */
  readonly latency: number;
  /** 1/β, bytes from one process to another in a second. */
  readonly bandwidth: number;
}

/** Seconds of a step by the α–β model: α for each round of a message, β for each byte that goes there and back. */
export const secondsOf = (
  { rate, latency, bandwidth }: Machine,
  { operations, factorisations, rounds, carried }: Omit<RankCost, 'messages' | 'bytes' | 'inverses'>,
): number => (operations + factorisations) / rate + rounds * latency + carried / bandwidth;
