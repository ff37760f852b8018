import * as E from 'fp-ts/lib/Either.js';

import { describeError } from '../../../src/core/errors.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { classKfac } from '../../../src/curvature/classKfac.ts';
import { tridiagonalKfac } from '../../../src/curvature/tridiagonalKfac.ts';
import { tridiagonalInverse } from '../../../src/solvers/inverses/tridiagonalInverse.ts';
import { classWise } from '../../../src/solvers/iterative/classWise.ts';
import { hssSolver } from '../../../src/solvers/iterative/hssSolver.ts';
import { iterative } from '../../../src/solvers/iterative/iterative.ts';
import type { KfacCgNeeds } from '../../../src/solvers/iterative/kfacCg.ts';
import { kfacCg } from '../../../src/solvers/iterative/kfacCg.ts';
import { scaledError } from '../../support/closeness.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { RefreshOptions } from '../../../src/solvers/solver/refresh.ts';
import type { Solver, SolveNeeds } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { gaussian, mlp, runStage, stateOf, tryStage } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { ekfac } from '../../../src/solvers/inverses/ekfac.ts';
import { eigen } from '../../../src/solvers/inverses/eigen.ts';
import { autoInverse } from '../../../src/solvers/inverses/autoInverse.ts';
import { choleskySolve } from '../../../src/solvers/inverses/choleskySolve.ts';
import { classWiseInverse } from '../../../src/solvers/inverses/classWiseInverse.ts';
import { denseInverse } from '../../../src/solvers/inverses/denseInverse.ts';
import { lowRankInverse } from '../../../src/solvers/inverses/lowRankInverse.ts';
import { newtonSchulz } from '../../../src/solvers/inverses/newtonSchulz.ts';
import { twoTermSolve } from '../../../src/solvers/inverses/twoTermSolve.ts';
import type { Inverse } from '../../../src/solvers/solver/inverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const objective = { model: mlp([3, 4, 3, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [8, 3]), targets: gaussian(2, [8, 2]) };

type AnyNeeds = KfacCgNeeds | 'captured';

const stepWith = (solver: Solver<AnyNeeds>, damping = 0.3) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(kfac()),
    damp(damping),
    solve(solver),
  );

const run = (solver: Solver<AnyNeeds>, damping = 0.3) =>
  runStage(stepWith(solver, damping), stateOf(objective.model, 4), batch);

const inverses: ReadonlyArray<Inverse<'captured'>> = [
  kroneckerInverse,
  choleskySolve,
  eigen,
  ekfac(),
  newtonSchulz(),
  lowRankInverse({ rank: 2 }),
  denseInverse(),
  classWiseInverse(),
  twoTermSolve,
  autoInverse,
];

type Make = (options?: RefreshOptions) => Solver<SolveNeeds | 'captured'>;

const solvers: ReadonlyArray<readonly [string, Make]> = [
  ...inverses.map((inverse) => {
    const make: Make = (options) => preconditioned(inverse, options);
    return [inverse.name, make] as const;
  }),
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
  const { metrics } = await run(preconditioned(eigen, { siteDamping: { '0': 2, '2': 2 } }));
  expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['largestEigenvalue', 'largestEigenvalue.0+2']));
});

/** Solvers that iterate, each with and without a preconditioner. */
const iterating: ReadonlyArray<readonly [string, (options: RefreshOptions) => Solver<AnyNeeds>]> = [
  null,
  autoInverse,
].flatMap((preconditioner) => {
  const exact = { preconditioner, tolerance: 1e-12, maxIterations: 400, warmStart: 0 };
  const suffix = preconditioner === null ? '' : ', preconditioned';
  const methods = (['cg', 'minres', 'gmres', 'bicgstab'] as const).map(
    (method) =>
      [`${method}${suffix}`, (options: RefreshOptions) => iterative(method, { ...options, ...exact })] as const,
  );
  return [
    ...methods,
    [`hss${suffix}`, (options: RefreshOptions) => hssSolver({ ...options, ...exact, alpha: 1 })] as const,
    [`kfacCg${suffix}`, (options: RefreshOptions) => kfacCg({ ...options, ...exact, martens: null })] as const,
  ];
});

describe.each(iterating)('site damping with %s', (name, make) => {
  const directionOf = async (solver: Solver<AnyNeeds>, damping?: number) => (await run(solver, damping)).direction;

  it('law: factors of all sites are a factor on λ, and one of a single site changes that site', async () => {
    const all = await directionOf(make({ siteDamping: { '0': 10, '2': 10, '4': 10 } }));
    const [plain, strong] = [await directionOf(make({})), await directionOf(make({}), 3)];
    const mixed = await directionOf(make({ siteDamping: { '2': 10 } }));
    for (const [path, d] of Object.entries(strong)) expect(scaledError(all[path].data, d.data)).toBeLessThan(1e-8);
    expect(scaledError(mixed['2.weight'].data, plain['2.weight'].data)).toBeGreaterThan(1e-3);
    if (name.startsWith('kfacCg')) return; // the Gauss–Newton operator couples the sites
    expect(scaledError(mixed['2.weight'].data, strong['2.weight'].data)).toBeLessThan(1e-8);
    expect(scaledError(mixed['0.weight'].data, plain['0.weight'].data)).toBeLessThan(1e-8);
  });

  it('refuses an unknown site and a factor that is not above 0', async () => {
    for (const [siteDamping, path] of [
      [{ head: 2 }, 'siteDamping.head'],
      [{ '0': -1 }, 'siteDamping.0'],
    ] as const) {
      const step = stepWith(make({ siteDamping }));
      expect(await tryStage(step, stateOf(objective.model, 4), batch)).toMatchObject({ left: { path } });
    }
  });
});

it('class-wise conjugate gradients take the λ of their site', async () => {
  const classes = { ...batch, targets: tensor([0, 1, 1, 1, 0, 1, 1, 0], [8], 'i32') };
  const classifier = { model: objective.model, loss: softmaxCrossEntropy };
  const directionOf = async (options: RefreshOptions, damping = 0.3) => {
    const step = pipeline(
      withObjective(classifier),
      forward,
      backward,
      capture(exact()),
      updateFactors(classKfac({ classes: 2 })),
      damp(damping),
      solve(classWise({ ...options, method: 'cg', tolerance: 1e-12, maxIterations: 400 })),
    );
    return (await runStage(step, stateOf(classifier.model, 4), classes)).direction;
  };
  const [plain, strong] = [await directionOf({}), await directionOf({}, 3)];
  const mixed = await directionOf({ siteDamping: { '2': 10 } });
  expect(scaledError(mixed['2.weight'].data, strong['2.weight'].data)).toBeLessThan(1e-8);
  expect(scaledError(mixed['0.weight'].data, plain['0.weight'].data)).toBeLessThan(1e-8);
});

it.each([
  ['tridiagonalInverse on a chain', tridiagonalKfac()],
  ['tridiagonalInverse on blocks', kfac()],
])('is refused where an inverse has one λ: %s', async (_, curvature) => {
  const step = pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(curvature),
    damp(0.3),
    solve(preconditioned(tridiagonalInverse, { siteDamping: { '2': 10 } })),
  );
  const result = await tryStage(step, stateOf(objective.model, 4), batch);
  expect(E.isLeft(result) ? describeError(result.left) : '').toMatch(/block.* for siteDamping/);
});
