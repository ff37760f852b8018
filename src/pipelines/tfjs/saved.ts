/**
 * What the optimizer remembers as named tensors, as TF.js saves optimizers: text in one of them says how the others make a state.
 *
 * @module
 */
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { tensor as tfTensor } from '@tensorflow/tfjs-core';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { sameShape, showShape } from '../../core/tensor.ts';
import { describe } from '../checkpoints/arrays.ts';
import { stateIn } from '../checkpoints/state.ts';
import { decodeWith, decoder } from '../config/codecs/codecs.ts';
import { hosted, lent } from './parameters.ts';

/** A tensor with its name, as `tf.Optimizer` has it. */
export interface Named {
  readonly name: string;
  readonly tensor: TfTensor;
}

/** What of a parameter must be as it was. */
export interface Fitting {
  readonly path: string;
  readonly shape: Shape;
}

const prefix = 'kfac/';
const text = 'kfac-state';
const source = 'KFACOptimizer.setWeights';

/**
 * A state as named tensors. Its parameters are those of the model, which saves them itself.
 *
 * @param state - in host memory
 * @param parameters - of the model
 */
export const namedOf = (state: TrainState<Tensor>, parameters: ReadonlyArray<Fitting>): Array<Named> => {
  const { structure, arrays } = describe({ ...state, params: {} });
  const fitting = parameters.map(({ path, shape }) => ({ path, shape }));
  const words = new TextEncoder().encode(JSON.stringify({ version: 1, parameters: fitting, state: structure }));
  return [
    { name: text, tensor: tfTensor(Int32Array.from(words), [words.length], 'int32') },
    ...Object.entries(arrays).map(([name, array]) => ({ name: `${prefix}${name}`, tensor: lent(array) })),
  ];
};

const refused = (expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadCheckpoint', source, expected, actual });

const parsed = (words: Tensor): E.Either<KfacError, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(new TextDecoder().decode(Uint8Array.from(words.data))),
    () => ({ _tag: 'BadCheckpoint', source, expected: 'JSON', actual: 'other text' }),
  );

const fitting: t.Type<ReadonlyArray<Fitting>> = t.readonlyArray(
  t.strict({ path: t.string, shape: t.readonlyArray(t.number) }),
);

/** A state, and the parameters that it is of. */
export interface Restored {
  readonly state: TrainState<Tensor>;
  readonly parameters: ReadonlyArray<Fitting>;
}

/**
 * A state from named tensors.
 *
 * @param given - as {@link namedOf} makes them; others among them are left alone
 */
export const restoredFrom = (given: ReadonlyArray<Named>): E.Either<KfacError, Restored> => {
  const words = given.find(({ name }) => name === text);
  if (words === undefined) {
    const names = given.map(({ name }) => name).join(', ');
    return refused(`a tensor ${text}, as getWeights gives it`, names === '' ? 'no tensors' : `tensors ${names}`);
  }
  const arrays: Params<Tensor> = Object.fromEntries(
    given.flatMap(({ name, tensor }) => (name.startsWith(prefix) ? [[name.slice(prefix.length), hosted(tensor)]] : [])),
  );
  const state = stateIn(arrays);
  const document = t.strict({
    version: t.literal(1),
    parameters: fitting,
    state: decoder(state.name, state.validate),
  });
  return pipe(
    parsed(hosted(words.tensor)),
    E.chain((json) => decodeWith(document, (path) => path, json)),
    E.mapLeft((error): KfacError =>
      error._tag === 'BadConfig'
        ? { _tag: 'BadCheckpoint', source: `${source}, ${error.path}`, expected: error.expected, actual: error.actual }
        : error,
    ),
  );
};

/**
 * A state for a model with some parameters, if it is one of theirs.
 *
 * @param restored - from named tensors
 * @param parameters - of the model
 */
export const fittingState = (
  { state, parameters: saved }: Restored,
  parameters: ReadonlyArray<Fitting>,
): E.Either<KfacError, TrainState<Tensor>> => {
  const odd = parameters.find(({ path, shape }) => {
    const found = saved.find((each) => each.path === path);
    return found === undefined || !sameShape(found.shape, shape);
  });
  if (odd === undefined) return E.right(state);
  const found = saved.find(({ path }) => path === odd.path);
  return refused(
    `${odd.path} of shape ${showShape(odd.shape)}, which the model has`,
    found === undefined ? `a state of ${saved.map(({ path }) => path).join(', ')}` : showShape(found.shape),
  );
};
