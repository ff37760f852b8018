import fc from 'fast-check';

import { activation } from '../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams, pickParams } from '../../../src/core/params.ts';
import type { Batch } from '../../../src/core/pipeline/context.ts';
import { descent } from '../../../src/core/pipeline/descent.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { holding } from '../../../src/core/pipeline/group.ts';
import type { Objective } from '../../../src/core/pipeline/objective.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { learn } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { equilibrate } from '../../../src/curvature/equilibrate.ts';
import { exact, monteCarlo } from '../../../src/curvature/estimators.ts';
import { kfac as kfacCurvature } from '../../../src/curvature/kfac.ts';
import { jacobian, jointGradient } from '../../../src/solvers/games/game.ts';
import type { GameOptimizer, GameStep } from '../../../src/solvers/games/gameOptimizer.ts';
import {
  competitiveDescent,
  newtonOfGames,
  simultaneousDescent,
  splittingOfGames,
  symplecticDescent,
} from '../../../src/solvers/games/gamePresets.ts';
import type { NetworkGame, NetworkPlayer } from '../../../src/solvers/games/networks.ts';
import { posed } from '../../../src/solvers/games/networks.ts';
import { playGame, updatePlayers } from '../../../src/solvers/games/playGame.ts';
import { turns } from '../../../src/solvers/games/turns.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { updateByModel } from '../../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { momentum } from '../../../src/solvers/update/rules/momentum.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { averageIterates, averagedParams } from '../../../src/solvers/update/iterateAveraging.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, runStage, tryStage } from '../../support/training.ts';
import { ganPair } from '../../../src/pipelines/tasks/gan/pair.ts';
import { discriminator, generator } from '../../pipelines/publicSpine/networks.ts';
import { elementsOf, ops } from './support.ts';
import { gameBatch, gameStart } from './twoNetworks.ts';

/** A discriminator that is kept from being steep, and who fools it. */
const { telling: toTell, fooling: toFool } = ganPair({
  name: 'numbers',
  generator,
  discriminator,
  example: [1],
  penalty: { kind: 'r1', weight: 0.3 },
});
const game: NetworkGame = [
  { name: 'discriminator', parameters: ['discriminator'], objective: toTell },
  { name: 'generator', parameters: ['generator'], objective: toFool },
];

const after = async (
  step: GameStep,
  count: number,
  start: TrainState<Tensor> = gameStart(),
  batchAt: (step: number) => Batch<Tensor> = gameBatch,
): Promise<TrainState<Tensor>> => {
  let state = start;
  for (let i = 0; i < count; i += 1) state = (await runStage(step, state, batchAt(state.step))).next;
  return state;
};

const curvature = descent(capture(exact()), updateFactors(kfacCurvature()));

/** Both players' K-FAC, each with a length of its own by its quadratic model, and its own momentum. */
const byModels = (players: NetworkGame): GameStep =>
  learn(
    toTell,
    pipeline(
      playGame(players, curvature),
      damp(0.1),
      solve(preconditioned(kroneckerInverse, { every: 2 })),
      updatePlayers(updateByModel({ learningRate: 0.3, rules: [momentum(0.5)] })),
    ),
  );

const optimizers: ReadonlyArray<readonly [string, (players: NetworkGame) => GameStep]> = [
  ...[
    simultaneousDescent(),
    symplecticDescent(),
    competitiveDescent(),
    newtonOfGames(),
    splittingOfGames({ maxIterations: 4 }),
  ].map((optimizer: GameOptimizer) => [optimizer.name, optimizer.play] as const),
  ['K-FAC of each', byModels],
];

