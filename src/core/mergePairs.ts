/**
 * Byte-pair encoding [SHB16 §3.2]: which pairs of symbols become symbols of their own.
 *
 * Only the training is here; merges are applied by whoever encodes. Words are short and many are equal, so each is kept once
 * with its count, and after a merge only the words that had the pair are counted anew.
 *
 * @module
 */

/** A word as symbols, and how often it stands in the text. */
export interface CountedWord {
  readonly symbols: ReadonlyArray<number>;
  readonly count: number;
}

/** Two symbols that stand side by side. */
export type Pair = readonly [left: number, right: number];

/** Symbols are numbers below this. */
const most = 2 ** 24;

const keyOf = (left: number, right: number): number => left * most + right;

/** The pair that stands most often, the first in the order of its symbols of equally many; `null` where none stands twice. */
const mostFrequent = (counts: ReadonlyMap<number, number>): number | null => {
  let [best, count] = [-1, 1];
  for (const [key, n] of counts) {
    if (n > count || (n === count && best >= 0 && key < best)) [best, count] = [key, n];
  }
  return best < 0 ? null : best;
};

const has = (symbols: ReadonlyArray<number>, left: number, right: number): boolean => {
  for (let i = 1; i < symbols.length; i += 1) if (symbols[i - 1] === left && symbols[i] === right) return true;
  return false;
};

/** The word with every such pair, from the left, as one symbol. */
const merged = (symbols: ReadonlyArray<number>, left: number, right: number, symbol: number): ReadonlyArray<number> => {
  const out: Array<number> = [];
  for (let i = 0; i < symbols.length; i += 1) {
    const isPair = symbols[i] === left && symbols[i + 1] === right;
    out.push(isPair ? symbol : symbols[i]);
    if (isPair) i += 1;
  }
  return out;
};

/**
 * The pairs that are merged, each into a symbol of its own, most frequent first.
 *
 * @param words - distinct words with their counts
 * @param symbols - how many symbols there are before; the first pair becomes the symbol of this number, the next that after it
 * @param merges - at most so many; fewer where no pair stands twice any more
 */
export const mergePairs = (words: ReadonlyArray<CountedWord>, symbols: number, merges: number): ReadonlyArray<Pair> => {
  const pairs: Array<Pair> = [];
  const spelled = words.map((word) => word.symbols);
  const counts = new Map<number, number>();
  const count = (word: ReadonlyArray<number>, times: number): void => {
    for (let i = 1; i < word.length; i += 1) {
      const key = keyOf(word[i - 1], word[i]);
      const n = (counts.get(key) ?? 0) + times;
      if (n === 0) counts.delete(key);
      else counts.set(key, n);
    }
  };
  words.forEach((word) => count(word.symbols, word.count));
  while (pairs.length < merges) {
    const best = mostFrequent(counts);
    if (best === null) break;
    const [left, right] = [Math.floor(best / most), best % most];
    for (let i = 0; i < spelled.length; i += 1) {
      if (!has(spelled[i], left, right)) continue;
      count(spelled[i], -words[i].count);
      spelled[i] = merged(spelled[i], left, right, symbols + pairs.length);
      count(spelled[i], words[i].count);
    }
    pairs.push([left, right]);
  }
  return pairs;
};
