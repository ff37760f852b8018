/**
 * A toy language model, written as someone outside the package would: two speakers count in a circle, one up and one down,
 * in sentences of different lengths. Two arrays go in (words, who speaks), a third says which positions there are.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError, Layer, Model, Tensor } from '../../../src/core/index.ts';
import {
  activation,
  arrayAt,
  dense,
  dropout,
  embedding,
  generate,
  joinPath,
  keyOf,
  leaf,
  model,
  sequential,
  softmaxCrossEntropy,
  tensor,
  uniform,
} from '../../../src/core/index.ts';
import type { Dataset, Preview, Task, TrainTask } from '../../../src/pipelines/index.ts';
import { accuracy, datasetOf, predict, supervised } from '../../../src/pipelines/index.ts';

const words = 5;
const speakers = 2;
const features = 8;

const orThrow = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left));
  return result.right;
};

/** The word after a word: 1 to 5 in a circle; 0 is padding. */
const after = (speaker: number, word: number): number => 1 + ((word - 1 + (speaker === 0 ? 1 : words - 1)) % words);

/** Adds a vector of the speaker at every position: a layer with a second array of the batch. */
const spoken = (): Layer => {
  const table = embedding({ vocabulary: speakers, out: features });
  const below = (path: string): string => joinPath(path, 'speaker');
  return leaf({
    kind: 'spoken',
    label: 'vector of the speaker',
    parameters: (path) => table.parameters(below(path)),
    apply: (ops, params, path, x, at) => {
      const who = table.apply(ops, params, below(path), arrayAt(at.arrays, 'speaker', path), at);
      return ops.add(x, ops.reshape(who, [x.shape[0], 1, features]));
    },
  });
};

/** The mean of a position and those before it, `[n, t, d]`: what comes later, padding too, is not looked at. */
const looksBack: Layer = leaf({
  kind: 'looksBack',
  label: 'mean of the past',
  parameters: () => [],
  apply: (ops, _params, _path, x) => {
    const [n, t] = x.shape;
    const share = (i: number): number =>
      i % t <= Math.floor((i % t ** 2) / t) ? 1 / (1 + Math.floor((i % t ** 2) / t)) : 0;
    return ops.add(x, ops.matmul(ops.constant(generate([n, t, t], share)), x));
  },
});

/** Logits of the next word at every position. */
export const network = (room: number, rate: number): Model =>
  model(
    'speakers',
    { words: [room], speaker: [] },
    sequential([
      embedding({ vocabulary: words + 1, out: features }),
      spoken(),
      looksBack,
      dense({ in: features, out: 12 }),
      activation('tanh'),
      dropout(rate),
      dense({ in: 12, out: words + 1 }),
    ]),
  );

/** How a sentence of some room is filled where it is over. */
export type Padding = (position: number) => number;

/** Sentences of 2 to 5 words in some room; what is in the padding is for the caller to say. */
export const sentences = (name: string, seed: number, count: number, room: number, padding: Padding): Dataset => {
  const { data } = uniform(keyOf(seed), [count, 3], 'f32');
  const whole = (i: number, column: number, below: number): number => Math.floor(below * data[3 * i + column]);
  const said = (i: number, position: number): number =>
    Array.from({ length: position }).reduce((word: number) => after(i % 2, word), 1 + whole(i, 0, words));
  const at =
    (value: (i: number, position: number) => number, otherwise: Padding) =>
    (k: number): number => {
      const [i, position] = [Math.floor(k / room), k % room];
      return position < 2 + whole(i, 1, 4) ? value(i, position) : otherwise(position);
    };
  return orThrow(
    datasetOf(name, {
      words: generate([count, room], at(said, padding), 'i32'),
      speaker: generate([count], (i) => i % 2, 'i32'),
      next: generate(
        [count, room],
        at((i, position) => said(i, position + 1), padding),
        'i32',
      ),
      mask: generate(
        [count, room],
        at(
          () => 1,
          () => 0,
        ),
      ),
    }),
  );
};

const length = 4;

/** The most likely word after a position. */
const likeliest = ({ data }: Tensor, row: number, position: number): number => {
  const logits = Array.from({ length: words + 1 }, (_, word) => data[(row * length + position) * (words + 1) + word]);
  return logits.indexOf(Math.max(...logits));
};

/** What each speaker says, word by word, after the first. */
const speech: Preview = {
  look: (backend, { params, running }) => {
    const begun = generate([speakers, length], (k) => (k % length === 0 ? 1 : 0), 'i32');
    const speaker = tensor([0, 1], [speakers], 'i32');
    const further = (said: Tensor, position: number) =>
      pipe(
        predict(backend, network(length, 0), params, { words: said, speaker }, { running }),
        TE.map((logits) =>
          generate(
            [speakers, length],
            (k) => (k % length === position + 1 ? likeliest(logits, Math.floor(k / length), position) : said.data[k]),
            'i32',
          ),
        ),
      );
    return pipe(
      Array.from({ length: length - 1 }).reduce(
        (said: TE.TaskEither<KfacError, Tensor>, _, position) =>
          pipe(
            said,
            TE.chain((sofar) => further(sofar, position)),
          ),
        TE.right(begun),
      ),
      TE.map((said) => ({ said })),
    );
  },
  show: (looks) => [
    {
      kind: 'file',
      name: 'speech.txt',
      content: looks.map(({ name, arrays: { said } }) => `${name}: ${Array.from(said.data).join(' ')}\n`).join(''),
    },
  ],
};

/** What may differ between two of these tasks. */
export interface LanguageOptions {
  readonly padding?: Padding;
  /** Positions that there is room for. */
  readonly room?: number;
  /** Of dropout. */
  readonly rate?: number;
}

/** Learns to speak. */
export const languageModel = ({ padding = () => 0, room = 5, rate = 0.1 }: LanguageOptions = {}): Task & TrainTask => {
  const of = (name: string, seed: number, count: number): Dataset => sentences(name, seed, count, room, padding);
  return supervised({
    name: 'toy-language',
    description: 'two speakers who count in a circle',
    model: network(room, rate),
    loss: softmaxCrossEntropy,
    targets: 'next',
    weights: 'mask',
    measures: { accuracy },
    label: 'loss per sentence (nats)',
    preview: speech,
    defaults: { steps: 30, batch: 16 },
    data: { train: of('sentences', 1, 48), test: of('others', 2, 20) },
  });
};