describe('networks that play', () => {
  it('law: as programs they have the gradients of their own steps, and a Jacobian that difference quotients confirm', async () => {
    const state = gameStart();
    const batch = gameBatch(0);
    const { gradient } = await runStage(playGame(game), state, batch);
    const { game: programs, inputs } = posed(game, { state, batch });
    const xiAt = (t: number): ReadonlyArray<number> => {
      const moved = mapParams(state.params, (p, path) => ops.linearCombination(1, p, t, gradient[path]));
      return elementsOf(jointGradient(programs)(ops, moved, inputs));
    };
    expect(scaledError(elementsOf(gradient), xiAt(0))).toBeLessThan(1e-12);
    const h = 1e-5;
    const [above, below] = [xiAt(h), xiAt(-h)];
    const slope = above.map((value, i) => (value - below[i]) / (2 * h));
    const image = elementsOf(jacobian(programs, state.params, inputs)(ops, gradient));
    expect(scaledError(image, slope)).toBeLessThan(1e-7);
  });

  it.each(optimizers)('law: exchanging the players exchanges the result: %s', async (_, play) => {
    const [one, other] = [await after(play(game), 3), await after(play([game[1], game[0]]), 3)];
    expect(other.params).toEqual(one.params);
    expect(one.params).not.toEqual(gameStart().params);
  });

  it.each(optimizers)('law: a state in memory goes on bit for bit: %s', async (_, play) => {
    const step = play(game);
    expect(await after(step, 2, structuredClone(await after(step, 2)))).toEqual(await after(step, 4));
  });

  it.each(optimizers)('law: purity. A step of %s leaves state and batch bit-identical', async (_, play) => {
    const given = { state: await after(play(game), 1), batch: gameBatch(1) };
    const before = structuredClone(given);
    await runStage(play(game), given.state, given.batch);
    expect(given).toEqual(before);
  });

  it.each(optimizers)('what is held stays, and the others move: %s', async (_, play) => {
    const start = holding(gameStart(), ['generator.1.weight', 'discriminator.0.bias']);
    const state = await after(play(game), 2, start);
    expect(state.held).toEqual(start.held);
    expect(Object.keys(state.params)).toEqual(Object.keys(start.params));
    expect(state.params).not.toEqual(start.params);
  });

  it('refuses parameters of two players, and a curvature in units of its own', async () => {
    const odd: NetworkGame = [{ ...game[0], parameters: 'all' }, game[1]];
    expect(await tryStage(playGame(odd), gameStart(), gameBatch(0))).toMatchObject({
      left: { _tag: 'BadConfig', path: 'generator.1.weight' },
    });
    const inUnits = descent(curvature, equilibrate({ by: 'whole', every: 1 }));
    expect(await tryStage(playGame(game, inUnits), gameStart(), gameBatch(0))).toMatchObject({
      left: { _tag: 'BadConfig', path: 'discriminator.curvature' },
    });
  });

  it('law: an average of the generator alone is what it says, and the rest is as it is', async () => {
    const step = learn(
      toTell,
      pipeline(simultaneousDescent().play(game), averageIterates({ decay: 0.5, parameters: ['generator'] })),
    );
    const [first, second] = [await after(step, 1), await after(step, 2)];
    const expected = mapParams(second.params, (p, path) =>
      path.startsWith('generator') ? ops.linearCombination(0.5, p, 0.5, first.params[path]) : p,
    );
    expect(averagedParams(second)).toEqual(expected);
  });
});

/** Trees as one. */
const merged = (parts: ReadonlyArray<Params<Tensor>>): Params<Tensor> =>
  parts.reduce((all, part) => ({ ...all, ...part }), {});

/** Networks that share nothing but the batch. */
const apart = (['left', 'right'] as const).map((name, i): NetworkPlayer => {
  const layer = sequential({
    [name]: sequential([dense({ in: 3, out: 4 }), activation('tanh'), dense({ in: 4, out: 2 })]),
  });
  return {
    name,
    parameters: [name],
    objective: { model: model(name, [3], layer), loss: squaredError, targets: i === 0 ? 'targets' : 'others' },
  };
});
const startApart = (): TrainState<Tensor> =>
  initialState(merged(apart.map(({ objective }, i) => initialParams(objective.model, keyOf(7 + i), 'f64'))), keyOf(5));
const batchApart = (step: number): Batch<Tensor> => ({
  inputs: gaussian(3 * step + 1, [8, 3]),
  targets: gaussian(3 * step + 2, [8, 2]),
  others: gaussian(3 * step + 3, [8, 2]),
});

/** The parameters of both, each trained by itself. */
const trainedApart = async (stepOf: (objective: Objective) => GameStep, count: number) => {
  const all = await Promise.all(
    apart.map(async ({ name, objective }) => {
      const paths = Object.keys(startApart().params).filter((path) => path.startsWith(name));
      const start = { ...startApart(), params: pickParams(startApart().params, paths) };
      return (await after(stepOf(objective), count, start, batchApart)).params;
    }),
  );
  return merged(all);
};

