/**
 * Going on with a text, a token at a time.
 *
 * A causal model does not see what stands after a position, so a text that is shorter than the room for it is padded with
 * anything. The room grows by factors of two: a device compiles its kernels for few shapes, and short texts cost little.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import type { Model } from '../../core/nn/model.ts';
import { checkParams } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import { keyOf } from '../../core/random/key.ts';
import { foldIn } from '../../core/random/split.ts';
import { uniform } from '../../core/random/uniform.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { finiteParams, inScope, placed } from '../trainer/scope.ts';
import type { Sampling } from './sampling.ts';
import { drawnToken } from './sampling.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';

/** A causal model with its vocabulary. */
export interface Writer {
  /** Logits `[n, t, vocabulary]` of what comes after each of the tokens `[n, t]`. */
  readonly model: Model;
  readonly vocabulary: Vocabulary;
}

/** How a text goes on. */
export interface WritingOptions extends Partial<Sampling> {
  /** How many tokens are written. */
  readonly tokens: number;
  /** Decides what is drawn; 1 unless given. */
  readonly seed?: number;
  /** Told of every token as soon as it is there. */
  readonly heard?: (token: number) => IO.IO<void>;
  /** Whether to go on, asked before every token; yes unless given. */
  readonly goesOn?: IO.IO<boolean>;
}

/** Temperature of texts unless another is given. */
export const usualTemperature = 0.8;

/** Positions that a model has. */
const roomOf = ({ inputs }: Model): number => Object.values(inputs)[0][0];

/** The least power of two that is enough, and at most all the room. */
const paddedTo = (length: number, room: number): number => Math.min(room, 2 ** Math.ceil(Math.log2(length)));

/**
 * Logits of what comes after the last of some tokens. Of more than the model has positions for, the last count.
 *
 * @param backend - where to compute
 * @param model - a causal model
 * @param params - its parameters, on the backend
 * @param said - at least one token
 * @returns `[vocabulary]`
 */
export const logitsAfter = <T extends Shaped>(
  backend: Backend<T>,
  model: Model,
  params: Params<T>,
  said: ReadonlyArray<number>,
): TE.TaskEither<KfacError, ReadonlyArray<number>> => {
  const room = roomOf(model);
  const seen = said.slice(-room);
  const length = paddedTo(seen.length, room);
  const tokens = generate([1, length], (i) => (i < seen.length ? seen[i] : 0), 'i32');
  const [name] = Object.keys(model.inputs);
  return inScope(backend, ({ ops, read }) =>
    pipe(
      attempt(() => model.program(ops, params, evaluating({ [name]: ops.constant(tokens) }))),
      TE.fromEither,
      TE.chain(read),
      TE.map(({ data, shape: [, , vocabulary] }) =>
        Array.from({ length: vocabulary }, (_, token) => data[(seen.length - 1) * vocabulary + token]),
      ),
    ),
  );
};

/** Settings of texts that make sense. */
const checkWriting = ({ tokens, temperature, topK, seed }: WritingOptions): E.Either<KfacError, unknown> => {
  const bad = (path: string, expected: string, actual: unknown): E.Either<KfacError, never> =>
    E.left({ _tag: 'BadConfig', path, expected, actual: String(actual) });
  const isWhole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  if (!isWhole(tokens, 0)) return bad('tokens', 'a whole number of at least 0', tokens);
  if (temperature !== undefined && !(temperature >= 0 && temperature < Infinity)) {
    return bad('temperature', 'a number of at least 0', temperature);
  }
  if (topK !== undefined && !isWhole(topK, 1)) return bad('topK', 'a whole number of at least 1', topK);
  if (seed !== undefined && !isWhole(seed, 0)) return bad('seed', 'a whole number of at least 0', seed);
  return E.right(null);
};

/**
 * Goes on with a text.
 *
 * @param backend - where to compute
 * @param writer - model and vocabulary
 * @param params - the model's parameters, in host memory
 * @param begun - the tokens of the text so far, at least one
 * @param options - how many tokens, and how they are drawn
 * @returns the tokens that were written
 * @example
 * ```ts
 * import { initialParams, keyOf, referenceBackend } from 'kfac-ts/core';
 * import { characterVocabulary, gpt, write } from 'kfac-ts/pipelines';
 *
 * const model = gpt('letters', { vocabulary: 3, context: 8, features: 8, heads: 2, blocks: 1 });
 * const writer = { model, vocabulary: characterVocabulary(['a', 'b', 'c']) };
 * const written = await write(referenceBackend(), writer, initialParams(model, keyOf(1), 'f64'), [0, 1], { tokens: 20 })();
 * written._tag === 'Right' ? written.right.length : 0; // => 20
 * ```
 */
export const write = <T extends Shaped>(
  backend: Backend<T>,
  { model, vocabulary }: Writer,
  params: Params<Tensor>,
  begun: ReadonlyArray<number>,
  options: WritingOptions,
): TE.TaskEither<KfacError, ReadonlyArray<number>> => {
  const { tokens, temperature = usualTemperature, topK, seed = 1, heard, goesOn = () => true } = options;
  const sampling = { temperature, ...(topK === undefined ? {} : { topK }) };
  const key = keyOf(seed);
  const next = (
    on: Backend<T>,
    weights: Params<T>,
    written: ReadonlyArray<number>,
  ): TE.TaskEither<KfacError, E.Either<ReadonlyArray<number>, ReadonlyArray<number>>> =>
    written.length >= tokens || !goesOn()
      ? TE.right(E.right(written))
      : pipe(
          logitsAfter(on, model, weights, [...begun, ...written].slice(-roomOf(model))),
          TE.map((logits) => drawnToken(logits, sampling, uniform(foldIn(key, written.length), [1], 'f64').data[0])),
          TE.chainFirstIOK((token) => heard?.(token) ?? (() => undefined)),
          TE.map((token) => E.left([...written, token])),
        );
  return inScope(backend, (on) =>
    pipe(
      checkWriting(options),
      E.chain(() => checkBegun(begun, vocabulary)),
      E.chain(() => checkParams(model, params)),
      E.chain(() => finiteParams(on.dtype, params, 'Write with parameters that training has returned.')),
      E.chain(() => attempt(() => placed(on.ops, 'parameter', params))),
      TE.fromEither,
      TE.chain((weights) =>
        iterate<KfacError, ReadonlyArray<number>, ReadonlyArray<number>>([], (written) => next(on, weights, written)),
      ),
    ),
  );
};

/** There is something to go on with. */
const checkBegun = (begun: ReadonlyArray<number>, { size }: Vocabulary): E.Either<KfacError, unknown> => {
  const wrong = begun.find((token) => !(Number.isInteger(token) && token >= 0 && token < size));
  return begun.length > 0 && wrong === undefined
    ? E.right(null)
    : E.left({
        _tag: 'BadData',
        source: 'prompt',
        expected: `at least one token, each from 0 to ${size - 1}`,
        actual: wrong === undefined ? 'none' : String(wrong),
        advice: 'Begin with a word.',
      });
};
