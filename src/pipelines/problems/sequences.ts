/**
 * Sequences of tokens: embeddings, layer norm, weights shared between positions.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { gaussian } from '../../core/nn/initialisers/gaussian.ts';
import { activation } from '../../core/nn/layers/activation.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import { embedding } from '../../core/nn/layers/embedding.ts';
import { layerNorm } from '../../core/nn/layers/layerNorm.ts';
import { meanPool } from '../../core/nn/layers/meanPool.ts';
import { flatten } from '../../core/nn/layers/reshape.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import { model } from '../../core/nn/model.ts';
import type { Key } from '../../core/random/key.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { accuracy } from '../tasks/measures.ts';
import { residualBlock } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import { columnsOf, gaussians, highest, keysFor, noisy, standardised, uniforms } from './tables.ts';

/** Tokens `[n, length]` of which the first are the most frequent, as words are. */
const words = (key: Key, n: number, length: number, vocabulary: number): Tensor => {
  const draws = uniforms(key, n, length);
  return generate(draws.shape, (i) => Math.floor(vocabulary ** draws.data[i]) - 1, 'i32');
};

/** The mean over a sentence of what its words mean, `[n, d]`. */
const meaning = (key: Key, tokens: Tensor, vocabulary: number, d: number): Tensor => {
  const table = gaussians(key, vocabulary, d);
  return standardised(
    columnsOf(
      tokens,
      Array.from({ length: d }, (_, j) => (row) => row.reduce((sum, token) => sum + table.data[token * d + j], 0)),
    ),
  );
};

const bad = (actual: string): KfacError => ({
  _tag: 'BadData',
  source: 'text',
  expected: 'the package typescript, with declarations in lib/lib.es5.d.ts',
  actual,
  advice: 'Install version 6 of it: npm install typescript@6.',
});

/** Signs that are told apart; all others are one more. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz .,:;()*/\n';

/** Windows of declarations and the comments on them, as numbers of signs `[n, length]`. */
const windows =
  (n: number, length: number) =>
  (files: FileSystem): TE.TaskEither<KfacError, Tensor> =>
    pipe(
      TE.fromEither(
        pipe(
          files.installed('typescript'),
          E.fromOption(() => bad('no such package here')),
        ),
      ),
      TE.chain((directory) => files.read(`${directory}/lib/lib.es5.d.ts`)),
      TE.chainEitherK((content) => {
        const text = new TextDecoder().decode(content).toLowerCase().replaceAll('\r', '');
        const stride = Math.floor((text.length - length) / n);
        return stride < 1
          ? E.left(bad(`only ${text.length} characters`))
          : E.right(
              generate(
                [n, length],
                (i) => {
                  const at = alphabet.indexOf(text[stride * Math.floor(i / length) + (i % length)]);
                  return at < 0 ? alphabet.length : at;
                },
                'i32',
              ),
            );
      }),
    );

const signs = alphabet.length + 1;

/** Every problem of sequences. */
export const sequenceProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'bag-of-words',
    description: 'sentences of 12 words of 200 to one of five topics: embedding 16, mean, dense, batch 50',
    model: model(
      'network',
      [12],
      sequential([embedding({ vocabulary: 200, out: 16 }), meanPool(), dense({ in: 16, out: 5 })]),
    ),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 50,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('bag-of-words');
      const inputs = words(key(0), 1250, 12, 200);
      return { inputs, targets: highest(meaning(key(1), inputs, 200, 5)) };
    }),
  }),
  problem({
    name: 'next-character',
    description: 'the sign after 8 signs of declarations of TypeScript: embedding 12, dense 96-64, relu, batch 128',
    model: model(
      'network',
      [8],
      sequential([
        embedding({ vocabulary: signs, out: 12 }),
        flatten(),
        dense({ in: 96, out: 64 }),
        activation('relu'),
        dense({ in: 64, out: signs }),
      ]),
    ),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 128,
    steps: 250,
    examples: (files) =>
      pipe(
        windows(4000, 9)(files),
        TE.map((text) => ({
          inputs: generate([4000, 8], (i) => text.data[9 * Math.floor(i / 8) + (i % 8)], 'i32'),
          targets: generate([4000], (i) => text.data[9 * i + 8], 'i32'),
        })),
      ),
  }),
  problem({
    name: 'tags',
    description:
      'a tag for each of 10 words, by its own and the sentence’s: embedding, layer norm, dense at each, batch 16',
    model: model(
      'network',
      [10],
      sequential([
        embedding({ vocabulary: 60, out: 24, initialiser: gaussian(0.1) }),
        layerNorm({ features: 24 }),
        dense({ in: 24, out: 32 }),
        activation('gelu'),
        dense({ in: 32, out: 6 }),
      ]),
    ),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 16,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('tags');
      const inputs = words(key(0), 600, 10, 60);
      const draws = uniforms(key(1), 600, 10);
      const targets = generate([600, 10], (i) => (draws.data[i] < 0.1 ? 5 : (inputs.data[i] * 7) % 5), 'i32');
      return { inputs, targets };
    }),
  }),
  problem({
    name: 'sentence-answers',
    description: 'three answers to a sentence of 8 words: embedding, a residual block at each word, mean, batch 32',
    model: model(
      'network',
      [8],
      sequential([embedding({ vocabulary: 100, out: 16 }), residualBlock(16), meanPool(), dense({ in: 16, out: 3 })]),
    ),
    loss: sigmoidCrossEntropy,
    batch: 32,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('sentence-answers');
      const inputs = words(key(0), 1000, 8, 100);
      const meant = meaning(key(1), inputs, 100, 3);
      return { inputs, targets: generate(meant.shape, (i) => (meant.data[i] > 0.3 ? 1 : 0)) };
    }),
  }),
  problem({
    name: 'prices-of-words',
    description: 'a price of scale 100 of a sentence of 6 words: embedding, tanh at each word, mean, batch 64',
    model: model(
      'network',
      [6],
      sequential([
        embedding({ vocabulary: 80, out: 12 }),
        dense({ in: 12, out: 24 }),
        activation('tanh'),
        meanPool(),
        dense({ in: 24, out: 1 }),
      ]),
    ),
    loss: squaredError,
    batch: 64,
    steps: 250,
    examples: drawn(() => {
      const key = keysFor('prices-of-words');
      const inputs = words(key(0), 1000, 6, 80);
      return { inputs, targets: noisy(key(2), meaning(key(1), inputs, 80, 1), 100, 5) };
    }),
  }),
];
