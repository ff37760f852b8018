/**
 * BLEU of a corpus [P02], as sacreBLEU counts it [P18]: tokens 13a, n-grams up to 4, one reference for each text, and where no
 * n-gram of some length is right, half of what the length before it was given.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import { tokens13a } from './tokens13a.ts';

/** BLEU with what it is made of. */
export interface Bleu {
  /** From 0 to 100. */
  readonly score: number;
  /** In per cent, of n-grams of 1 to 4 words. */
  readonly precisions: ReadonlyArray<number>;
  /** 1 unless what was translated is shorter than the references. */
  readonly brevityPenalty: number;
  /** Words of all translations, and of all references. */
  readonly lengths: readonly [translations: number, references: number];
}

const longest = 4;

/** n-grams of translations that are in their references, and all of them. */
type Count = readonly [correct: number, total: number];

/** How often each n-gram stands among words. */
const grams = (words: ReadonlyArray<string>, n: number): ReadonlyMap<string, number> =>
  words
    .slice(n - 1)
    .map((_, i) => words.slice(i, i + n).join(' '))
    .reduce((counts, gram) => new Map([...counts, [gram, (counts.get(gram) ?? 0) + 1]]), new Map<string, number>());

/** n-grams that are in the reference too, each at most as often, and all of them. */
const matches = (translation: ReadonlyArray<string>, reference: ReadonlyArray<string>, n: number): Count => {
  const known = grams(reference, n);
  const correct = [...grams(translation, n)].reduce(
    (sum, [gram, count]) => sum + Math.min(count, known.get(gram) ?? 0),
    0,
  );
  return [correct, Math.max(0, translation.length - n + 1)];
};

/** Precisions of each length; one without a match is smoothed, and after one that cannot occur there are none. */
const precisionsOf = (counts: ReadonlyArray<Count>): ReadonlyArray<number> =>
  counts.reduce<{ readonly found: ReadonlyArray<number>; readonly half: number; readonly isOver: boolean }>(
    ({ found, half, isOver }, [correct, total]) => {
      if (isOver || total === 0) return { found: [...found, 0], half, isOver: true };
      return correct === 0
        ? { found: [...found, 100 / (2 * half * total)], half: 2 * half, isOver }
        : { found: [...found, (100 * correct) / total], half, isOver };
    },
    { found: [], half: 1, isOver: false },
  ).found;

/** Logarithm with a number in the place of −∞. */
const logOf = (x: number): number => (x === 0 ? -9_999_999_999 : Math.log(x));

/**
 * BLEU of translations.
 *
 * @param translations - what a model made of each text
 * @param references - what each should be
 * @example
 * ```ts
 * import { corpusBleu } from 'kfac-ts/pipelines';
 *
 * const found = corpusBleu(['the cat sat on the mat', 'a dog'], ['the cat sat on a mat', 'a dog']);
 * [found.score.toFixed(2), found.brevityPenalty]; // => ['55.84', 1]
 * ```
 */
export const corpusBleu = (translations: ReadonlyArray<string>, references: ReadonlyArray<string>): Bleu => {
  if (translations.length !== references.length) {
    raise({
      _tag: 'BadData',
      source: 'BLEU',
      expected: `a reference for each of ${translations.length} translations`,
      actual: String(references.length),
      advice: 'Give as many of both.',
    });
  }
  const [ours, theirs] = [translations, references].map((texts) => texts.map(tokens13a));
  const sum = (texts: ReadonlyArray<ReadonlyArray<string>>): number => texts.reduce((n, words) => n + words.length, 0);
  const [length, wanted] = [sum(ours), sum(theirs)];
  const counts = Array.from({ length: longest }, (_, i) =>
    ours
      .map((words, k) => matches(words, theirs[k], i + 1))
      .reduce<Count>((all, each) => [all[0] + each[0], all[1] + each[1]], [0, 0]),
  );
  const brevityPenalty = length >= wanted ? 1 : length === 0 ? 0 : Math.exp(1 - wanted / length);
  const none = { score: 0, precisions: [0, 0, 0, 0], brevityPenalty, lengths: [length, wanted] } as const;
  if (counts.every(([correct]) => correct === 0)) return none;
  const precisions = precisionsOf(counts);
  const mean = precisions.reduce((total, precision) => total + logOf(precision), 0) / longest;
  return { score: brevityPenalty * Math.exp(mean), precisions, brevityPenalty, lengths: [length, wanted] };
};
