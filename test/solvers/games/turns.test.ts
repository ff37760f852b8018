import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { pickParams } from '../../../src/core/params.ts';
import { holding, stateOfGroup } from '../../../src/core/pipeline/group.ts';
import type { Stage } from '../../../src/core/pipeline/stage.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { learn, withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { partition } from '../../../src/solvers/groups/partition.ts';
import type { TurnPlayer } from '../../../src/solvers/games/turns.ts';
import { turns } from '../../../src/solvers/games/turns.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { kfacGrafted } from '../../../src/solvers/presets/kfacGrafted.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';
import { gameBatch, gameStart, madeBy, playersOf, toFool, toTell, truth } from './twoNetworks.ts';

type TaskStep = Stage<'state' | 'batch', 'next' | 'metrics'>;

const { ops } = referenceEnv().backend;

const after = async (step: TaskStep, count: number, start = gameStart()): Promise<TrainState<Tensor>> => {
  let state = start;
  for (let i = 0; i < count; i += 1) state = (await runStage(step, state, gameBatch(state.step))).next;
  return state;
};

const keen = kfac({ learningRate: 0.3, momentum: 0 });
const players = playersOf(keen, adam({ learningRate: 0.05, beta1: 0.5 }));
const [telling, fooling] = players;
const pathsOf = ({ name }: TurnPlayer): ReadonlyArray<string> =>
  Object.keys(gameStart().params).filter((path) => path.startsWith(name));

describe('one player', () => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };
  const batch = { inputs: gaussian(1, [12, 3]), targets: ops.softmax(gaussian(2, [12, 2])) };

  it.each(optimizerNames)('law: it is the optimizer itself, bit for bit: %s', async (name) => {
    const settings = {
      ...(name === 'class-kfac' ? { classes: 2 } : {}),
      ...(name.includes('kfac') ? { damping: 0.1 } : {}),
    };
    const optimizer = orThrow(optimizerOf(name, settings));
    const alone = turns([{ name: 'only', parameters: 'all', objective, optimizer }]);
    let [ours, theirs] = [stateOf(objective.model, 4), stateOf(objective.model, 4)];
    for (let i = 0; i < 4; i += 1) {
      const [mine, other] = [
        await runStage(alone, ours, batch),
        await runStage(learn(objective, optimizer.step), theirs, batch),
      ];
      const labelled = Object.entries(other.metrics).map(([metric, value]) => [
        metric.startsWith('seconds.') ? metric : `only.${metric}`,
        value,
      ]);
      expect(mine.metrics).toEqual({ ...Object.fromEntries(labelled), loss: other.metrics['loss'] });
      [ours, theirs] = [mine.next, other.next];
    }
    const { curvature, solver, rules, scalars, groups, ...rest } = theirs;
    expect(ours).toMatchObject(rest);
    expect(ours.groups).toEqual({ only: { curvature, solver, rules, scalars, groups } });
  });
});

