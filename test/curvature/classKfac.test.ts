import * as E from 'fp-ts/lib/Either.js';
import { describeError } from '../../src/core/errors.ts';

import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { scaled, sumOf } from '../../src/core/operators/composite.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { bySite } from '../../src/curvature/bySite.ts';
import { capture } from '../../src/curvature/capture.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { homogeneousRows } from '../../src/curvature/sites/dense.ts';
import { classFactors, classStatistics, classWeights } from '../../src/curvature/statistics/classes.ts';
import { means } from '../../src/curvature/statistics/statistics.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const { ops } = referenceEnv().backend;
const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const labels = (values: ReadonlyArray<number>): Tensor => tensor(values, [values.length], 'i32');
const batch = { inputs: gaussian(1, [8, 3]), targets: labels([0, 1, 2, 1, 0, 1, 1, 0]) };
const shapes = { '0': [4, 4], '2': [3, 5] } as const;

const stepOf = (curvature: Curvature) =>
  pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature));

const run = (curvature: Curvature, data = batch, state: TrainState<Tensor> = stateOf(objective.model, 4)) =>
  runStage(stepOf(curvature), state, data);

const blockOf = ({ operator }: Awaited<ReturnType<typeof run>>, name: string): BlockOperator<Tensor> => {
  if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
  return operator.blocks[name];
};

const matrixOf = (result: Awaited<ReturnType<typeof run>>, name: '0' | '2'): Tensor =>
  materialise(ops, blockOf(result, name), shapes[name]);

describe('class statistics', () => {
  const site = { kind: 'dense', path: 'l', weight: 'l.weight', bias: null } as const;

  it('worked example: ā = 1, 2, 3 of classes 0, 1, 0 and g = 4, 5, 6', () => {
    const seen = { site, input: tensor([1, 2, 3], [3, 1]), cotangents: [tensor([4, 5, 6], [3, 1])] };
    const { sums, weight } = classStatistics(ops, homogeneousRows(ops, seen), classWeights(ops, labels([0, 1, 0]), 2));
    expect(Object.entries(sums).map(([name, { data }]) => [name, ...data])).toEqual([
      ['pi', 2, 1],
      ['A:0', 10],
      ['G:0', 52],
      ['A:1', 4],
      ['G:1', 25],
    ]);
    // A_0 = 10 / 2 and π_0 G_0 = 52 / 3.
    const [first, second] = classFactors(ops, means(ops, { sums, weight }));
    const found = [first.A, first.G, second.A, second.G].map(({ data }) => data[0]);
    expect(scaledError(found, [5, 52 / 3, 4, 25 / 3])).toBeLessThan(1e-15);
  });

  it('law: probabilities that are one-hot are indices, and others share each example out', () => {
    const seen = { site, input: gaussian(1, [3, 2]), cotangents: [gaussian(2, [3, 2])] };
    const hard = classStatistics(ops, homogeneousRows(ops, seen), classWeights(ops, labels([0, 1, 0]), 2));
    expect(
      classStatistics(ops, homogeneousRows(ops, seen), classWeights(ops, tensor([1, 0, 0, 1, 1, 0], [3, 2]), 2)),
    ).toEqual(hard);
    const soft = classStatistics(
      ops,
      homogeneousRows(ops, seen),
      classWeights(ops, tensor([0.3, 0.7, 0.5, 0.5, 1, 0], [3, 2]), 2),
    );
    const whole = classStatistics(ops, homogeneousRows(ops, seen), classWeights(ops, labels([0, 0, 0]), 1));
    for (const name of ['A', 'G']) {
      const added = ops.add(soft.sums[`${name}:0`], soft.sums[`${name}:1`]);
      expect(scaledError(added.data, whole.sums[`${name}:0`].data)).toBeLessThan(1e-14);
    }
    expect(scaledError(soft.sums['pi'].data, [1.8, 1.2])).toBeLessThan(1e-15);
  });
});

