/**
 * Contenders beside each other: ratios to the best that Adam does, and performance profiles [DM02].
 *
 * @module
 */
import { isForClasses } from './choices.ts';
import type { Contender } from './contenders.ts';
import { bestRates } from './contenders.ts';

/** A contender in a comparison. */
export interface Standing {
  readonly contender: Contender;
  /** Problems that its numbers are of: all that are compared, or those with classes where it is for those alone. */
  readonly problems: ReadonlyArray<string>;
  /** Loss above the floor in units of the baseline's, by problem; empty without a baseline. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Share of the problems on which it ends below the baseline. */
  readonly below: number;
  /** Its largest ratio, and the problem. */
  readonly worst: readonly [problem: string, ratio: number] | null;
  /** Share of problems on which its loss above the floor is at most τ times the least of all contenders, for each τ. */
  readonly profile: ReadonlyArray<number>;
  /** Mean over problems of the operations of a step in those of Adam. */
  readonly flopsOfAdam: number | null;
}

/** All of them. */
export interface Comparison {
  /** Problems that all contenders have results for, but for those that are for problems with classes alone. */
  readonly problems: ReadonlyArray<string>;
  /** Problems that only some have results for, and that nothing here is about. */
  readonly leftOut: ReadonlyArray<string>;
  /** What ratios are to: Adam, or the best of its rates. */
  readonly baseline: Contender | null;
  readonly standings: ReadonlyArray<Standing>;
}

/** 1 to 16 in eighths of a doubling. */
export const taus: ReadonlyArray<number> = Array.from({ length: 33 }, (_, i) => 2 ** (i / 8));

const shareOf = (problems: ReadonlyArray<string>, holds: (problem: string) => boolean): number =>
  problems.filter(holds).length / problems.length;

const standingOf = (
  contender: Contender,
  problems: ReadonlyArray<string>,
  baseline: Contender | null,
  least: Readonly<Record<string, number>>,
): Standing => {
  const ratioOn = (problem: string, to: Contender): number =>
    contender.excess[problem] === Infinity ? Infinity : contender.excess[problem] / to.excess[problem];
  const ratios = baseline === null ? [] : problems.map((problem) => [problem, ratioOn(problem, baseline)] as const);
  const flops = Object.values(contender.flopsOfAdam).filter(Number.isFinite);
  return {
    contender,
    problems,
    ratios: Object.fromEntries(ratios),
    below: ratios.filter(([, ratio]) => ratio < 1).length / problems.length,
    worst: ratios.reduce<readonly [string, number] | null>(
      (worst, [problem, ratio]) => (worst !== null && worst[1] >= ratio ? worst : [problem, ratio]),
      null,
    ),
    profile: taus.map((tau) =>
      shareOf(
        problems,
        (problem) => contender.excess[problem] <= tau * least[problem] && contender.excess[problem] < Infinity,
      ),
    ),
    flopsOfAdam: flops.length === 0 ? null : flops.reduce((sum, x) => sum + x, 0) / flops.length,
  };
};

/**
 * Compares contenders on the problems that all of them have results for, but for those that are for some problems alone: they
 * are compared on theirs.
 *
 * @param contenders - at least one
 */
export const compare = (contenders: ReadonlyArray<Contender>): Comparison => {
  const bests = bestRates(contenders);
  const general = contenders.filter((contender) => !isForClasses(contender));
  const known = [...new Set(contenders.flatMap(({ excess }) => Object.keys(excess)))];
  const isOf = (some: ReadonlyArray<Contender>, problem: string): boolean =>
    some.every(({ excess }) => Object.hasOwn(excess, problem));
  const problems = known.filter((problem) => isOf(general.length === 0 ? contenders : general, problem));
  const least = Object.fromEntries(
    problems.map((problem) => [problem, Math.min(...contenders.map(({ excess }) => excess[problem] ?? Infinity))]),
  );
  const adams = [...bests, ...contenders].filter(({ optimizer }) => optimizer === 'adam');
  const baseline = adams.find(({ longer }) => longer === 1) ?? adams[0] ?? null;
  return {
    problems,
    leftOut: known.filter((problem) => !problems.includes(problem)),
    baseline,
    standings: [...contenders, ...bests].map((contender) =>
      standingOf(
        contender,
        problems.filter((problem) => isOf([contender], problem)),
        baseline,
        least,
      ),
    ),
  };
};
