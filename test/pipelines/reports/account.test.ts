import fc from 'fast-check';

import { accountOf } from '../../../src/pipelines/reports/account.ts';
import { risesOf } from '../../../src/pipelines/reports/dampingMoves.ts';
import { kinds } from '../../../src/pipelines/reports/happenings.ts';
import { percent, roughly, stepsInWords } from '../../../src/pipelines/reports/seenSteps.ts';
import { processorTime } from '../../support/processorTime.ts';

type Numbers = Readonly<Record<string, number>>;

/** A history from the numbers of its steps. */
const history = (steps: ReadonlyArray<Numbers>) => steps.map((metrics, i) => ({ step: i + 1, metrics }));

/** A step in which nothing of note happens. */
const quiet: Numbers = {
  loss: 1,
  damping: 0.1,
  nextDamping: 0.1,
  dampingLimit: 0,
  rejected: 0,
  takenBack: 0,
  reductionRatio: 0.4,
  learningRate: 0.5,
  predictedChange: -1,
  klScale: 1,
  slopeScale: 1,
  clipScale: 1,
  normScale: 1,
  solveIterations: 10,
  solveResidual: 1e-7,
  solveConverged: 1,
  updateNorm: 0.1,
  'seconds.forward': 0.1,
};

/** Each kind with numbers of a step in which it happens, and the sentence of one such step in ten, the fourth. */
const happenings: ReadonlyArray<readonly [kind: string, numbers: Numbers, sentence: string]> = [
  [
    'lossSpike',
    { loss: 40 },
    'The loss rose to 40 in step 4, 40 times that of the first; lower the learning rate or raise the damping if it did not ' +
      'come back.',
  ],
  [
    'dampingRises',
    { nextDamping: 0.8, reductionRatio: 0.09 },
    'λ rose from 0.1 to 0.8 in step 4 because steps gained 9 % of what the model promised.',
  ],
  [
    'dampingLimits',
    { dampingLimit: 1, nextDamping: 0.1 },
    'λ was at its greatest value 0.1 in 1 of 10 steps that judged it, and would have risen further.',
  ],
  [
    'dampingLimits',
    { dampingLimit: -1, nextDamping: 0.1 },
    'λ was at its least value 0.1 in 1 of 10 steps that judged it, and would have fallen further.',
  ],
  [
    'rejected',
    { rejected: 1 },
    '1 of 10 steps was not taken because it raised the loss of the batch that it was made from (step 4).',
  ],
  [
    'takenBack',
    { rejected: 1, takenBack: 1 },
    'In 1 of 10 steps the last steps were taken back because they did more harm to the next batch than they had promised ' +
      'good (step 4).',
  ],
  [
    'klScale',
    { klScale: 0.25 },
    'The KL clip made 1 of 10 steps shorter (10 %), half of them to 25 % of their length or less.',
  ],
  [
    'slopeScale',
    { slopeScale: 0.25 },
    'The loss bound made 1 of 10 steps shorter (10 %), half of them to 25 % of their length or less.',
  ],
  [
    'clipScale',
    { clipScale: 0.25 },
    'The clip of the norm made 1 of 10 steps shorter (10 %), half of them to 25 % of their length or less.',
  ],
  [
    'normScale',
    { normScale: 0.25 },
    'The norm constraint made 1 of 10 steps shorter (10 %), half of them to 25 % of their length or less.',
  ],
  [
    'turnedRound',
    { learningRate: -0.5 },
    "In 1 of 10 steps the solver's direction led uphill and was turned round (step 4).",
  ],
  [
    'solveConverged',
    { solveConverged: 0, solveResidual: 0.3 },
    "The solver's iteration ended before its tolerance in 1 of 10 steps, with a relative residual of up to 0.3.",
  ],
  [
    'raisedDamping',
    { 'raisedDamping.encoder.0': 10 },
    'The curvature of encoder.0 was not positive definite with λ: its inverse took up to 10 in step 4; a larger minDamping or ' +
      'double precision helps.',
  ],
];

/** Ten quiet steps, but for the fourth. */
const fourth = (numbers: Numbers): ReadonlyArray<Numbers> =>
  Array.from({ length: 10 }, (_, i) => (i === 3 ? { ...quiet, ...numbers } : quiet));

