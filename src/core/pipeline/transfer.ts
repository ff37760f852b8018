/**
 * Training between a backend and host memory: batches on their way in, states in both directions. A state that is read from one
 * place and put on another goes on bit for bit as if it had stayed.
 *
 * Arrays are found by walking the state as the plain data it is, so a new kind of operator or memory needs no change here. An
 * array that stands at several places of a state is moved once.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { raise } from '../errors.ts';
import type { Ops } from '../ops/ops.ts';
import { mapParams } from '../params.ts';
import { shown } from '../shown.ts';
import type { Shaped, Tensor } from '../tensor.ts';
import { checkTensor } from '../tensor.ts';
import { arraysIn } from './arraysIn.ts';
import type { Batch } from './context.ts';
import type { TrainState } from './trainState.ts';

/** The same plain data with other arrays in their places. */
const replaced = (value: unknown, arrays: ReadonlyMap<unknown, unknown>): unknown => {
  if (arrays.has(value)) return arrays.get(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Array.isArray(value)
    ? value.map((part: unknown) => replaced(part, arrays))
    : Object.fromEntries(Object.entries(value).map(([name, part]) => [name, replaced(part, arrays)]));
};

const fields: ReadonlyArray<keyof TrainState<unknown>> = [
  'step',
  'params',
  'held',
  'running',
  'curvature',
  'solver',
  'rules',
  'scalars',
  'groups',
  'key',
];

/** Whether a value has the fields of a state; that its arrays are those of some backend is for whoever made it to know. */
const isState = <T>(value: unknown): value is TrainState<T> =>
  typeof value === 'object' && value !== null && fields.every((name) => Object.hasOwn(value, name));

/** A state, or what is missing: states may come from where no compiler looks. */
const checked = <T>(value: unknown): TrainState<T> =>
  isState<T>(value)
    ? value
    : raise({
        _tag: 'BadCheckpoint',
        source: 'state of training',
        expected: `the fields ${fields.join(', ')}`,
        actual: typeof value === 'object' && value !== null ? Object.keys(value).join(', ') : shown(value),
      });

const withArrays = <T extends Shaped, U>(state: TrainState<T>, arrays: ReadonlyMap<T, U>): TrainState<U> =>
  checked(replaced(state, arrays));

/**
 * A state copied to host memory.
 *
 * @param backend - where it is
 * @param state - a state between two steps; it stays as it is
 * @example
 * ```ts
 * import { initialState, keyOf, placeState, readState, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const backend = referenceBackend();
 * const state = placeState(backend.ops, initialState({ weight: tensor([1, 2], [2]) }, keyOf(1)));
 * const copy = await readState(backend, state)();
 * copy._tag === 'Right' ? copy.right.params.weight.data : []; // => [1, 2]
 * ```
 */
export const readState = <T extends Shaped>(
  backend: Backend<T>,
  state: TrainState<T>,
): TE.TaskEither<KfacError, TrainState<Tensor>> =>
  pipe(
    [...arraysIn(state)],
    TE.traverseSeqArray((array) =>
      pipe(
        backend.read(array),
        TE.map((tensor) => [array, tensor] as const),
      ),
    ),
    TE.map((pairs) => withArrays(state, new Map(pairs))),
  );

/**
 * A state of host tensors on a backend. What is no tensor or no state is refused: a `KfacError` is raised.
 *
 * @param ops - the backend's operations
 * @param state - as {@link readState} gives it
 * @example
 * ```ts
 * import { initialState, keyOf, placeState, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * placeState(ops, initialState({ weight: tensor([1, 2], [2]) }, keyOf(1))).step; // => 0
 * ```
 */
export const placeState = <T extends Shaped>(ops: Ops<T>, state: TrainState<Tensor>): TrainState<T> => {
  const tensors = [...arraysIn(checked<Tensor>(state))];
  tensors.forEach((tensor) => checkTensor('state of training', tensor)); // all of them, before the first is placed
  return withArrays(state, new Map(tensors.map((tensor) => [tensor, ops.constant(tensor)])));
};

/**
 * A batch of host tensors on a backend, shared out where that has several processes.
 *
 * @param backend - where to compute
 * @param batch - arrays by name; where two are one tensor (inputs and targets of an autoencoder), they stay one
 */
export const upload = <T extends Shaped>(
  { ops, batch: place = ops.constant }: Pick<Backend<T>, 'ops' | 'batch'>,
  batch: Batch<Tensor>,
): Batch<T> => {
  const placed = new Map([...new Set(Object.values(batch))].map((tensor) => [tensor, place(tensor)]));
  return mapParams(batch, (tensor) => placed.get(tensor) ?? place(tensor));
};