describe('class-wise K-FAC', () => {
  it('law: one class is K-FAC, bit for bit', async () => {
    const data = { ...batch, targets: labels([0, 0, 0, 0, 0, 0, 0, 0]) };
    const [ours, theirs] = [await run(classKfac({ classes: 1 }), data), await run(kfac(), data)];
    expect(ours.operator).toEqual(theirs.operator);
  });

  it('law: it is Σ_c π_c A_c ⊗ G_c of K-FACs on the examples of each class', async () => {
    const whole = await run(classKfac({ classes: 3 }));
    const classes = await Promise.all(
      [0, 1, 2].map(async (c) => {
        const rows = Array.from(batch.targets.data).flatMap((target, i) => (target === c ? [i] : []));
        const part = { inputs: ops.gather(batch.inputs, labels(rows)), targets: labels(rows.map(() => c)) };
        return { share: rows.length / 8, operator: await run(kfac(), part) };
      }),
    );
    for (const name of ['0', '2'] as const) {
      const expected = sumOf<BlockOperator<Tensor>>(
        classes.map(({ share, operator }) => scaled(share, blockOf(operator, name))),
      );
      expect(scaledError(matrixOf(whole, name).data, materialise(ops, expected, shapes[name]).data)).toBeLessThan(
        1e-14,
      );
    }
  });

  it('law: one example for each class makes it the Fisher block itself', async () => {
    const data = { inputs: gaussian(3, [3, 3]), targets: labels([2, 0, 1]) };
    const [ours, fisher, plain] = [
      await run(classKfac({ classes: 3 }), data),
      await run(dense(), data),
      await run(kfac(), data),
    ];
    for (const name of ['0', '2'] as const) {
      expect(scaledError(matrixOf(ours, name).data, matrixOf(fisher, name).data)).toBeLessThan(1e-14);
      expect(scaledError(matrixOf(plain, name).data, matrixOf(fisher, name).data)).toBeGreaterThan(1e-4);
    }
  });

  it('law: where classes share statistics it is K-FAC, however frequent they are', async () => {
    // The exact estimator does not look at targets, so copies of an example in other classes share its statistics.
    const data = {
      inputs: ops.concat([batch.inputs, batch.inputs, batch.inputs], 0),
      targets: labels(Array.from({ length: 24 }, (_, i) => (i < 16 ? 0 : 2))),
    };
    const [ours, theirs] = [await run(classKfac({ classes: 3 }), data), await run(kfac(), data)];
    for (const name of ['0', '2'] as const) {
      expect(scaledError(matrixOf(ours, name).data, matrixOf(theirs, name).data)).toBeLessThan(1e-14);
    }
  });

  it('law: a class keeps its factors through batches without it; only its π decays', async () => {
    const of = (c: number, seed: number) => ({
      inputs: gaussian(seed, [5, 3]),
      targets: labels([c, c, c, c, c]),
    });
    const curvature = classKfac({ classes: 3, decay: 0.25 });
    const first = await run(curvature, of(0, 5));
    const both = await run(curvature, of(1, 6), first.state);
    const parts = [await run(kfac(), of(0, 5)), await run(kfac(), of(1, 6))];
    const expected = sumOf<BlockOperator<Tensor>>([
      scaled(0.25, blockOf(parts[0], '2')),
      scaled(0.75, blockOf(parts[1], '2')),
    ]);
    expect(scaledError(matrixOf(both, '2').data, materialise(ops, expected, shapes['2']).data)).toBeLessThan(1e-14);
  });

  it('option sites: other sites are A ⊗ G', async () => {
    const [some, plain, all] = [
      await run(classKfac({ classes: 3, sites: ['2'] })),
      await run(kfac()),
      await run(classKfac({ classes: 3 })),
    ];
    expect(blockOf(some, '0')).toEqual(blockOf(plain, '0'));
    expect(blockOf(some, '2')).toEqual(blockOf(all, '2'));
    expect(blockOf(all, '0')._tag).toBe('sum');
    expect(scaledError(matrixOf(all, '0').data, matrixOf(plain, '0').data)).toBeGreaterThan(1e-6);
  });

  it.each([
    ['classes', { classes: 0 }, { _tag: 'BadConfig', path: 'classes' }],
    ['classes', { classes: 2.5 }, { _tag: 'BadConfig', path: 'classes' }],
    ['sites', { classes: 3, sites: ['head'] }, { _tag: 'BadConfig', path: 'sites', actual: 'head' }],
  ] as const)('refuses %s %j', async (_, options, error) => {
    const result = await tryStage(stepOf(classKfac(options)), stateOf(objective.model, 4), batch);
    expect(result).toMatchObject({ _tag: 'Left', left: error });
  });

  it.each([
    ['a class of which there is none', labels([0, 1, 2, 0, 1, 3]), 'classes from 0 to 2', '3 in example 5'],
    ['a negative class', labels([0, -1, 2, 0, 1, 1]), 'classes from 0 to 2', '-1 in example 1'],
    ['half a class', tensor([0, 1, 0.5, 0, 1, 1], [6]), 'classes from 0 to 2', '0.5 in example 2'],
    [
      'numbers that are no probabilities',
      tensor([1, 0, 0, 1, -0.5, 0.5, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0], [6, 3]),
      'probabilities, of at least 0',
      '-0.5 in example 1',
    ],
    [
      'probabilities that are not finite',
      tensor([1, 0, 0, 1, 0, 0, 0, 0, NaN, 1, 0, 0, 1, 0, 0, 1, 0, 0], [6, 3]),
      'probabilities, of at least 0',
      'NaN in example 2',
    ],
  ])('refuses %s, and names the example; also within bySite', async (_, targets, expected, actual) => {
    const data = { inputs: gaussian(1, [6, 3]), targets };
    for (const curvature of [
      classKfac({ classes: 3 }),
      bySite([{ sites: ['2'], curvature: classKfac({ classes: 3 }) }], kfac()),
      bySite([{ sites: ['2'], curvature: kfac() }], classKfac({ classes: 3 })),
    ]) {
      expect(await tryStage(stepOf(curvature), stateOf(objective.model, 4), data)).toEqual(
        E.left({
          _tag: 'BadData',
          source: 'targets',
          expected: `${expected}, for classKfac with 3 classes`,
          actual,
          advice: 'Give it the number of classes that the targets have, and targets that are classes.',
        }),
      );
    }
  });

  it.each([
    [0, 'a whole number of at least 1'],
    [1.5, 'a whole number of at least 1'],
    [Number.NaN, 'a whole number of at least 1'],
    [4097, 'at most 4096 classes'],
  ])('refuses %p classes', async (classes, expected) => {
    expect(await tryStage(stepOf(classKfac({ classes })), stateOf(objective.model, 4), batch)).toMatchObject({
      left: { _tag: 'BadConfig', path: 'classes', expected, actual: String(classes) },
    });
  });

  it('refuses targets that are not classes', async () => {
    const data = { ...batch, targets: ops.oneHot(batch.targets, 3) };
    expect(await tryStage(stepOf(classKfac({ classes: 4 })), stateOf(objective.model, 4), data)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'ShapeMismatch', where: 'classKfac', actual: '[8, 3]' },
    });
  });

  it('refuses more classes than statistics fit for, before they are computed, with the bytes that they would take', async () => {
    // Two sites of 4² + 4² and 5² + 3² numbers of eight bytes for each class.
    const tooMany = await tryStage(stepOf(classKfac({ classes: 1e7 })), stateOf(objective.model, 4), batch);
    expect(tooMany).toMatchObject({ left: { _tag: 'BadConfig', path: 'classes' } });
    expect(E.isLeft(tooMany) && describeError(tooMany.left)).toContain('10000000, which take 5280000000 bytes');
    const one = await tryStage(stepOf(classKfac({ classes: 1e300, sites: ['2'] })), stateOf(objective.model, 4), batch);
    expect(one).toMatchObject({ left: { path: 'classes' } });
  });

  it('says what it is', () => {
    const curvature = classKfac({ classes: 2, sites: ['a'] });
    const site = (path: string) => ({ kind: 'dense', path, weight: `${path}.weight`, bias: null }) as const;
    expect(
      [
        { kind: 'site', name: 'a', site: site('a') } as const,
        { kind: 'site', name: 'b', site: site('b') } as const,
        { kind: 'parameter', name: 'c' } as const,
      ].map((block) => curvature.describe(block)),
    ).toEqual(['Σ π_c A_c ⊗ G_c', 'A ⊗ G', 'diagonal']);
  });
});