describe('an account of a run', () => {
  it('every kind of sentence is in the table', () => {
    expect(new Set(happenings.map(([kind]) => kind))).toEqual(new Set(kinds.map(({ name }) => name)));
  });

  it.each(happenings)('table: %s, %j', (kind, numbers, sentence) => {
    expect(accountOf(history(fourth(numbers)))).toEqual([sentence]);
    const own = kinds.filter(({ about }) => about(history(fourth(numbers))).length > 0);
    expect(own.map(({ name }) => name)).toEqual([kind]);
  });

  it('law: nothing is said where nothing happened', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.uniqueArray(fc.constantFrom(...Object.keys(quiet))),
        fc.double({ min: 0.51, max: 1.9, noNaN: true }),
        (length, left, wobble) => {
          const metrics = Object.fromEntries(Object.entries(quiet).filter(([name]) => !left.includes(name)));
          const steps = Array.from({ length }, (_, i) =>
            i % 2 === 0 || metrics['nextDamping'] === undefined ? metrics : { ...metrics, nextDamping: 0.1 * wobble },
          );
          expect(accountOf(history(steps))).toEqual([]);
        },
      ),
    );
  });

  it.each(happenings.filter(([kind]) => kind !== 'lossSpike' && kind !== 'dampingRises'))(
    'law: the count of %s is that of the steps in which it happened, and all steps are those that report it',
    (kind, numbers) => {
      fc.assert(
        fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), fc.nat(5), (happened, silent) => {
          const some = happened.filter((it) => it).length;
          const reporting = happened.map((it) => (it ? { ...quiet, ...numbers } : quiet));
          const steps = [...Array.from({ length: silent }, () => ({ loss: 1 })), ...reporting];
          const told = accountOf(history(steps)).join('\n');
          if (some === 0) {
            expect(told).toBe('');
          } else if (kind === 'raisedDamping') {
            const numbered = happened.flatMap((it, i) => (it ? [i + 1 + silent] : []));
            expect(told).toContain(` in ${stepsInWords(numbered)};`);
          } else if (kind === 'dampingLimits' && some === happened.length) {
            expect(told).toContain(`in all ${some} steps`);
          } else {
            expect(told).toContain(`${some} of ${happened.length} steps`);
          }
        }),
      );
    },
  );

  it.each(happenings.filter(([kind]) => !['lossSpike', 'dampingRises', 'raisedDamping'].includes(kind)))(
    'where %s is the rule, there is advice: %j',
    (_, numbers) => {
      const [often] = accountOf(history(Array.from({ length: 10 }, () => ({ ...quiet, ...numbers }))));
      const [once] = accountOf(history(fourth(numbers)));
      expect(often).toMatch(/[;:] [a-z].*\.$/);
      expect(once).not.toMatch(/[;:] [a-z].*\.$/);
    },
  );

  it('tells of groups of parameters under their names', () => {
    const steps = [1, 0.5, 0.5].map((scale) => ({ loss: 1, 'head.klScale': 1, 'body.klScale': scale, 'body.loss': 3 }));
    expect(accountOf(history(steps))).toEqual([
      'body: The KL clip made 2 of 3 steps shorter (67 %), half of them to 50 % of their length or less; raise klClip or ' +
        'lower the learning rate.',
    ]);
  });

  it('a λ that no step adapts follows its schedule, and is not told', () => {
    expect(accountOf(history([0.1, 1, 10].map((damping) => ({ loss: 1, damping }))))).toEqual([]);
  });

  it('worked example: why λ rose', () => {
    const ratios = [0.5, 0.4, 0.09, 0.08, -0.2, 0.1, 0.09];
    const steps = ratios.map((reductionRatio, i) => ({
      ...quiet,
      reductionRatio,
      damping: 0.1 * 2 ** Math.max(0, i - 2),
      nextDamping: 0.1 * 2 ** Math.max(0, i - 1),
      rejected: i === 4 ? 1 : 0,
    }));
    expect(accountOf(history(steps))[0]).toBe(
      'λ rose from 0.1 to 3.2 over steps 3–7 because steps gained 9 % of what the model promised, and 1 of them was not taken.',
    );
    const worse = steps.map((metrics) => ({ ...metrics, reductionRatio: -1, rejected: 0 }));
    expect(accountOf(history(worse))).toEqual([
      'λ rose from 0.1 to 3.2 over steps 3–7 because steps made the loss worse where the model promised a gain.',
    ]);
  });

  it('tells the three largest rises of λ, in order, and how many more there are', () => {
    const rises = [3, 8, 2, 5, 2].flatMap((factor) => [
      { ...quiet, nextDamping: 0.1 * factor },
      { ...quiet, damping: 0.1 * factor },
    ]);
    const told = accountOf(history(rises));
    expect(told.map((sentence) => sentence.replace(/ because.*/, ''))).toEqual([
      'λ rose from 0.1 to 0.3 in step 1',
      'λ rose from 0.1 to 0.8 in step 3',
      'λ rose from 0.1 to 0.5 in step 7',
      'λ at least doubled 2 more times.',
    ]);
  });

  it('says how long λ has been at its bound', () => {
    const free = Array.from({ length: 40 }, () => quiet);
    const bound = Array.from({ length: 60 }, () => ({ ...quiet, damping: 30, nextDamping: 30, dampingLimit: 1 }));
    expect(accountOf(history([...free, ...bound])).at(-1)).toBe(
      'λ was at its greatest value 30 in 60 of 100 steps that judged it, the last 60 among them, and would have risen further: ' +
        'steps do not hold what they promise even so; larger batches help, or a larger maxDamping.',
    );
  });

  it('steps between two judgements of λ count for nothing', () => {
    const between = Object.fromEntries(Object.entries(quiet).filter(([name]) => name !== 'reductionRatio'));
    const steps = Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? { ...quiet, dampingLimit: -1 } : between));
    expect(accountOf(history(steps))).toEqual([
      'λ was at its least value 0.1 in all 4 steps that judged it, and would have fallen further: a smaller minDamping allows ' +
        'longer steps.',
    ]);
  });

  it('law: two hundred thousand steps are no trouble', () => {
    const steps = history(
      Array.from({ length: 200_000 }, (_, i) => ({
        ...quiet,
        nextDamping: i % 2 === 0 ? 0.1 : 1,
        rejected: i % 3 === 0 ? 1 : 0,
      })),
    );
    const spent = processorTime();
    expect(accountOf(steps).length).toBeGreaterThan(0);
    expect(spent()).toBeLessThan(5);
  });
});