describe('players that do not interact', () => {
  it.each<readonly [string, Optimizer]>([
    ['kfac', kfac()],
    ['adam', adam()],
  ])('law: in turn or at once, they are two trainings, bit for bit: %s', async (_, optimizer) => {
    const expected = await trainedApart((objective) => learn(objective, optimizer.step), 4);
    for (const simultaneous of [false, true]) {
      const step = turns(
        apart.map((player) => ({ ...player, optimizer })),
        { simultaneous },
      );
      expect((await after(step, 4, startApart(), batchApart)).params).toEqual(expected);
    }
  });

  it('law: as one game too: statistics, averages, refresh and quadratic model of each are its own', async () => {
    const alone = (objective: Objective) =>
      learn(
        objective,
        pipeline(
          forward,
          backward,
          capture(monteCarlo()),
          updateFactors(kfacCurvature()),
          damp(0.1),
          solve(preconditioned(kroneckerInverse, { every: 3 })),
          updateByModel({ learningRate: 0.3, rules: [momentum(0.5)], lossBound: 1 }),
        ),
      );
    const joint = learn(
      apart[0].objective,
      pipeline(
        playGame(apart, descent(capture(monteCarlo()), updateFactors(kfacCurvature()))),
        damp(0.1),
        solve(preconditioned(kroneckerInverse, { every: 3 })),
        updatePlayers(updateByModel({ learningRate: 0.3, rules: [momentum(0.5)], lossBound: 1 })),
      ),
    );
    const { params } = await after(joint, 5, startApart(), batchApart);
    expect(params).toEqual(await trainedApart(alone, 5));
  });

  it('law: nothing turns, so the adjustment is none and each goes down its own gradient', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (seed) => {
        const start = { ...startApart(), step: seed };
        const rate = { learningRate: 0.1 };
        const plain = await after(simultaneousDescent(rate).play(apart), 1, start, batchApart);
        const adjusted = await after(symplecticDescent({ ...rate, align: false }).play(apart), 1, start, batchApart);
        expect(scaledError(elementsOf(adjusted.params), elementsOf(plain.params))).toBeLessThan(1e-12);
        const competing = await after(competitiveDescent(rate).play(apart), 1, start, batchApart);
        expect(scaledError(elementsOf(competing.params), elementsOf(plain.params))).toBeLessThan(1e-12);
      }),
      { numRuns: 5 },
    );
  });
});

describe('one player', () => {
  const only: NetworkGame = [{ name: 'only', parameters: 'all', objective: apart[0].objective }];
  const start = (): TrainState<Tensor> =>
    initialState(initialParams(apart[0].objective.model, keyOf(3), 'f64'), keyOf(5));

  it.each<readonly [string, GameOptimizer]>(
    [simultaneousDescent(), symplecticDescent(), competitiveDescent(), newtonOfGames()].map((each) => [
      each.name,
      each,
    ]),
  )('law: %s is an optimizer of objectives: its step is the game of one', async (_, optimizer) => {
    const step = learn(apart[0].objective, optimizer.step);
    const [ours, theirs] = [
      await after(optimizer.play(only), 2, start(), batchApart),
      await after(step, 2, start(), batchApart),
    ];
    expect(ours).toEqual(theirs);
  });

  it('law: simultaneous descent of one is gradient descent', async () => {
    const step = learn(
      apart[0].objective,
      pipeline(forward, backward, solve(identity), update({ learningRate: 0.05, rules: [momentum(0)] })),
    );
    const ours = await after(simultaneousDescent().play(only), 3, start(), batchApart);
    expect(ours.params).toEqual((await after(step, 3, start(), batchApart)).params);
  });

  it('settings out of their ranges are an error of the first step, foreseen before it', async () => {
    const optimizer = symplecticDescent({ learningRate: -1 });
    expect(optimizer.step.foresee?.(0, 1)).toMatchObject({ _tag: 'BadConfig', path: 'symplectic.learningRate' });
    expect(await tryStage(optimizer.play(only), start(), batchApart(0))).toMatchObject({
      left: { _tag: 'BadConfig', path: 'symplectic.learningRate' },
    });
    expect(await tryStage(simultaneousDescent().play([]), start(), batchApart(0))).toMatchObject({
      left: { path: 'game', actual: 'none' },
    });
  });
});
