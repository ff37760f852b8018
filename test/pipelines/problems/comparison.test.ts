import fc from 'fast-check';

import { choiceOf, nameOf } from '../../../src/pipelines/problems/choices.ts';
import { compare, taus } from '../../../src/pipelines/problems/comparison.ts';
import { contenderName, contendersOf } from '../../../src/pipelines/problems/contenders.ts';
import { parseResults, resultLine } from '../../../src/pipelines/problems/results.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import type { TrialResult } from '../../../src/pipelines/problems/trial.ts';
import { notEnded } from '../../../src/pipelines/problems/trial.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

/** A result on one of the first problems; no loss for one that came to no end. */
const result = (
  problem: number,
  optimizer: string,
  loss: number | null,
  more: Partial<TrialResult> = {},
): TrialResult => ({
  ...notEnded(problems[problem], { problem: problems[problem].name, optimizer, settings: {}, seed: 1 }),
  initialLoss: 10,
  trainLoss: loss,
  ended: loss !== null,
  error: loss === null ? 'the loss is not finite' : null,
  flopsOfAdam: 2,
  ...more,
});

const rate = (learningRate: number): Partial<TrialResult> => ({ settings: { learningRate } });

describe('compare', () => {
  // Above a floor of 1: Adam 2 and 4 at one rate, 3 and 1 at another; kfac 1 and 4.
  const floor = 1;
  const results = [
    result(0, 'adam', 3, { ...rate(0.001), floor }),
    result(1, 'adam', 5, { ...rate(0.001), floor }),
    result(0, 'adam', 4, { ...rate(0.003), floor }),
    result(1, 'adam', 2, { ...rate(0.003), floor }),
    result(0, 'kfac', 2, { floor }),
    result(1, 'kfac', 5, { floor }),
  ];
  const compared = compare(contendersOf(results));
  const [, , kfac, best] = compared.standings;

  it('takes Adam’s best rate on each problem for its unit, above the floor', () => {
    expect(compared.baseline?.name).toBe('adam, best of 2 rates');
    expect(Object.values(best.contender.excess)).toEqual([2, 1]);
    expect(Object.values(kfac.ratios)).toEqual([0.5, 4]);
    expect(kfac.below).toBe(0.5);
    expect(kfac.worst).toEqual([problems[1].name, 4]);
    expect(Object.values(best.ratios)).toEqual([1, 1]);
  });

  it('what is for classes alone takes no problem from the others, and is compared on its own', () => {
    const {
      problems: common,
      leftOut,
      standings,
    } = compare(contendersOf([...results, result(0, 'class-kfac', 2, { floor })]));
    expect([common, leftOut]).toEqual([[problems[0].name, problems[1].name], []]);
    const own = standings.find(({ contender }) => contender.optimizer === 'class-kfac');
    expect(own).toMatchObject({ problems: [problems[0].name], below: 1, ratios: { [problems[0].name]: 0.5 } });
    expect([own?.profile[0], own?.worst]).toEqual([1, [problems[0].name, 0.5]]);
    expect(standings.filter((standing) => standing !== own)).toEqual(compared.standings);
  });

  it('law: a name says what its choice is', () => {
    const names = fc.constantFrom('kfac', 'adam', 'class-kfac');
    const rates = fc.option(fc.double({ min: 1e-6, max: 10, noNaN: true }));
    fc.assert(
      fc.property(names, rates, (optimizer, learningRate) => {
        const choice = { optimizer, settings: learningRate === null ? {} : { learningRate } };
        expect(choiceOf(nameOf(choice))).toEqual(choice);
      }),
    );
  });

  it('counts for each τ the problems within τ times the best', () => {
    const shareAt = (standing: typeof kfac, tau: number): number => standing.profile[taus.indexOf(tau)];
    expect([1, 2, 4, 16].map((tau) => shareAt(kfac, tau))).toEqual([0.5, 0.5, 1, 1]);
    expect([1, 2, 4, 16].map((tau) => shareAt(best, tau))).toEqual([0.5, 1, 1, 1]);
  });

  it('means are over seeds; one that came to no end is behind all', () => {
    const { standings } = compare(
      contendersOf([
        result(0, 'adam', 2),
        result(0, 'adam', 4, { seed: 2 }),
        result(1, 'adam', 2),
        result(0, 'kfac', 1),
        result(0, 'kfac', null, { seed: 2 }),
        result(1, 'kfac', null),
      ]),
    );
    expect(standings[0].contender.loss).toEqual({ [problems[0].name]: 3, [problems[1].name]: 2 });
    expect(Object.values(standings[1].ratios)).toEqual([Infinity, Infinity]);
    expect(standings[1].below).toBe(0);
    expect(standings[1].profile.every((share) => share === 0)).toBe(true);
    expect(standings[1].contender.failures.map(({ seed }) => seed)).toEqual([2, 1]);
  });

  it('is of the problems that all have results for, and says which are left out', () => {
    const some = [result(0, 'adam', 2), result(1, 'adam', 2), result(1, 'kfac', 1), result(2, 'kfac', 1)];
    const { problems: compared, leftOut, standings } = compare(contendersOf(some));
    expect(compared).toEqual([problems[1].name]);
    expect(leftOut).toEqual([problems[0].name, problems[2].name]);
    expect(standings.map(({ below }) => below)).toEqual([0, 1]);
  });

  it('where Adam came to no end, whoever did is below it', () => {
    const { standings } = compare(contendersOf([result(0, 'adam', null), result(0, 'kfac', 3)]));
    expect(standings.map(({ below }) => below)).toEqual([0, 1]);
  });

  it('losses that differ by less than a millionth of the first loss are the same', () => {
    const { standings } = compare(contendersOf([result(0, 'adam', 1e-7), result(0, 'kfac', 9e-6)]));
    expect(Object.values(standings[1].ratios)).toEqual([1]);
  });

  it('contenders are named by what they differ in', () => {
    const names = [
      result(0, 'adam', 1, rate(0.003)),
      result(0, 'kfac', 1),
      result(0, 'kfac', 1, { settings: { damping: 0.1, klClip: 0.01 } }),
      result(0, 'adam', 1, { ...rate(0.01), longer: 4 }),
    ].map(contenderName);
    expect(names).toEqual(['adam@0.003', 'kfac', 'kfac damping=0.1 klClip=0.01', 'adam@0.01, 4 × steps']);
  });

  const loss = fc.double({ min: 0.01, max: 5, noNaN: true });
  const table = fc.array(fc.tuple(loss, loss, loss), { minLength: 1, maxLength: 12 });
  const of = (rows: ReadonlyArray<readonly [number, number, number]>, c = 1) =>
    compare(
      contendersOf(
        rows.flatMap((losses, i) =>
          ['adam', 'kfac', 'sgd'].map((name, j) => result(i, name, c * losses[j], { initialLoss: c * 10 })),
        ),
      ),
    ).standings;

  it('law: shares rise with τ, and some contender is best on each problem', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const standings = of(rows);
        for (const { profile } of standings) {
          expect(profile.every((share, i) => i === 0 || share >= profile[i - 1])).toBe(true);
        }
        expect(standings.reduce((sum, { profile }) => sum + profile[0], 0)).toBeGreaterThanOrEqual(1 - 1e-12);
      }),
    );
  });

  it('law: the unit of the loss does not matter', () => {
    fc.assert(
      fc.property(table, fc.constantFrom(2 ** -10, 2 ** 10), (rows, c) => {
        const [plain, scaled] = [of(rows), of(rows, c)];
        expect(scaled.map(({ profile }) => profile)).toEqual(plain.map(({ profile }) => profile));
        expect(scaled.map(({ ratios }) => ratios)).toEqual(plain.map(({ ratios }) => ratios));
      }),
    );
  });
});

describe('results in files', () => {
  const some = [result(0, 'adam', 3, rate(0.001)), result(1, 'kfac', null), result(2, 'kfac', 1, { longer: 2 })];

  it('law: what is read is what was written', () => {
    expect(orThrow(parseResults('f', some.map(resultLine).join('\n') + '\n\n'))).toEqual(some);
  });

  it.each([
    ['no JSON', 'a line that is no JSON'],
    ['{"problem": "sine"}', 'half'],
    [JSON.stringify({ ...some[0], trainLoss: 'low' }), 'trainLoss'],
    ['[]', 'problem'],
  ])('%s: says which line, and what is wrong', (line, word) => {
    const error = errorOf(parseResults('f.jsonl', `${resultLine(some[0])}\n${line}`));
    expect(error).toMatchObject({ _tag: 'BadData', source: 'f.jsonl', row: 2 });
    expect(JSON.stringify(error)).toContain(word);
  });
});