describe('rises', () => {
  const values = fc.array(
    fc.integer({ min: -6, max: 6 }).map((power) => 2 ** (power / 2)),
    { minLength: 1, maxLength: 40 },
  );

  it('law: each at least doubles, begins at its least and ends at its greatest value, and none meets another', () => {
    fc.assert(
      fc.property(values, (all) => {
        const rises = risesOf(all);
        rises.forEach(({ from, to }, i) => {
          const during = all.slice(from, to + 1);
          expect(all[to] / all[from]).toBeGreaterThanOrEqual(2);
          expect([Math.min(...during), Math.max(...during)]).toEqual([all[from], all[to]]);
          expect(from).toBeGreaterThanOrEqual(i === 0 ? 0 : rises[i - 1].to);
        });
      }),
    );
  });

  it('law: there is one wherever a later value is twice an earlier one', () => {
    fc.assert(
      fc.property(values, (all) => {
        const doubles = all.some((value, i) => all.slice(i).some((later) => later >= 2 * value));
        expect(risesOf(all).length > 0).toBe(doubles);
      }),
    );
  });
});

describe('words for numbers', () => {
  it.each([
    [[5], 'step 5'],
    [[5, 6, 19], 'steps 5, 6, 19'],
    [[12, 13, 14, 15, 40], 'steps 12–15, 40'],
    [[1, 3, 5, 7, 9, 11, 13, 15, 16], 'steps 1, 3, 5, 7, 9, 11 and 3 more'],
  ])('%j are %s', (steps, words) => {
    expect(stepsInWords(steps)).toBe(words);
  });

  it.each([
    [0.09, '9 %'],
    [0.0912, '9 %'],
    [0.8, '80 %'],
    [1, '100 %'],
    [0.9996, '99.9 %'],
    [0.0042, '0.42 %'],
    [0, '0 %'],
    [2.5, '250 %'],
  ])('%d is %s', (part, words) => {
    expect(percent(part)).toBe(words);
  });

  it('three digits', () => {
    expect([0.123456, 30, 12345].map(roughly)).toEqual(['0.123', '30', '12,300']);
  });
});
