import fc from 'fast-check';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { pickParams } from '../../../src/core/params.ts';
import { countStep } from '../../../src/core/pipeline/count.ts';
import { holding, stateOfGroup } from '../../../src/core/pipeline/group.ts';
import type { Step } from '../../../src/core/pipeline/stage.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { selectedPaths } from '../../../src/core/selection.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import type { Share } from '../../../src/solvers/groups/members.ts';
import type { Partition } from '../../../src/solvers/groups/partition.ts';
import { partition } from '../../../src/solvers/groups/partition.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { GradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { averagedParams, averageIterates } from '../../../src/solvers/update/iterateAveraging.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';
import { descent } from '../../../src/core/pipeline/descent.ts';
import { gradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';

const { ops } = referenceEnv().backend;

const objective = { model: mlp([3, 4, 4, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [12, 3]), targets: ops.softmax(gaussian(2, [12, 2])) };
const start = stateOf(objective.model, 4);
const paths = Object.keys(start.params);
const [weights, biases] = [selectedPaths('weights', start.params), selectedPaths('vectors', start.params)];

/** A preset whose steps are large enough to be seen. */
const preset = (name: string): GradientOptimizer =>
  orThrow(
    optimizerOf(name, {
      ...(name.includes('kfac') ? { damping: 0.1 } : { learningRate: 0.05 }),
      ...(name === 'class-kfac' ? { classes: 2 } : {}),
    }),
  );

const after = async (step: Step, count: number, state = start): Promise<TrainState<Tensor>> => {
  const own = pipeline(withObjective(objective), step);
  let current = state;
  for (let i = 0; i < count; i += 1) current = (await runStage(own, current, batch)).next;
  return current;
};

const layers = (first: GradientOptimizer | null, rest: GradientOptimizer | null): Partition => ({
  first: { parameters: ['0'], optimizer: first },
  rest: { parameters: 'rest', optimizer: rest },
});

describe.each(optimizerNames)('a partition with %s', (name) => {
  const whole = preset(name);

  it('law: one group of everything is the optimizer itself, bit for bit', async () => {
    const one = await after(partition({ all: { parameters: 'all', optimizer: whole } }).step, 4);
    const { curvature, solver, rules, scalars, groups, ...expected } = await after(whole.step, 4);
    expect(one).toMatchObject(expected);
    expect(one.groups).toEqual({ all: { curvature, solver, rules, scalars, groups } });
    expect([one.curvature.updates, one.rules, one.scalars]).toEqual([0, {}, {}]);
  });

  it('law: its metrics are the optimizer’s, when it is alone', async () => {
    const alone = partition({ all: { parameters: 'all', optimizer: whole } }).step;
    const [ours, theirs] = await Promise.all(
      [alone, whole.step].map((step) => runStage(pipeline(withObjective(objective), step), start, batch)),
    );
    expect(ours.metrics).toMatchObject(theirs.metrics);
    expect(Object.keys(ours.metrics).sort()).toEqual([...Object.keys(theirs.metrics), 'seconds.partition'].sort());
  });

  it.each<readonly [string, Share, ReadonlyArray<string>]>([
    ['a layer', ['2'], ['2.weight', '2.bias']],
    ['weights', 'weights', weights],
    ['biases and gains', 'vectors', biases],
  ])('law: a group moves as it would if the other parameters were held fixed: %s', async (_, parameters, own) => {
    const step = partition({
      own: { parameters, optimizer: whole },
      rest: { parameters: 'rest', optimizer: adam() },
    }).step;
    let state = start;
    for (let i = 0; i < 3; i += 1) {
      const alone = await after(whole.step, 1, stateOfGroup(state, { name: 'own', paths: own }));
      const { params, step: count, ...memory } = (state = await after(step, 1, state));
      expect(pickParams(params, own)).toEqual(alone.params);
      const { curvature, solver, rules, scalars, groups } = alone;
      expect(memory.groups['own']).toEqual({ curvature, solver, rules, scalars, groups });
      expect(count).toBe(i + 1);
    }
    expect(Object.keys(state.params)).toEqual(paths);
  });

  it('law: what is still never changes, and the others move as with it in `held`', async () => {
    const still = holding(start, ['0.weight', '0.bias']);
    const expected = await after(whole.step, 3, still);
    const found = await after(partition(layers(null, whole)).step, 3);
    expect(found.params).toEqual({ ...pickParams(start.params, ['0.weight', '0.bias']), ...expected.params });
    expect(found.held).toBe(start.held);
    expect(Object.keys(found.groups)).toEqual(['rest']);
  });

  it('law: a resumed state goes on bit for bit', async () => {
    const { step } = partition(layers(whole, preset('adam')));
    expect(await after(step, 3, structuredClone(await after(step, 2)))).toEqual(await after(step, 5));
  });

  it('law: purity. A step leaves state and batch bit-identical', async () => {
    const { step } = partition(layers(whole, preset('sgd')));
    const state = await after(step, 2);
    const before = structuredClone({ state, batch });
    await after(step, 1, state);
    expect({ state, batch }).toEqual(before);
  });
});

describe('groups', () => {
  it.each(['kfac-grafted', 'sgd', 'adam', 'adamw'])(
    'law: by layers, where curvature is of blocks and no norm couples them, they are the whole: %s',
    async (name) => {
      const apart = name.includes('kfac') ? { by: 'parameter', equilibrated: 'none' } : {};
      const make = (): GradientOptimizer => orThrow(optimizerOf(name, apart));
      const groups = { a: ['0'], b: ['2'], c: ['4'] };
      const parts = Object.entries(groups).map(([group, parameters]) => [group, { parameters, optimizer: make() }]);
      const found = await after(partition(Object.fromEntries(parts) as Partition).step, 4);
      expect(found.params).toEqual((await after(make().step, 4)).params);
    },
  );

  it('law: their order does not matter, to the state or to the metrics', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 }), async (order) => {
        const groups: Partition = {
          a: { parameters: ['0.weight'], optimizer: kfac({ damping: 0.1 }) },
          b: { parameters: ['0.bias', '4'], optimizer: adam() },
          c: { parameters: ['2.weight'], optimizer: sgd() },
          d: { parameters: 'rest', optimizer: null },
        };
        const shuffled = Object.fromEntries(order.map((name) => [name, groups[name]]));
        const [one, other] = [partition(groups), partition(shuffled)];
        expect(await after(other.step, 2)).toEqual(await after(one.step, 2));
        const own = pipeline(withObjective(objective), other.step);
        const { metrics } = await runStage(pipeline(withObjective(objective), one.step), start, batch);
        expect((await runStage(own, start, batch)).metrics).toEqual(metrics);
      }),
      { numRuns: 8 },
    );
  });

  it('law: groups of groups are groups', async () => {
    const [a, b, c] = [kfac({ damping: 0.1 }), adam(), sgd()];
    const flat = partition({
      a: { parameters: ['0'], optimizer: a },
      b: { parameters: ['2'], optimizer: b },
      c: { parameters: ['4'], optimizer: c },
    });
    const inner = partition({ b: { parameters: ['2'], optimizer: b }, c: { parameters: 'rest', optimizer: c } });
    const nested = partition({
      a: { parameters: ['0'], optimizer: a },
      rest: { parameters: 'rest', optimizer: inner },
    });
    const [ours, theirs] = [await after(nested.step, 3), await after(flat.step, 3)];
    expect(ours.params).toEqual(theirs.params);
    expect(ours.groups['rest'].groups).toEqual(pickParams(theirs.groups, ['b', 'c']));
  });

  it('what several report carries the group’s name; norms are those of all parameters too', async () => {
    const step = pipeline(withObjective(objective), partition(layers(kfac({ damping: 0.5 }), sgd())).step);
    const { metrics } = await runStage(step, start, batch);
    expect(metrics).toMatchObject({
      damping: 0.5,
      'first.momentum': 0.8,
      'rest.momentum': 0.9,
      'rest.learningRate': 0.01,
    });
    const numberOf = (name: string): number => {
      const value = metrics[name];
      return typeof value === 'number' ? value : value.data[0];
    };
    for (const norm of ['gradientNorm', 'directionNorm', 'updateNorm']) {
      const parts = Math.hypot(numberOf(`first.${norm}`), numberOf(`rest.${norm}`));
      expect(numberOf(norm)).toBeCloseTo(parts, 12);
    }
    expect(Object.keys(metrics)).not.toContain('learningRate');
  });

  it('seconds of a stage are counted once: those within groups are not those of the partition', async () => {
    let now = 0;
    const env = { ...referenceEnv(), clock: () => (now += 1) };
    const plain = await runStage(pipeline(withObjective(objective), kfac({ damping: 1 }).step), start, batch, env);
    const secondsOf = ({ metrics }: { readonly metrics: Readonly<Record<string, unknown>> }) =>
      Object.fromEntries(Object.entries(metrics).filter(([name]) => name.startsWith('seconds.')));
    const two = partition(layers(kfac({ damping: 1 }), kfac({ damping: 1 })));
    const found = secondsOf(await runStage(pipeline(withObjective(objective), two.step), start, batch, env));
    expect(secondsOf(plain)).toMatchObject({ 'seconds.forward': 1, 'seconds.solve': 1 });
    expect(found).toMatchObject({
      'seconds.forward': 1,
      'seconds.backward': 1,
      'seconds.solve': 2,
      'seconds.update': 2,
    });
    // A step within a stage is no different: what was counted before it is not counted again.
    const half = partition(layers(null, kfac({ damping: 1 })));
    const still = secondsOf(await runStage(pipeline(withObjective(objective), half.step), start, batch, env));
    expect(still).toMatchObject({ 'seconds.withObjective': 1, 'seconds.forward': 1, 'seconds.solve': 1 });
    // Between its first and its last look at the clock there are two for each of nine stages in two groups.
    expect(found['seconds.partition']).toBe(19);
  });

  it('the gradient is taken once for all, and not of what is still', async () => {
    const shapes = (state: TrainState<Tensor>): TrainState<Shaped> =>
      initialState<Shaped>(
        Object.fromEntries(Object.entries(state.params).map(([p, { shape }]) => [p, { shape }])),
        keyOf(1),
      );
    const flopsOf = async (step: Step): Promise<number> =>
      orThrow(
        await countStep(step, {
          state: shapes(start),
          batch: { inputs: { shape: [1000, 3] }, targets: { shape: [1000, 2] } },
          objective,
        })(),
      ).flops;
    const whole = await flopsOf(sgd().step);
    expect((await flopsOf(partition(layers(sgd(), sgd())).step)) / whole).toBeLessThan(1.001);
    expect((await flopsOf(partition(layers(null, sgd())).step)) / whole).toBeLessThan(0.9);
  });

  it('an average of iterates is found in the groups that keep one', async () => {
    const averaging = gradientOptimizer({
      name: 'averaging',
      hyperparameters: {},
      descent: descent(sgd({ learningRate: 0.1 }).descent, averageIterates({ decay: 0.5 })),
    });
    const states = [await after(partition(layers(averaging, adam())).step, 2)];
    states.unshift(await after(partition(layers(averaging, adam())).step, 1));
    const average = averagedParams(states[1]);
    expect(average['2.weight']).toBe(states[1].params['2.weight']);
    const expected = ops.linearCombination(0.5, states[0].params['0.weight'], 0.5, states[1].params['0.weight']);
    expect(average['0.weight']).toEqual(expected);
    expect(Object.keys(average)).toEqual(paths);
  });
});

