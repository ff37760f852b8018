/**
 * Where an adapted λ rose, and why.
 *
 * @module
 */
import * as RA from 'fp-ts/lib/ReadonlyArray.js';

import type { Kind, SeenStep } from './seenSteps.ts';
import { median, percent, reporting, roughly, someOf, stepsInWords } from './seenSteps.ts';

/** A rise by less than this factor is none, and a fall by less does not end one. */
const factor = 2;

/** So many rises are told. */
const most = 3;

/** From the i-th value to the j-th. */
interface Rise {
  readonly from: number;
  readonly to: number;
}

/** Where a walk along the values is: the lowest so far, the highest of a rise since then, and a rise that is over. */
interface Place {
  readonly lowest: number;
  readonly highest: number | null;
  readonly over: Rise | null;
}

/**
 * Rises by a factor of two and more, each from its lowest value to its highest before the values have halved.
 *
 * @param values - positive
 */
export const risesOf = (values: ReadonlyArray<number>): ReadonlyArray<Rise> => {
  const begin: Place = { lowest: 0, highest: null, over: null };
  const places = RA.scanLeft(begin, ({ lowest, highest }: Place, i: number): Place => {
    const value = values[i];
    if (highest === null) {
      if (value <= values[lowest]) return { lowest: i, highest, over: null };
      return { lowest, highest: value >= factor * values[lowest] ? i : null, over: null };
    }
    if (value > values[highest]) return { lowest, highest: i, over: null };
    return factor * value <= values[highest]
      ? { lowest: i, highest: null, over: { from: lowest, to: highest } }
      : { lowest, highest, over: null };
  })([...values.keys()]);
  const { lowest, highest } = places[places.length - 1];
  return [
    ...places.flatMap(({ over }) => (over === null ? [] : [over])),
    ...(highest === null ? [] : [{ from: lowest, to: highest }]),
  ];
};

const isRejected = ({ metrics }: SeenStep): boolean => metrics['rejected'] === 1;

const rejections = (rejected: number, all: number): string => {
  if (rejected === all) return all === 1 ? 'it was not taken' : 'none of them was taken';
  return `${rejected} of them ${rejected === 1 ? 'was' : 'were'} not taken`;
};

/** What λ follows, in words. */
const gainsIn = (steps: ReadonlyArray<SeenStep>): ReadonlyArray<string> => {
  const judged = reporting(steps, 'reductionRatio').filter((step) => !isRejected(step));
  if (judged.length === 0) return [];
  const ratio = median(judged.map(({ metrics }) => metrics['reductionRatio']));
  return [
    ratio < 0
      ? 'steps made the loss worse where the model promised a gain'
      : `steps gained ${percent(ratio)} of what the model promised`,
  ];
};

const because = (steps: ReadonlyArray<SeenStep>): string => {
  const rejected = steps.filter(isRejected).length;
  const reasons = [...gainsIn(steps), ...(rejected === 0 ? [] : [rejections(rejected, steps.length)])];
  return reasons.length === 0 ? '' : ` because ${reasons.join(', and ')}`;
};

/** λ before the first step and after each. */
const dampings = (steps: ReadonlyArray<SeenStep>): ReadonlyArray<number> =>
  steps.length === 0
    ? []
    : [steps[0].metrics['damping'], ...steps.map(({ metrics }) => metrics['nextDamping'] ?? metrics['damping'])];

/** λ that at least doubled. A λ that no step adapts follows its schedule, and there is nothing to tell. */
export const dampingRises: Kind = {
  name: 'dampingRises',
  about: (all) => {
    if (reporting(all, 'nextDamping').length === 0) return [];
    const steps = reporting(all, 'damping');
    const values = dampings(steps);
    const rises = risesOf(values);
    const told = rises.toSorted((a, b) => values[b.to] / values[b.from] - values[a.to] / values[a.from]).slice(0, most);
    const left = rises.length - told.length;
    return [
      ...told
        .toSorted((a, b) => a.from - b.from)
        .map(({ from, to }) => {
          const during = steps.slice(from, to);
          const when = `${during.length === 1 ? 'in' : 'over'} ${stepsInWords(during.map(({ step }) => step))}`;
          return `λ rose from ${roughly(values[from])} to ${roughly(values[to])} ${when}${because(during)}.`;
        }),
      ...(left > 0 ? [`λ at least doubled ${left} more ${left === 1 ? 'time' : 'times'}.`] : []),
    ];
  },
};

/** What a λ at a bound says, by the metric's sign. */
const bounds = [
  {
    sign: 1,
    name: 'greatest',
    moved: 'risen',
    advice: 'steps do not hold what they promise even so; larger batches help, or a larger maxDamping',
  },
  { sign: -1, name: 'least', moved: 'fallen', advice: 'a smaller minDamping allows longer steps' },
] as const;

/** λ at one of its bounds where it would have moved on. */
export const dampingLimits: Kind = {
  name: 'dampingLimits',
  about: (all) => {
    // Steps between two judgements move nothing.
    const steps = reporting(all, 'dampingLimit').filter(
      ({ metrics }) => metrics['dampingLimit'] !== 0 || Object.hasOwn(metrics, 'reductionRatio'),
    );
    return bounds.flatMap(({ sign, name, moved, advice }) => {
      const isAt = ({ metrics }: SeenStep): boolean => metrics['dampingLimit'] === sign;
      const at = steps.filter(isAt);
      if (at.length === 0) return [];
      const last = steps.length - 1 - steps.findLastIndex((step) => !isAt(step));
      const among = last === 0 ? '' : `, the last ${last === 1 ? 'one' : last} among them`;
      const counted =
        at.length === steps.length
          ? `all ${steps.length} steps that judged it`
          : `${someOf(at, steps)} that judged it${among}`;
      const value = roughly(at[at.length - 1].metrics['nextDamping']);
      const therefore = 2 * at.length >= steps.length ? `: ${advice}` : '';
      return [`λ was at its ${name} value ${value} in ${counted}, and would have ${moved} further${therefore}.`];
    });
  },
};
