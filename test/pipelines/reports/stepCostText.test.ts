import fc from 'fast-check';

import { costParts, stepCostText } from '../../../src/pipelines/reports/stepCostText.ts';
import type { StepCost } from '../../../src/pipelines/trainer/counted.ts';

const stage = (name: string, always: number, periodic = 0, every = 1) => ({ stage: name, always, periodic, every });

const costOf = (stages: StepCost['stages'], about: Partial<StepCost> = {}): StepCost => ({
  flops: 1,
  ofAdam: stages.reduce((sum, { always, periodic }) => sum + always + periodic, 0),
  stages,
  reports: [],
  batch: 1000,
  statistics: 1000,
  steps: 100,
  ...about,
});

const usual = [stage('forward', 0.4), stage('backward', 0.55), stage('sample', 0.1), stage('capture', 0.1)];

describe('what a step costs, in words', () => {
  it('worked example', () => {
    const cost = costOf([...usual, stage('solve', 0.02, 0.5, 5), stage('update', 0.3)], {
      statistics: 256,
      reports: ['predictedChange'],
    });
    expect(stepCostText('kfac', cost)).toBe(
      'kfac: a step costs about 2.0 steps of Adam: forward and backward 1.0, statistics (256 of 1000 examples) 0.2, ' +
        'inverses every 5 steps 0.5, quadratic model and update 0.3.',
    );
  });

  it.each([
    ['statistics of all examples', {}, 'statistics 0.2'],
    ['statistics of no single examples', { statistics: 1 }, 'statistics 0.2'],
    ['a number of iterations that is the most', { reports: ['solveIterations'] }, 'up to'],
    ['a group of parameters that iterates', { reports: ['head.cgIterations'] }, 'up to'],
    ['an update without a model', {}, 'update 0.3'],
    ['a group of parameters with a model', { reports: ['head.predictedChange'] }, 'quadratic model and update 0.3'],
    ['a period that is the whole count', { steps: 5 }, 'inverses once in 5 steps 0.5'],
  ])('%s', (_, about, words) => {
    const stages = [...usual, stage('solve', 0.2, 0.5, 5), stage('update', 0.3), stage('mine', 1)];
    const text = stepCostText('x', costOf(stages, about));
    expect(text).toContain(words);
    expect(text).toContain('mine 1.0');
  });

  it('one step of Adam is one step', () => {
    expect(stepCostText('adam', costOf([stage('forward', 0.45), stage('backward', 0.54), stage('update', 0.01)]))).toBe(
      'adam: a step costs about one step of Adam: forward and backward 1.0.',
    );
  });

  it('law: parts add up to the whole, but for a rest that no one sees', () => {
    const names = [
      'forward',
      'backward',
      'sample',
      'capture',
      'updateFactors',
      'equilibrate',
      'solve',
      'update',
      'mine',
    ];
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...names)),
        fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 18, maxLength: 18 }),
        (stages, numbers) => {
          const cost = costOf(stages.map((name, i) => stage(name, numbers[2 * i], numbers[2 * i + 1], 5)));
          const parts = costParts(cost);
          const sum = parts.reduce((all, part) => all + part.cost, 0);
          expect(cost.ofAdam - sum).toBeGreaterThan(-1e-9);
          expect(cost.ofAdam - sum).toBeLessThan(0.05);
          for (const part of parts) expect(part.cost).toBeGreaterThanOrEqual(0.05);
        },
      ),
    );
  });
});
