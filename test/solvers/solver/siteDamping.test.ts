import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { eigen } from '../../../src/solvers/inverses/eigen.ts';
import { ekfac } from '../../../src/solvers/inverses/ekfac.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { RefreshOptions } from '../../../src/solvers/solver/refresh.ts';
import type { Solver, SolveNeeds } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { gaussian, mlp, runStage, stateOf, tryStage } from '../../support/training.ts';

const objective = { model: mlp([3, 4, 3, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [8, 3]), targets: gaussian(2, [8, 2]) };

const stepWith = (solver: Solver<SolveNeeds | 'captured'>, damping = 0.3) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(kfac()),
    damp(damping),
    solve(solver),
  );

const run = (solver: Solver<SolveNeeds | 'captured'>, damping = 0.3) =>
  runStage(stepWith(solver, damping), stateOf(objective.model, 4), batch);

const solvers: ReadonlyArray<readonly [string, (options?: RefreshOptions) => Solver<SolveNeeds | 'captured'>]> = [
  ['kroneckerInverse', kroneckerInverse],
  ['eigen', eigen],
  ['ekfac', ekfac],
];

describe.each(solvers)('site damping with %s', (_, solver) => {
  it('law: a site with factor f is solved with f λ, the others with λ', async () => {
    const mixed = await run(solver({ siteDamping: { '2': 10 } }));
    const [plain, strong] = [await run(solver()), await run(solver(), 3)];
    for (const site of ['0', '4']) {
      expect(mixed.direction[`${site}.weight`]).toEqual(plain.direction[`${site}.weight`]);
    }
    expect(mixed.direction['2.weight']).toEqual(strong.direction['2.weight']);
    expect(mixed.direction['2.weight']).not.toEqual(plain.direction['2.weight']);
    expect(Object.keys(mixed.direction)).toEqual(Object.keys(plain.direction));
    expect(mixed.metrics['damping']).toBe(0.3);
  });

  it.each([
    ['an unknown site', { head: 2 }, 'siteDamping.head', 'one of 0, 2, 4'],
    ['a factor of 0', { '0': 0 }, 'siteDamping.0', 'a finite number above 0'],
    ['a factor that is not a number', { '0': Number.NaN }, 'siteDamping.0', 'a finite number above 0'],
  ])('refuses %s', async (_case, siteDamping, path, expected) => {
    const step = stepWith(solver({ siteDamping }));
    expect(await tryStage(step, stateOf(objective.model, 4), batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path, expected },
    });
  });
});

it('metrics of sites with a factor carry the sites’ names', async () => {
  const { metrics } = await run(eigen({ siteDamping: { '0': 2, '2': 2 } }));
  expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['largestEigenvalue', 'largestEigenvalue.0+2']));
});
