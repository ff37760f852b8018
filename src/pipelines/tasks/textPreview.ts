/**
 * A preview of language models: text that each optimizer's model goes on with, after the beginning of the test text.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Model } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import { keyOf } from '../../core/random/key.ts';
import { uniform } from '../../core/random/uniform.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { generate, tensor } from '../../core/tensor.ts';
import { predict } from '../trainer/predict.ts';
import type { Preview } from './task.ts';

/** Which text, and how it comes of a model. */
export interface TextPreviewOptions {
  /** Logits `[n, t, characters]` of numbers of characters `[n, t]`. */
  readonly model: Model;
  /** By number. */
  readonly characters: ReadonlyArray<string>;
  /** How many are written. */
  readonly length: number;
  /** What logits are divided by: below 1 the likely becomes likelier. 0.8 unless given. */
  readonly temperature?: number;
}

/** The character at which probabilities, in their order, add up to a share of all. */
const drawnAt = (logits: ReadonlyArray<number>, temperature: number, share: number): number => {
  const top = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp((logit - top) / temperature));
  const goal = share * weights.reduce((sum, w) => sum + w, 0);
  const sums = weights.reduce<ReadonlyArray<number>>((all, w) => [...all, (all.at(-1) ?? 0) + w], []);
  const at = sums.findIndex((sum) => sum > goal);
  return at < 0 ? weights.length - 1 : at;
};

/** Logits of what comes after the last of some characters. */
const logitsAfter = <T extends Shaped>(
  backend: Backend<T>,
  { model, characters }: TextPreviewOptions,
  params: Params<Tensor>,
  said: ReadonlyArray<number>,
): TE.TaskEither<KfacError, ReadonlyArray<number>> => {
  const context = model.inputs[Object.keys(model.inputs)[0]][0];
  const seen = said.slice(-context);
  const padded = generate([1, context], (i) => (i < seen.length ? seen[i] : 0), 'i32');
  return pipe(
    predict(backend, model, params, padded),
    // A causal model does not see what stands after the last.
    TE.map(({ data }) => Array.from(characters, (_, c) => data[(seen.length - 1) * characters.length + c])),
  );
};

/**
 * Writes text, one file for all optimizers.
 *
 * @param options - which text
 * @example
 * ```ts
 * import { gpt, textPreview } from 'kfac-ts/pipelines';
 *
 * const model = gpt('letters', { vocabulary: 3, context: 8, features: 8, heads: 2, blocks: 1 });
 * const preview = textPreview({ model, characters: ['a', 'b', 'c'], length: 20 });
 * preview.show([]).length; // => 0
 * ```
 */
export const textPreview = (options: TextPreviewOptions): Preview => {
  const { characters, length, temperature = 0.8 } = options;
  return {
    look: (backend, { params, held }, { test }) => {
      const { inputs } = test.batch(Int32Array.of(0));
      const begun = Array.from(inputs.data);
      const shares = uniform(keyOf(0), [length], 'f64').data;
      const written = Array.from({ length }).reduce(
        (sofar: TE.TaskEither<KfacError, ReadonlyArray<number>>, _, step) =>
          pipe(
            sofar,
            TE.chain((said) =>
              pipe(
                logitsAfter(backend, options, { ...held, ...params }, said),
                TE.map((logits) => [...said, drawnAt(logits, temperature, shares[step])]),
              ),
            ),
          ),
        TE.right(begun),
      );
      return pipe(
        written,
        TE.map((said) => ({
          prompt: tensor(begun, [begun.length], 'i32'),
          text: tensor(said.slice(begun.length), [length], 'i32'),
        })),
      );
    },
    show: (looks) => {
      const spelled = ({ data }: Tensor): string => Array.from(data, (number) => characters[number]).join('');
      return looks.length === 0
        ? []
        : [
            {
              kind: 'file',
              name: 'text.txt',
              content: looks
                .map(({ name, arrays }) => `${name}\n\n${spelled(arrays['prompt'])}|${spelled(arrays['text'])}\n`)
                .join('\n'),
            },
          ];
    },
  };
};
