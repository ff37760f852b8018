/**
 * Where training begins: at what the task draws, at given parameters, or at a state that training has returned before.
 *
 * Everything is checked against what the task begins with, so that parameters of another network, or of another task, are
 * refused before the first step.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { checkPaths } from '../../core/nn/model.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, pickParams } from '../../core/params.ts';
import { placeState } from '../../core/pipeline/transfer.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { initialState } from '../../core/pipeline/trainState.ts';
import type { FloatType } from '../../core/random/uniform.ts';
import type { Selection } from '../../core/selection.ts';
import { checkSelection, selectedPaths } from '../../core/selection.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Keys } from './keys.ts';
import type { Initial, Learning } from './learning.ts';
import type { TrainOptions } from './options.ts';
import { checkTensors, finiteParams, placed } from './scope.ts';

/** All parts of what a task begins with. */
type Whole = Required<Initial>;

/** Parameters in the place of those that were drawn. */
const startingFrom = (task: Learning, whole: Whole, start: Params<Tensor>): E.Either<KfacError, Whole> =>
  pipe(
    checkPaths(task.name, { ...whole.held, ...whole.params }, start),
    E.map(() => ({
      ...whole,
      params: mapParams(whole.params, (_, path) => start[path]),
      held: mapParams(whole.held, (_, path) => start[path]),
    })),
  );

/** Some of the parameters are held fixed as well. */
const holding = (whole: Whole, hold: Selection): E.Either<KfacError, Whole> =>
  pipe(
    attempt(() => checkSelection('hold', hold, Object.keys(whole.params))),
    E.chain((selection): E.Either<KfacError, Whole> => {
      const chosen = selectedPaths(selection, whole.params);
      const trained = Object.keys(whole.params).filter((path) => !chosen.includes(path));
      return trained.length === 0
        ? E.left({
            _tag: 'BadConfig',
            path: 'hold',
            expected: 'a selection that leaves something to train',
            actual: `all of ${chosen.join(', ')}`,
          })
        : E.right({
            ...whole,
            params: pickParams(whole.params, trained),
            held: { ...whole.held, ...pickParams(whole.params, chosen) },
          });
    }),
  );

const advice = 'Training has to start from finite parameters.';

const drawn = (task: Learning, keys: Keys, dtype: FloatType): E.Either<KfacError, Whole> =>
  attempt(() => ({ held: {}, running: {}, ...task.initial(keys.params, dtype) }));

const begun =
  <T extends Shaped>(ops: Ops<T>, keys: Keys) =>
  ({ params, held, running }: Whole): E.Either<KfacError, TrainState<T>> =>
    attempt(() => {
      checkTensors('parameter', { ...params, ...held }); // before the first is placed
      checkTensors('running state', running);
      return initialState(placed(ops, 'parameter', params), keys.steps, {
        held: placed(ops, 'parameter', held),
        running: placed(ops, 'running state', running),
      });
    });

/**
 * The state before the first step.
 *
 * @param ops - the backend's operations
 * @param dtype - precision of its floats
 * @param task - what is learned
 * @param keys - randomness of the run
 * @param options - parameters or a state to start from, what is held fixed
 * @returns the state on the backend, or what does not fit
 */
export const beginning = <T extends Shaped>(
  ops: Ops<T>,
  dtype: FloatType,
  task: Learning,
  keys: Keys,
  { from, start, hold = [] }: Pick<TrainOptions, 'from' | 'start' | 'hold'>,
): E.Either<KfacError, TrainState<T>> =>
  pipe(
    drawn(task, keys, dtype),
    E.chain((whole) =>
      from === undefined
        ? pipe(
            start === undefined ? E.right(whole) : startingFrom(task, whole, start),
            E.chain((started) => holding(started, hold)),
            E.chainFirst(({ params, held }) => finiteParams(dtype, { ...held, ...params }, advice)),
            E.chain(begun(ops, keys)),
          )
        : pipe(
            checkPaths(task.name, { ...whole.held, ...whole.params }, { ...from.held, ...from.params }),
            E.chain((params) => finiteParams(dtype, params, advice)),
            E.chain(() => attempt(() => placeState(ops, from))),
          ),
    ),
  );
