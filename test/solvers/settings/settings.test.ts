/**
 * One table of settings: what presets, their options' types, names from outside and compositions are checked by.
 */
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { composeOptimizer } from '../../../src/pipelines/config/compose/compose.ts';
import { gameOptimizers } from '../../../src/pipelines/tasks/gan/adversarial.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { optimizerOf, presets } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import {
  belowOne,
  between,
  finite,
  fraction,
  notNegative,
  oneOf,
  positive,
  text,
  truth,
  wholeBetween,
  wholeFrom,
} from '../../../src/solvers/settings/range.ts';
import { settingsError } from '../../../src/solvers/settings/setting.ts';
import { gaussian, mlp, stateOf, tryStage } from '../../support/training.ts';

const objective = { model: mlp([3, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [6, 3]), targets: gaussian(2, [6, 2]) };

const settings = Object.entries(presets).flatMap(([preset, { settings: known }]) =>
  Object.entries(known).map(([name, each]) => [preset, name, each] as const),
);

describe('ranges', () => {
  it.each([
    [wholeFrom(1), [1, 2 ** 53 - 1], [0, 1.5, -1, Infinity, Number.NaN, '1', 2 ** 53]],
    [wholeBetween(0, 3), [0, 3], [-1, 4, 0.5, Number.NaN]],
    [positive, [1e-300, 1e300], [0, -1, Infinity, Number.NaN, '1']],
    [fraction, [0.1, 1], [0, 1.1, Number.NaN]],
    [between, [0.1, 0.9], [0, 1, Number.NaN]],
    [belowOne, [0, 0.99], [1, -0.1, Number.NaN]],
    [notNegative, [0, 5], [-1e-9, Infinity, Number.NaN]],
    [finite, [-1, 0], [Infinity, Number.NaN, null]],
    [truth, [true, false], [0, 'true']],
    [text, ['a'], ['', 1]],
    [oneOf(['a', 'b']), ['a', 'b'], ['c', 1]],
  ] as const)('$words', (range, inside, outside) => {
    expect(inside.map((value) => range.holds(value))).toEqual(inside.map(() => true));
    expect(outside.map((value) => range.holds(value))).toEqual(outside.map(() => false));
    expect(range.words).not.toBe('');
  });
});

describe('settings of presets', () => {
  it.each(settings)('%s.%s: the default is in its range, and it has a meaning', (preset, name, each) => {
    expect(each.range.holds(each.standard)).toBe(true);
    expect(each.meaning).not.toBe('');
    expect(presets[preset]().hyperparameters[name]).toBe(each.standard);
  });

  it.each(Object.entries({ ...presets, ...gameOptimizers }))(
    '%s says what is worth tuning: numbers, in bounds that are in their ranges and have the default between them',
    (_, { settings: known }) => {
      const searched = Object.values(known).flatMap(({ search, range, standard }) =>
        search === undefined ? [] : [{ ...search, range, standard: Number(standard) }],
      );
      expect(searched.length).toBeGreaterThan(0);
      for (const { low, high, scale, range, standard } of searched) {
        expect([range.holds(low), range.holds(high), low < high]).toEqual([true, true, true]);
        expect([standard >= low, standard <= high, scale === 'linear' || low > 0]).toEqual([true, true, true]);
      }
    },
  );

  it.each(Object.keys(presets))('law: %s takes any values in their ranges, and no other', (preset) => {
    const known = presets[preset].settings;
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(known)),
        fc.oneof(fc.double(), fc.integer(), fc.boolean(), fc.string(), fc.constantFrom(0, 1, -1, 0.5)),
        (name, value) => {
          const made = optimizerOf(preset, { [name]: value });
          expect(E.isRight(made)).toBe(known[name].range.holds(value));
        },
      ),
    );
  });

  it.each([
    ['damping −1', 'kfac.damping', 'a number above 0', () => kfac({ damping: -1 })],
    ['momentum 1.5', 'sgd.momentum', 'a number from 0 to below 1', () => sgd({ momentum: 1.5 })],
    ['decay 2', 'kfac.decay', 'a number from 0 to below 1', () => kfac({ decay: 2 })],
    ['NaN', 'adam.beta1', 'a number from 0 to below 1', () => adam({ beta1: Number.NaN })],
    ['half a step', 'kfac.inverseEvery', 'a whole number of at least 1', () => kfac({ inverseEvery: 1.5 })],
    [
      'endless products',
      'low-rank-kfac.powerIterations',
      'a whole number from 0 to 100',
      () => presets['low-rank-kfac']({ powerIterations: 2 ** 53 }),
    ],
    ['an unknown name', 'kfac.dampening', 'one of learningRate', () => presets['kfac']({ dampening: 1 })],
  ])('law: a preset made with %s says so before it computes', async (_, path, expected, make) => {
    const result = await tryStage(pipeline(withObjective(objective), make().step), stateOf(objective.model, 1), batch);
    expect(result).toMatchObject({ left: { _tag: 'BadConfig', path } });
    expect(E.isLeft(result) && result.left._tag === 'BadConfig' && result.left.expected).toContain(expected);
  });

  it('names from outside meet the same table', () => {
    const error = settingsError('kfac', kfac.settings, { damping: -1 });
    expect(optimizerOf('kfac', { damping: -1 })).toEqual(E.left(error));
  });
});

describe('settings of compositions', () => {
  const composed = (solver: object, update: object = {}) =>
    composeOptimizer({ estimator: 'monteCarlo', curvature: 'kfac', solver, update });

  it.each([
    ['damping −1', composed({ kind: 'kroneckerInverse', damping: -1 }), 'solver.damping', 'a number above 0'],
    [
      'a schedule from −1',
      composed({ kind: 'eigen', damping: { kind: 'constant', value: -1 } }),
      'solver.damping',
      'above 0',
    ],
    [
      'momentum 1.5',
      composed({ kind: 'eigen' }, { rules: [{ kind: 'momentum', mu: 1.5 }] }),
      'mu',
      'from 0 to below 1',
    ],
    ['a learning rate of −1', composed({ kind: 'eigen' }, { learningRate: -1 }), 'update.learningRate', 'at least 0'],
    ['decay 2', composed({ kind: 'ekfac', decay: 2 }), 'solver.decay', 'from 0 to below 1'],
    ['endless products', composed({ kind: 'lowRank', powerIterations: 2 ** 53 }), 'powerIterations', 'from 0 to 100'],
  ])('refuses %s before anything runs', (_, result, path, expected) => {
    expect(E.isLeft(result) && result.left._tag === 'BadConfig' && result.left.path).toContain(path);
    expect(E.isLeft(result) && result.left._tag === 'BadConfig' && result.left.expected).toContain(expected);
  });

  it('takes a damping that changes with the step', () => {
    const made = composed({ kind: 'ekfac', damping: { kind: 'cosine', start: 10, steps: 1000, end: 1 } });
    expect(E.isRight(made)).toBe(true);
  });
});
