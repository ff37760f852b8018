/**
 * A network that translates, applied a word at a time: texts are read once, and what has been written so far as often as a word
 * is added.
 *
 * @module
 */
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import type { Model } from '../../core/nn/model.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import type { ReadonlyVector, Shaped } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { markersOf, sourceArrays } from '../data/tokenPairs.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';

/** A network that translates, with its vocabulary. */
export interface Translator {
  /** Logits `[n, t, vocabulary and markers]`. */
  readonly model: Model;
  /** Of what is read, below the path `encoder`. */
  readonly encoder: Layer;
  /** Of what is written, below the path `decoder`; finds what was read as the array `memory`. */
  readonly decoder: Layer;
  /** Of what is written, and of what is read where that has none of its own. */
  readonly vocabulary: Vocabulary;
  /** Of what is read. */
  readonly sourceVocabulary?: Vocabulary;
  /** Most positions of either text. */
  readonly longest: number;
}

/**
 * The vocabulary of what is read.
 *
 * @param translator - its own, or that of both languages
 */
export const readingVocabulary = ({
  vocabulary,
  sourceVocabulary = vocabulary,
}: Pick<Translator, 'vocabulary' | 'sourceVocabulary'>): Vocabulary => sourceVocabulary;

/** Texts that have been read. */
export interface Reading<T> {
  /** `[n, s, features]`. */
  readonly memory: T;
  /** `[n, s]`. */
  readonly mask: T;
}

/**
 * Reads texts.
 *
 * @param ops - interpreter
 * @param translator - encoder and vocabulary
 * @param params - parameters, on the backend
 * @param sources - tokens of each
 */
export const readTexts = <T extends Shaped>(
  ops: Ops<T>,
  translator: Translator,
  params: Params<T>,
  sources: ReadonlyArray<ReadonlyVector>,
): Reading<T> => {
  const { encoder, longest } = translator;
  const given = sourceArrays(sources, markersOf(readingVocabulary(translator)).end, longest);
  const [source, sourceMask, sourceLengths] = [given.source, given.sourceMask, given.sourceLengths].map(ops.constant);
  const memory = encoder.apply(ops, params, 'encoder', source, evaluating({ source, sourceMask, sourceLengths }));
  return { memory, mask: sourceMask };
};

/** Something that is being written: in which text's translation, and its tokens so far. */
export interface Draft {
  /** Number of the text among those that were read. */
  readonly text: number;
  readonly tokens: ReadonlyArray<number>;
}

/** What has been written takes so many positions, filled up, so that a device sees few shapes. */
const step = 8;

/**
 * Log-probabilities of what comes after drafts of one length: `[drafts, vocabulary and markers]`.
 *
 * @param ops - interpreter
 * @param translator - decoder and vocabulary
 * @param params - parameters, on the backend
 * @param reading - the texts that they translate
 * @param drafts - at least one
 */
export const logProbabilities = <T extends Shaped>(
  ops: Ops<T>,
  { decoder, vocabulary, longest }: Translator,
  params: Params<T>,
  { memory, mask }: Reading<T>,
  drafts: ReadonlyArray<Draft>,
): T => {
  const { begin, end } = markersOf(vocabulary);
  const { length } = drafts[0].tokens;
  const extent = Math.min(longest, step * Math.ceil((length + 1) / step));
  const tokenAt = (draft: number, position: number): number =>
    position === 0 ? begin : (drafts[draft].tokens[position - 1] ?? end);
  const inputs = ops.constant(
    generate([drafts.length, extent], (i) => tokenAt(Math.floor(i / extent), i % extent), 'i32'),
  );
  const rows = ops.constant(generate([drafts.length], (i) => drafts[i].text, 'i32'));
  const at = evaluating({
    inputs,
    memory: ops.gather(memory, rows),
    sourceMask: ops.gather(mask, rows),
  });
  const logits = decoder.apply(ops, params, 'decoder', inputs, at);
  const [n, , size] = logits.shape;
  return ops.logSoftmax(ops.reshape(ops.slice(logits, [0, length, 0], [n, 1, size]), [n, size]));
};
