/**
 * Which token comes next: the likeliest, or one that is drawn.
 *
 * @module
 */
/** How a token is drawn. */
export interface Sampling {
  /** What logits are divided by: below 1 the likely becomes likelier, and 0 takes the likeliest. */
  readonly temperature: number;
  /** Only so many of the likeliest; all unless given. */
  readonly topK?: number;
}

/** Number of the largest, the first of equally large ones. */
const likeliest = (logits: ReadonlyArray<number>): number =>
  logits.reduce((best, logit, token) => (logit > logits[best] ? token : best), 0);

/** The tokens that may be drawn, the likeliest first where they are only some. */
const candidates = (logits: ReadonlyArray<number>, topK: number): ReadonlyArray<number> => {
  const all = Array.from(logits, (_, token) => token);
  // Of equally likely ones the first stay: sorting keeps their order.
  return topK >= logits.length ? all : all.toSorted((a, b) => logits[b] - logits[a]).slice(0, topK);
};

/**
 * A token drawn from softmax(logits / temperature), restricted to the likeliest where that is asked for.
 *
 * @param logits - of every token, `[vocabulary]`
 * @param sampling - temperature, how many of the likeliest
 * @param share - from [0, 1): the place in the distribution
 * @example
 * ```ts
 * import { drawnToken } from 'kfac-ts/pipelines';
 *
 * drawnToken([0, Math.log(3)], { temperature: 1 }, 0.2); // => 0
 * drawnToken([0, Math.log(3)], { temperature: 1 }, 0.3); // => 1
 * drawnToken([0, Math.log(3)], { temperature: 0 }, 0.2); // => 1
 * ```
 */
export const drawnToken = (
  logits: ReadonlyArray<number>,
  { temperature, topK = Infinity }: Sampling,
  share: number,
): number => {
  const best = likeliest(logits);
  if (temperature === 0) return best;
  const tokens = candidates(logits, topK);
  const weights = tokens.map((token) => Math.exp((logits[token] - logits[best]) / temperature));
  const goal = share * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.reduce<{ readonly sum: number; readonly found: number }>(
    ({ sum, found }, weight, i) => ({ sum: sum + weight, found: found < 0 && sum + weight > goal ? i : found }),
    { sum: 0, found: -1 },
  ).found;
  return at < 0 ? best : tokens[at];
};
