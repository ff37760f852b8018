/**
 * What `kfac bench` prints: a row for each result as it comes, and the comparison at the end.
 *
 * @module
 */
import type { Comparison, Standing } from '../problems/comparison.ts';
import { taus } from '../problems/comparison.ts';
import { contenderName } from '../problems/contenders.ts';
import type { TrialResult } from '../problems/trial.ts';
import { showNumber, textTable } from '../reports/table.ts';

const widths = [24, 28, 5, 10, 10, 10, 9, 8, 7];

/** Rows come one at a time, so columns cannot be as wide as their cells. */
const row = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' ');

/** Titles above {@link resultRow}. */
export const resultTitles = row([
  'problem',
  'optimizer',
  'seed',
  'first loss',
  'train loss',
  'test loss',
  'ms/step',
  'seconds',
  '× Adam',
]);

const orEmpty = (value: number | null): string => (value === null ? '' : showNumber(value));

/** A result as a row; the last column is the operations of a step in those of Adam. */
export const resultRow = (result: TrialResult): string => {
  const { secondsPerStep } = result;
  const cells = row([
    result.problem,
    contenderName(result),
    String(result.seed),
    orEmpty(result.initialLoss),
    orEmpty(result.trainLoss),
    orEmpty(result.testLoss),
    secondsPerStep === null ? '' : showNumber(1000 * secondsPerStep),
    orEmpty(result.seconds),
    result.flopsOfAdam === null ? '' : result.flopsOfAdam.toFixed(1),
  ]);
  return result.error === null ? cells : `${cells}  ${result.error}`;
};

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const shareAt = ({ profile }: Standing, tau: number): string =>
  percent(profile[taus.reduce((nearest, at, i) => (at <= tau + 1e-9 ? i : nearest), 0)]);

const lossCell = ({ contender, ratios }: Standing, problem: string): string => {
  if (!Object.hasOwn(contender.loss, problem)) return '';
  const loss = contender.loss[problem];
  if (loss === Infinity) return 'no end';
  return ratios[problem] === undefined ? showNumber(loss) : `${showNumber(loss)} (${ratios[problem].toPrecision(3)})`;
};

const losses = ({ problems, standings }: Comparison): ReadonlyArray<string> =>
  textTable(
    [{ title: 'train loss', align: 'left' }, ...standings.map(({ contender }) => ({ title: contender.name }))],
    problems.map((problem) => [problem, ...standings.map((standing) => lossCell(standing, problem))]),
  );

const summaryTaus = [1, 2 ** 0.25, 2, 4, 16];

const summary = ({ baseline, standings, problems }: Comparison): ReadonlyArray<string> =>
  textTable(
    [
      { title: 'optimizer', align: 'left' },
      ...(baseline === null ? [] : [{ title: 'below' }, { title: '> 1.25' }, { title: 'worst' }]),
      ...(baseline === null ? [] : [{ title: 'on', align: 'left' as const }]),
      { title: 'no end' },
      ...summaryTaus.map((tau) => ({ title: `τ ${tau.toPrecision(3)}` })),
      { title: '× Adam' },
    ],
    standings.map((standing) => [
      standing.contender.name,
      ...(baseline === null || standing.worst === null
        ? []
        : [
            percent(standing.below),
            String(problems.filter((problem) => standing.ratios[problem] > 1.25).length),
            standing.worst[1].toPrecision(3),
            standing.worst[0],
          ]),
      String(standing.contender.failures.length),
      ...summaryTaus.map((tau) => shareAt(standing, tau)),
      standing.flopsOfAdam === null ? '' : standing.flopsOfAdam.toFixed(2),
    ]),
  );

/** Contenders that are compared on some of the problems. */
const onSome = ({ standings, problems }: Comparison): ReadonlyArray<string> =>
  standings
    .filter((standing) => standing.problems.length < problems.length)
    .map(
      ({ contender, problems: own }) =>
        `${contender.name} is for classes: its numbers are of the ${own.length} of ${problems.length} problems with them.`,
    );

const explanation = (comparison: Comparison): string => {
  const { baseline, leftOut } = comparison;
  return [
    ...onSome(comparison),
    ...(leftOut.length === 0 ? [] : [`Left out, because not all have results for them: ${leftOut.join(', ')}.`]),
    ...(baseline === null
      ? []
      : [`In brackets, below, > 1.25 and worst: loss above the floor in units of that of ${baseline.name}.`]),
    'τ: share of problems whose loss above the floor is within τ times the least of all.',
    '× Adam: operations of a step, counted.',
  ].join(' ');
};

const failures = ({ standings }: Comparison): ReadonlyArray<string> =>
  standings.flatMap(({ contender }) =>
    contender.failures.map(
      ({ problem, seed, error }) => `${contender.name}, ${problem}, seed ${seed}: ${error ?? 'no end'}`,
    ),
  );

/** A comparison as lines: losses, shares, and why what came to no end did not. */
export const comparisonText = (comparison: Comparison): ReadonlyArray<string> => [
  '',
  ...losses(comparison),
  '',
  ...summary(comparison),
  '',
  explanation(comparison),
  ...failures(comparison),
];