describe('players in turn', () => {
  it('law: each takes its optimizer’s step while the others are held fixed, and sees what those before it left', async () => {
    const state = await after(turns(players), 3);
    const batch = gameBatch(state.step);
    const [first, second] = players.map((player) => ({ name: player.name, paths: pathsOf(player) }));
    const told = (await runStage(learn(toTell, telling.optimizer.step), stateOfGroup(state, first), batch)).next;
    const between = { ...state, params: { ...state.params, ...told.params } };
    const fooled = (await runStage(learn(toFool, fooling.optimizer.step), stateOfGroup(between, second), batch)).next;
    const { next } = await runStage(turns(players), state, batch);
    expect(next.params).toEqual({ ...state.params, ...told.params, ...fooled.params });
    expect(next.groups['discriminator'].curvature).toEqual(told.curvature);
    expect(next.groups['generator'].solver).toEqual(fooled.solver);
    expect([next.step, next.held, next.key]).toEqual([4, state.held, state.key]);
  });

  it('law: at once, each sees the parameters before the step, so their order does not matter', async () => {
    const [first, second] = players;
    const simultaneous = { simultaneous: true };
    const [one, other] = [
      await after(turns([first, second], simultaneous), 3),
      await after(turns([second, first], simultaneous), 3),
    ];
    expect(other).toEqual(one);
    const state = await after(turns(players), 3);
    const seen = stateOfGroup(state, { name: 'generator', paths: pathsOf(fooling) });
    const fooled = await runStage(learn(toFool, fooling.optimizer.step), seen, gameBatch(3));
    const { next } = await runStage(turns(players, simultaneous), state, gameBatch(3));
    expect(pickParams(next.params, pathsOf(fooling))).toEqual(fooled.next.params);
    expect(next.params).not.toEqual((await runStage(turns(players), state, gameBatch(3))).next.params);
  });

  it.each([false, true])('law: a resumed state goes on bit for bit (at once: %s)', async (simultaneous) => {
    const step = turns(players, { simultaneous });
    expect(await after(step, 4, structuredClone(await after(step, 3)))).toEqual(await after(step, 7));
  });

  it('law: purity. A step leaves state and batch bit-identical', async () => {
    const state = await after(turns(players), 2);
    const given = { state, batch: gameBatch(2) };
    const before = structuredClone(given);
    await runStage(turns(players), given.state, given.batch);
    expect(given).toEqual(before);
  });

  it('metrics carry the players’ names; the loss is the first player’s; seconds add up', async () => {
    let now = 0;
    const env = { ...referenceEnv(), clock: () => (now += 1) };
    const { metrics } = await runStage(pipeline(withObjective(toFool), turns(players)), gameStart(), gameBatch(0), env);
    expect(metrics).toMatchObject({
      loss: metrics['discriminator.loss'],
      'discriminator.damping': 0.1,
      'generator.learningRate': 0.05,
      'seconds.withObjective': 1,
      'seconds.forward': 2,
      'seconds.capture': 1,
    });
    expect(metrics['generator.loss']).not.toEqual(metrics['loss']);
  });

  it('both draw the same numbers in a step, and others in the next', async () => {
    const { params } = gameStart();
    const still = turns(playersOf(sgd({ learningRate: 0 }), sgd({ learningRate: 0 })));
    const lossesOf = async (step: number) => {
      const state = { ...gameStart(), step };
      const { metrics, next } = await runStage(still, state, gameBatch(0));
      expect(next.params).toEqual(params);
      return metrics['generator.loss'];
    };
    expect(await lossesOf(1)).toEqual(await lossesOf(1));
    expect(await lossesOf(1)).not.toEqual(await lossesOf(2));
  });

  it('an optimizer of several groups may be a player’s; what is held stays', async () => {
    const grouped = partition({
      hidden: { parameters: ['discriminator.0'], optimizer: keen },
      rest: { parameters: 'rest', optimizer: adam() },
    });
    const start = holding(gameStart(), ['generator.1.weight']);
    const state = await after(turns(playersOf(grouped, sgd())), 2, start);
    expect(state.held).toBe(start.held);
    expect(Object.keys(state.params)).toEqual(Object.keys(start.params));
    expect(Object.keys(state.groups['discriminator'].groups)).toEqual(['hidden', 'rest']);
  });

  it('a player whose parameters are all held does not move', async () => {
    const start = holding(gameStart(), pathsOf(fooling));
    const state = await after(turns(players), 2, start);
    const alone = turns([{ ...telling, parameters: 'all' }]);
    expect(state).toEqual(await after(alone, 2, start));
  });

  it.each<readonly [string, ReadonlyArray<TurnPlayer>, string, string]>([
    [
      'a parameter of two',
      [telling, { ...fooling, parameters: 'all' }],
      'discriminator.0.weight',
      'in discriminator and generator',
    ],
    ['a parameter of none', [telling], 'generator.1.weight', 'in none'],
    ['two of one name', [telling, { ...fooling, name: 'discriminator' }], 'groups', 'discriminator twice'],
    [
      'a path of no parameter',
      [telling, { ...fooling, parameters: ['generator.0'] }],
      'groups.generator.parameters',
      'generator.0',
    ],
  ])('refuses %s', async (_, wrong, path, actual) => {
    expect(await tryStage(turns(wrong), gameStart(), gameBatch(0))).toMatchObject({
      left: { _tag: 'BadConfig', path, actual },
    });
  });
});

describe('a game of two networks', () => {
  it('K-FAC tells, Adam fools: what is made has the mean and the width of the data', async () => {
    expect(Math.abs(madeBy(gameStart()).mean - truth.mean)).toBeGreaterThan(1);
    // Players go round each other: from one step to the next the width is off by up to 0.2, on average over fifty it is not.
    const step = turns(players);
    const made: Array<typeof truth> = [];
    let state = await after(step, 200);
    for (let i = 0; i < 50; i += 1) {
      state = await after(step, 1, state);
      made.push(madeBy(state));
    }
    const offBy = (name: 'mean' | 'width'): number =>
      Math.abs(made.reduce((sum, each) => sum + each[name] - truth[name], 0) / made.length);
    expect(offBy('mean')).toBeLessThan(0.1);
    expect(offBy('width')).toBeLessThan(0.1);
  });

  it('Adam tells, K-FAC fools: the mean is found as well', async () => {
    // In a game no loss has to fall, so a step has no worth to be judged by: it has a length of its own.
    const bold = kfacGrafted({ learningRate: 0.02, momentum: 0 });
    const state = await after(turns(playersOf(adam({ learningRate: 0.02, beta1: 0.5 }), bold)), 250);
    expect(Math.abs(madeBy(state).mean - truth.mean)).toBeLessThan(0.2);
  });
});
