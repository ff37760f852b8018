/**
 * The state of training from what a checkpoint says of it.
 *
 * @module
 */
import * as t from 'io-ts';

import type { Params } from '../../core/params.ts';
import type { Key } from '../../core/random/key.ts';
import type {
  Allowance,
  CurvatureState,
  Memory,
  Pending,
  RuleMemory,
  SolverState,
  TrainState,
} from '../../core/pipeline/trainState.ts';
import type { Tensor } from '../../core/tensor.ts';
import { decoder } from '../config/codecs/codecs.ts';
import { arrayIn, count, lazily, numeric, orElse, orNull, recordOf, word } from './codecs.ts';
import { operatorIn } from './operators.ts';

/** A codec for each field, or what is built of them does not compile. */
type Fields<A> = { readonly [Field in keyof Required<A>]: t.Type<A[Field]> };

const key: t.Type<Key> = t.strict({ hi: word, lo: word });

/**
 * A codec of states.
 *
 * @param arrays - arrays of the file, by name
 */
export const stateIn = (arrays: Params<Tensor>): t.Decoder<unknown, TrainState<Tensor>> => {
  const array = arrayIn(arrays);
  const params = recordOf(array);
  const operator = operatorIn(arrays);
  const averages = recordOf(params);

  const curvature: Fields<CurvatureState<Tensor>> = { averages, updates: count };
  const allowance: Fields<Allowance> = { operations: recordOf(numeric), every: numeric };
  const pending: Fields<Pending<Tensor>> = {
    operator,
    damping: numeric,
    since: count,
    allowance: orElse(null, orNull(t.strict(allowance))),
  };
  const solver: Fields<SolverState<Tensor>> = {
    prepared: orNull(operator),
    preparedAt: count,
    preparedFrom: orNull(averages),
    pending: orNull(t.strict(pending)),
    slots: recordOf(params),
  };
  const remembered = decoder<RuleMemory<Tensor>[string]>('a number, an array or arrays by name', (value, context) => {
    const single = t.union([numeric, array]).validate(value, context);
    return single._tag === 'Right' ? single : params.validate(value, context);
  });
  const memory: Fields<Memory<Tensor>> = {
    curvature: t.strict(curvature),
    solver: t.strict(solver),
    rules: recordOf(recordOf(remembered)),
    scalars: recordOf(numeric),
    groups: recordOf(lazily('a memory', (): t.Decoder<unknown, Memory<Tensor>> => t.strict(memory))),
  };
  const state: Fields<TrainState<Tensor>> = {
    ...memory,
    step: count,
    params,
    held: params,
    running: params,
    key,
  };
  return t.strict(state);
};