describe('what is no partition', () => {
  it.each<readonly [string, Partition, string, string]>([
    [
      'a parameter in two groups',
      { a: { parameters: 'all', optimizer: sgd() }, b: { parameters: ['2'], optimizer: sgd() } },
      '2.weight',
      'in a and b',
    ],
    ['a parameter in none', { a: { parameters: ['0', '2', '4.bias'], optimizer: sgd() } }, '4.weight', 'in none'],
    ['no groups', {}, '0.weight', 'in none'],
    [
      'two that have the rest',
      { a: { parameters: 'rest', optimizer: sgd() }, b: { parameters: 'rest', optimizer: null } },
      '0.weight',
      'in a and b',
    ],
    [
      'a path of no parameter',
      { a: { parameters: ['0', 'head'], optimizer: null }, b: { parameters: 'rest', optimizer: sgd() } },
      'groups.a.parameters',
      'head',
    ],
    [
      'a group that has none',
      { a: { parameters: () => false, optimizer: sgd() }, b: { parameters: 'rest', optimizer: sgd() } },
      'groups.a.parameters',
      'none of them',
    ],
  ])('refuses %s', async (_, groups, path, actual) => {
    const step = pipeline(withObjective(objective), partition(groups).step);
    expect(await tryStage(step, start, batch)).toMatchObject({ left: { _tag: 'BadConfig', path, actual } });
  });

  it('parameters that are held already may be all that a group has', async () => {
    const held = holding(start, ['0.weight', '0.bias']);
    const found = await after(partition(layers(kfac({ damping: 0.1 }), sgd())).step, 2, held);
    expect(found.params).toEqual((await after(sgd().step, 2, held)).params);
    expect(Object.keys(found.groups)).toEqual(['rest']);
  });
});
