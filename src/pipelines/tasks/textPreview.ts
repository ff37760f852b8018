/**
 * A preview of language models: text that each optimizer's model goes on with, after the beginning of the test text.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { tensor } from '../../core/tensor.ts';
import { spelled } from '../vocabularies/vocabulary.ts';
import type { Writer } from '../writing/writer.ts';
import { write } from '../writing/writer.ts';
import type { Preview } from './task.ts';

/** Which text, and how it comes of a model. */
export interface TextPreviewOptions extends Writer {
  /** How many tokens are written. */
  readonly length: number;
  /** What logits are divided by: below 1 the likely becomes likelier. 0.8 unless given. */
  readonly temperature?: number;
}

/**
 * Writes text, one file for all optimizers.
 *
 * @param options - which text
 * @example
 * ```ts
 * import { characterVocabulary, gpt, textPreview } from 'kfac-ts/pipelines';
 *
 * const model = gpt('letters', { vocabulary: 3, context: 8, features: 8, heads: 2, blocks: 1 });
 * const preview = textPreview({ model, vocabulary: characterVocabulary(['a', 'b', 'c']), length: 20 });
 * preview.show([]).length; // => 0
 * ```
 */
export const textPreview = (options: TextPreviewOptions): Preview => {
  const { vocabulary, length, temperature } = options;
  return {
    look: (backend, { params, held }, { test }) => {
      const { inputs } = test.batch(Int32Array.of(0));
      const begun = Array.from(inputs.data);
      const how = { tokens: length, ...(temperature === undefined ? {} : { temperature }) };
      return pipe(
        write(backend, options, { ...held, ...params }, begun, how),
        TE.map((written) => ({
          prompt: tensor(begun, [begun.length], 'i32'),
          text: tensor(written, [written.length], 'i32'),
        })),
      );
    },
    show: (looks) =>
      looks.length === 0
        ? []
        : [
            {
              kind: 'file',
              name: 'text.txt',
              content: looks
                .map(({ name, arrays }) => {
                  const [prompt, text] = [arrays['prompt'], arrays['text']].map(({ data }) =>
                    spelled(vocabulary, data),
                  );
                  return `${name}\n\n${prompt}|${text}\n`;
                })
                .join('\n'),
            },
          ],
  };
};
