/**
 * A snapshot as a document and arrays, and back: JSON says how it is put together, safetensors holds the arrays.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { decodeWith, decoder } from '../config/codecs/codecs.ts';
import type { Watch } from '../trainer/earlyStopping.ts';
import type { EvaluationRecord, StepRecord } from '../trainer/events.ts';
import type { Origin, RunIdentity, Snapshot } from '../trainer/snapshot.ts';
import type { Described } from './arrays.ts';
import { describe } from './arrays.ts';
import { arrayIn, count, numeric, orNull, recordOf } from './codecs.ts';
import { columnsOf, recordsFrom } from './history.ts';
import { stateIn } from './state.ts';

/** What a checkpoint holds. */
export interface Checkpoint {
  readonly snapshot: Snapshot;
  /** What whoever saved it has to say of it, as JSON has it: the configuration of the run, for example. */
  readonly about: unknown;
}

/** What documents call themselves. A later version may say more, and is refused where it says something else. */
const format = 'kfac-ts checkpoint';
const version = 1;

/** Names of a step's own numbers come first; those of its metrics have a prefix, so that none is taken for another. */
const metric = 'metric ';
const measure = 'measure ';

const prefixed = (prefix: string, numbers: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${prefix}${name}`, value]));

const withPrefix = (prefix: string, numbers: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(numbers).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );

/**
 * A checkpoint in two parts.
 *
 * @param checkpoint - what is saved
 */
export const documentOf = ({ snapshot, about }: Checkpoint): Described => {
  const { of, history, evaluations, ...rest } = snapshot;
  const { structure, arrays } = describe({
    ...rest,
    history: columnsOf(
      history.map(({ step, seconds, loss, metrics }) => ({ step, seconds, loss, ...prefixed(metric, metrics) })),
    ),
    evaluations: columnsOf(
      evaluations.map(({ step, seconds, loss, measures }) => ({
        step,
        seconds,
        loss,
        ...prefixed(measure, measures),
      })),
    ),
  });
  // What is JSON already stays as it is.
  return { structure: { format, version, step: snapshot.state.step, of, about, snapshot: structure }, arrays };
};

const identity: t.Type<RunIdentity> = t.strict({
  task: t.string,
  optimizer: t.string,
  settings: t.unknown,
  batch: count,
  seed: count,
  examples: count,
});

const origin: t.Type<Origin> = t.strict({ examples: count, before: numeric });

const isNumbered = ({ step, seconds, loss }: Readonly<Record<string, number>>): boolean =>
  step !== undefined && seconds !== undefined && loss !== undefined;

/** Records whose own numbers are all there. */
const whole = <A>(
  records: t.Type<ReadonlyArray<Readonly<Record<string, number>>>>,
  of: (record: Readonly<Record<string, number>>) => A,
): t.Type<ReadonlyArray<A>> =>
  decoder<ReadonlyArray<A>>('records with step, seconds and loss', (value, context) =>
    pipe(
      records.validate(value, context),
      E.chain((found) => (found.every(isNumbered) ? t.success(found.map(of)) : t.failure(value, context))),
    ),
  );

const documentIn = (arrays: Params<Tensor>): t.Decoder<unknown, Checkpoint> => {
  const params = recordOf(arrayIn(arrays));
  const best = t.strict({ step: count, loss: numeric, params, running: params });
  const watch: t.Type<Watch> = t.strict({ best: orNull(best), waited: count });
  const records = recordsFrom(arrays);
  const history: t.Type<ReadonlyArray<StepRecord>> = whole(records, ({ step, seconds, loss, ...others }) => ({
    ...{ step, seconds, loss },
    metrics: withPrefix(metric, others),
  }));
  const evaluations: t.Type<ReadonlyArray<EvaluationRecord>> = whole(records, ({ step, seconds, loss, ...others }) => ({
    step,
    seconds,
    loss,
    measures: withPrefix(measure, others),
  }));
  const state = stateIn(arrays);
  const snapshot = t.strict({
    state: decoder(state.name, state.validate),
    seconds: numeric,
    history,
    evaluations,
    watch,
    origin: orNull(origin),
  });
  const document = t.type({
    format: t.literal(format),
    version: t.literal(version),
    of: identity,
    about: t.unknown,
    snapshot,
  });
  return decoder<Checkpoint>('a checkpoint', (value, context) =>
    pipe(
      document.validate(value, context),
      E.map(({ of, about, snapshot: found }) => ({ snapshot: { of, ...found }, about })),
    ),
  );
};

/**
 * A checkpoint from its two parts; what is wrong with it first becomes an error.
 *
 * @param structure - JSON from a file
 * @param arrays - arrays from a file
 * @param source - name of the checkpoint, for errors
 */
export const readDocument = (
  structure: unknown,
  arrays: Params<Tensor>,
  source: string,
): E.Either<KfacError, Checkpoint> =>
  pipe(
    decodeWith(documentIn(arrays), (path) => path, structure),
    E.mapLeft((error): KfacError =>
      error._tag === 'BadConfig'
        ? {
            _tag: 'BadCheckpoint',
            source: error.path === '' ? source : `${source}, ${error.path}`,
            expected: error.expected,
            actual: error.actual,
          }
        : error,
    ),
  );
