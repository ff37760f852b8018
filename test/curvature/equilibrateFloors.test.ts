/**
 * Units of what has hardly any curvature: they are bounded by those of what has some.
 */
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { diagonal } from '../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../src/core/operators/linearOperator.ts';
import type { Params } from '../../src/core/params.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { diagonal as diagonalCurvature } from '../../src/curvature/diagonal.ts';
import type { Equilibration } from '../../src/curvature/equilibrate.ts';
import { equilibrate } from '../../src/curvature/equilibrate.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';

const objective = { model: mlp([2, 2, 1], 'tanh', false), loss: squaredError };
const batch = { inputs: gaussian(1, [5, 2]), targets: gaussian(2, [5, 1]) };
const statistics = pipeline(
  withObjective(objective),
  forward,
  backward,
  capture(exact()),
  updateFactors(diagonalCurvature()),
);

/** Units of two blocks, `[2, 2]` and `[1, 2]`, with these curvatures. */
const unitsOf = async (by: Equilibration, first: ReadonlyArray<number>, second: ReadonlyArray<number>) => {
  const given = await runStage(statistics, stateOf(objective.model, 3), batch);
  const operator = blockDiagonal({ '0': diagonal(tensor(first, [2, 2])), '2': diagonal(tensor(second, [1, 2])) });
  const found = orThrow(await equilibrate({ by }).run<Tensor>({ ...given, operator })(referenceEnv())());
  const units: Params<Tensor> = found.state.solver.slots['units'];
  return [units['0'], units['2']].map(({ data }) => Array.from(data));
};

const expectNear = (found: ReadonlyArray<ReadonlyArray<number>>, expected: ReadonlyArray<ReadonlyArray<number>>) => {
  found.forEach((units, i) => units.forEach((u, j) => expect(u / expected[i][j]).toBeCloseTo(1, 12)));
};

it('by column one without curvature counts as a millionth of the mean of its block', async () => {
  const bound = 1 / Math.sqrt(2e-6);
  expectNear(await unitsOf('column', [4, 0, 4, 0], [1, 1]), [
    [0.5, bound, 0.5, bound],
    [1, 1],
  ]);
});

it('by block one with less than 1e-12 of the largest curvature counts as having that', async () => {
  const bound = 1 / Math.sqrt(4e-12);
  for (const curvature of [0, 1e-15]) {
    expectNear(
      await unitsOf(
        'block',
        Array.from({ length: 4 }, () => curvature),
        [4, 4],
      ),
      [
        [bound, bound, bound, bound],
        [0.5, 0.5],
      ],
    );
  }
});

it.each(['whole', 'block', 'column'] as const)('by %s none at all has the unit 1', async (by) => {
  const found = await unitsOf(by, [0, 0, 0, 0], [0, 0]);
  expectNear(found, [
    [1, 1, 1, 1],
    [1, 1],
  ]);
});
