import { withObjective } from '../../../../src/core/pipeline/withObjective.ts';
import { pipeline } from '../../../../src/core/pipeline/stage.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { parse } from 'yaml';

import { hostKernelBackend } from '../../../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { dense } from '../../../../src/core/nn/layers/dense.ts';
import { layerNorm } from '../../../../src/core/nn/layers/layerNorm.ts';
import { meanPool } from '../../../../src/core/nn/layers/meanPool.ts';
import { sequential } from '../../../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../../src/core/nn/model.ts';
import { mapParams } from '../../../../src/core/params.ts';
import type { TrainState } from '../../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { cast, tensor } from '../../../../src/core/tensor.ts';
import { composeOptimizer } from '../../../../src/pipelines/config/compose/compose.ts';
import { curvatures, estimators } from '../../../../src/pipelines/config/compose/curvatures.ts';
import {
  exampleComposition,
  examplePartition,
  referencePage,
} from '../../../../src/pipelines/config/compose/reference.ts';
import { inverses, solvers } from '../../../../src/pipelines/config/compose/solvers.ts';
import { decodeConfigFile } from '../../../../src/pipelines/config/file.ts';
import type { Optimizer } from '../../../../src/solvers/presets/optimizer.ts';
import { kfac } from '../../../../src/solvers/presets/kfac.ts';
import { partition } from '../../../../src/solvers/groups/partition.ts';
import { optimizerNames } from '../../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../../src/solvers/presets/sgd.ts';
import { scaledError } from '../../../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../../support/training.ts';
import { errorOf } from '../../support.ts';

const decode = composeOptimizer;

const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const batch = {
  inputs: gaussian(1, [12, 3]),
  targets: tensor(
    Array.from({ length: 12 }, (_, i) => i % 3),
    [12],
    'i32',
  ),
};

const start = stateOf(objective.model, 4);

const trained = async (
  optimizer: Optimizer,
  steps: number,
  env = referenceEnv(),
  targets = batch.targets,
): Promise<TrainState<Tensor>> => {
  const like = (x: Tensor): Tensor => (x.dtype === 'i32' ? x : cast(x, env.backend.dtype));
  const data = { inputs: like(batch.inputs), targets };
  const step = pipeline(withObjective(objective), optimizer.step);
  let state = { ...start, params: mapParams(start.params, like) };
  for (let i = 0; i < steps; i += 1) state = (await runStage(step, state, data, env)).next;
  return state;
};

const distance = (a: TrainState<Tensor>, b: TrainState<Tensor>): number =>
  Math.max(...Object.keys(a.params).map((path) => scaledError(a.params[path].data, b.params[path].data)));

/** One composition per curvature, on the model of these tests. */
const curvatureRows: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(Object.keys(curvatures).map((kind) => [kind, kind])),
  classKfac: { kind: 'classKfac', classes: 3 },
  'classKfac of two': { kind: 'classKfac', classes: 2 },
  bySite: {
    kind: 'bySite',
    parts: [{ sites: ['2'], curvature: { kind: 'classKfac', classes: 3 } }],
    rest: 'tridiagonalKfac',
  },
};

/** Which solver takes which curvature, written down by hand as the table’s oracle. */
const byFactors = ['kfac', 'kfra', 'blockKfac', 'diagonal', 'dense'];
const everything = Object.keys(curvatureRows).filter((kind) => kind !== 'gradientFactors');
const takes: Readonly<Record<string, ReadonlyArray<string>>> = {
  auto: everything,
  kroneckerInverse: byFactors,
  newtonSchulz: byFactors,
  lowRank: byFactors,
  eigen: byFactors,
  ekfac: byFactors,
  dense: [...byFactors, 'classKfac', 'classKfac of two'],
  twoTerm: [...byFactors, 'classKfac of two'],
  classWise: [...byFactors, 'classKfac', 'classKfac of two'],
  tridiagonal: ['tridiagonalKfac', ...byFactors],
  choleskySolve: byFactors,
  cg: everything,
  minres: everything,
  gmres: everything,
  bicgstab: everything,
  hss: everything,
  kfacCg: everything,
  shampoo: ['gradientFactors'],
  soap: ['gradientFactors'],
  woodbury: [],
  adam: [],
  muon: [],
  identity: [],
};

const compositionOf = (solver: string, curvature: unknown): Readonly<Record<string, unknown>> => ({
  estimator: curvature === 'gradientFactors' && solver !== 'woodbury' ? false : 'exact',
  curvature,
  solver: ['adam', 'muon', 'identity', 'soap'].includes(solver) ? solver : { kind: solver, damping: 0.5 },
  update: { learningRate: 0.1, rules: [{ kind: 'klClip', kappa: 0.1 }] },
});

describe('every curvature with every solver, from configuration', () => {
  const single = { backend: orThrow(hostKernelBackend('webasm')), clock: () => 0 };

  it('the table of solvers is complete', () => {
    expect(Object.keys(takes).sort()).toEqual(Object.keys(solvers).sort());
  });

  it.each(
    Object.entries(takes).flatMap(([solver, taken]) =>
      Object.keys(curvatureRows).map((c) => [solver, c, taken.includes(c)] as const),
    ),
  )('%s on %s: trains (%s), or names the solvers that do', async (solver, curvature, fits) => {
    const decoded = decode(compositionOf(solver, curvatureRows[curvature]));
    if (!fits) {
      const error = errorOf(decoded);
      expect(error).toMatchObject({ _tag: 'BadConfig' });
      if (solvers[solver] !== undefined && !['woodbury', 'adam', 'muon', 'identity'].includes(solver)) {
        const able = Object.keys(takes).filter((name) => takes[name].includes(curvature));
        expect(error).toMatchObject({
          path: 'optimizer.solver',
          expected: `one of ${able.join(', ')} with this curvature`,
        });
      } else expect(error).toMatchObject({ path: 'optimizer.curvature', expected: 'none with this solver' });
      return;
    }
    const { targets } = batch;
    const classes =
      curvature === 'classKfac of two'
        ? tensor(
            Array.from(targets.data, (c) => c % 2),
            [12],
            'i32',
          )
        : targets;
    const [low, high] = [
      await trained(orThrow(decoded), 2, single, classes),
      await trained(orThrow(decoded), 2, referenceEnv(), classes),
    ];
    expect(distance(high, start)).toBeGreaterThan(1e-6);
    expect(distance(low, high)).toBeLessThan(1e-3);
  });

  it.each(Object.keys(inverses))('preconditioner %s', async (preconditioner) => {
    const curvature = preconditioner === 'tridiagonal' ? 'tridiagonalKfac' : 'kfac';
    const solver = { kind: 'cg', damping: 0.5, preconditioner, tolerance: 1e-10 };
    const found = await trained(orThrow(decode({ ...compositionOf('cg', curvature), solver })), 1);
    const plain = await trained(
      orThrow(decode({ ...compositionOf('cg', curvature), solver: { ...solver, preconditioner: false } })),
      1,
    );
    expect(distance(found, plain)).toBeLessThan(1e-8);
  });

  it.each(Object.keys(estimators))('estimator %s, of half the batch every other step', async (kind) => {
    const windows = 'passesAtOnce' in estimators[kind].settings ? { passesAtOnce: 2 } : {};
    const estimator = { kind, fraction: 0.5, every: 2, biases: 'separate', ...windows };
    const state = await trained(orThrow(decode({ ...compositionOf('kroneckerInverse', 'kfac'), estimator })), 2);
    expect(state.curvature.updates).toBe(1);
  });

  it('solvers without curvature', async () => {
    for (const solver of ['adam', { kind: 'adam', beta1: 0.5 }, 'muon', 'identity']) {
      const state = await trained(orThrow(decode({ solver, update: { learningRate: 0.1 } })), 2);
      expect(distance(state, start)).toBeGreaterThan(1e-6);
    }
    const woodbury = { estimator: 'exact', solver: { kind: 'woodbury', damping: 0.5 } };
    expect(distance(await trained(orThrow(decode(woodbury)), 1), start)).toBeGreaterThan(1e-6);
  });
});

describe('what a composition says of positions', () => {
  // y = mean over t of w x_t, which is 2 w: the loss ½ (2 w)² at w = 1 has the gradient 4 and the curvature 4.
  const pooled = {
    model: model('pooled', [2, 1], sequential([dense({ in: 1, out: 1, bias: false }), meanPool()])),
    loss: squaredError,
  };
  const data = { inputs: tensor([1, 3], [1, 2, 1]), targets: tensor([0], [1, 1]) };
  const at = initialState({ '0.weight': tensor([1], [1, 1]) }, keyOf(1));
  const sharing = 'reduce';

  it.each([
    ['kfac and eigen', { curvature: { kind: 'kfac', sharing }, solver: { kind: 'eigen', damping: 0.5 } }],
    ['kfac and ekfac', { curvature: { kind: 'kfac', sharing }, solver: { kind: 'ekfac', damping: 0.5 } }],
    ['woodbury', { solver: { kind: 'woodbury', damping: 0.5, sharing } }],
  ])('worked example: %s reduced, one step of w from 1', async (name, parts) => {
    const step = pipeline(withObjective(pooled), orThrow(decode({ estimator: 'exact', ...parts })).step);
    const { next } = await runStage(step, at, data);
    // Exactly damped 1 − 4 / (4 + ½); with factored damping 1 − 4 / ((4 + δ_A) (1 + δ_G)), δ_A = 2 √½, δ_G = ½ √½.
    const [a, g] = [2 * Math.SQRT1_2, Math.SQRT1_2 / 2];
    const expected = name === 'woodbury' ? 1 - 4 / ((4 + a) * (1 + g)) : 1 - 4 / 4.5;
    expect(next.params['0.weight'].data[0]).toBeCloseTo(expected, 12);
  });

  it('gains without their cross terms, in woodbury as in kfac', async () => {
    const normed = { model: model('normed', [3], layerNorm({ features: 3 })), loss: squaredError };
    const from = stateOf(normed.model, 2);
    const seen = { inputs: gaussian(3, [6, 3]), targets: gaussian(4, [6, 3]) };
    const of = async (parts: Readonly<Record<string, unknown>>) =>
      (
        await runStage(
          pipeline(withObjective(normed), orThrow(decode({ estimator: 'exact', ...parts })).step),
          from,
          seen,
        )
      ).next.params;
    const scaleShift = 'diagonal';
    const [full, thin, kfacThin] = [
      await of({ solver: 'woodbury' }),
      await of({ solver: { kind: 'woodbury', scaleShift } }),
      await of({ curvature: { kind: 'kfac', scaleShift }, solver: 'kroneckerInverse' }),
    ];
    for (const path of Object.keys(full)) {
      expect(scaledError(thin[path].data, kfacThin[path].data)).toBeLessThan(1e-12);
      expect(scaledError(thin[path].data, full[path].data)).toBeGreaterThan(1e-3);
    }
  });
});

describe('composition', () => {
  it('law: a preset is a composition. kfac, part by part, takes the same steps bit for bit', async () => {
    const fraction = 0.5;
    const periods = { inverseEvery: 2, statisticsEvery: 2, dampingEvery: 2, settling: 0, share: 0 };
    const preset = kfac({
      ...periods,
      damping: 0.5,
      statisticsFraction: fraction,
      modelFraction: fraction,
      atLeast: 1,
    });
    const composed = decode({
      estimator: { kind: 'monteCarlo', every: 2, fraction },
      curvature: { kind: 'kfac', decay: 0.95 },
      equilibrate: 'block',
      solver: { kind: 'kroneckerInverse', damping: 0.5, every: 2 },
      update: {
        learningRate: 0.3,
        rules: [{ kind: 'momentum', mu: 0.8 }],
        quadraticModel: { fraction, bound: 1, every: 2, momentum: 'rules' },
        crossBatchDamping: { every: 2, raise: 0 },
      },
    });
    expect((await trained(orThrow(composed), 4)).params).toEqual((await trained(preset, 4)).params);
  });

  const base = {
    estimator: 'exact',
    curvature: 'kfac',
    solver: { kind: 'kroneckerInverse', damping: 0.5, every: 3 },
    update: { learningRate: 0.2 },
  };
  const decaying = (only: unknown) => ({
    ...base,
    update: { learningRate: 0.2, rules: [{ kind: 'weightDecay', weight: 0.5, only }] },
  });
  const modelled = { ...base, update: { quadraticModel: {} } };
  const judged = (crossBatchDamping: object) => ({ ...base, update: { quadraticModel: {}, crossBatchDamping } });
  const quadratic = { ...base, update: { quadraticModel: {}, levenbergMarquardt: { every: 1 } } };

  it.each([
    ['estimator', base, { estimator: 'empirical' }],
    ['curvature.decay', base, { curvature: { kind: 'kfac', decay: 0 } }],
    ['solver.damping', base, { solver: { ...base.solver, damping: 0.1 } }],
    ['solver.every', base, { solver: { ...base.solver, every: 1 } }],
    ['solver.every.drift', base, { solver: { ...base.solver, every: { drift: 1e-6 } } }],
    ['solver.staleness', base, { solver: { ...base.solver, every: 1, staleness: 1 } }],
    ['solver.siteDamping', base, { solver: { ...base.solver, siteDamping: { 2: 10 } } }],
    ['update.learningRate', base, { update: { learningRate: { kind: 'cosine', start: 0.2, steps: 3 } } }],
    ['update.rules', base, { update: { learningRate: 0.2, rules: [{ kind: 'clipByGlobalNorm', bound: 0.01 }] } }],
    ['update.rules.only', decaying('all'), decaying('weights')],
    ['update.rules.only', decaying('weights'), decaying(['0'])],
    ['update.normConstraint', base, { update: { learningRate: 0.2, normConstraint: 1e-4 } }],
    ['update.burnIn', base, { update: { learningRate: 0.2, burnIn: 2 } }],
    ['update.quadraticModel', base, { update: { quadraticModel: {} } }],
    ['update.quadraticModel.fraction', quadratic, { update: { quadraticModel: { fraction: 0.5 } } }],
    ['update.levenbergMarquardt', quadratic, { update: { quadraticModel: {} } }],
    ['update.quadraticModel.bound', modelled, { update: { quadraticModel: { bound: 1e-3 } } }],
    ['update.crossBatchDamping', modelled, { update: { quadraticModel: {}, crossBatchDamping: {} } }],
    ['update.crossBatchDamping.decay', judged({}), judged({ decay: 0.5 })],
    ['update.crossBatchDamping.every', judged({ decay: 0.5 }), judged({ decay: 0.5, every: 3 })],
    ['update.crossBatchDamping.minimum', judged({ decay: 0.5 }), judged({ decay: 0.5, minimum: 0.4 })],
    ['equilibrate: whole', base, { equilibrate: 'whole' }],
    ['equilibrate: block', { ...base, equilibrate: 'whole' }, { equilibrate: 'block' }],
    ['equilibrate: column', { ...base, equilibrate: 'block' }, { equilibrate: 'column' }],
  ])('option: %s changes the trajectory', async (_, before, change) => {
    const [a, b] = [
      await trained(orThrow(decode(before)), 4),
      await trained(orThrow(decode({ ...before, ...change })), 4),
    ];
    expect(distance(a, b)).toBeGreaterThan(1e-9);
  });

  it('two rules of one kind with names of their own have memories of their own', async () => {
    const rules = [
      { kind: 'momentum', mu: 0.5 },
      { kind: 'momentum', mu: 0.9, name: 'slow', only: ['2'] },
    ];
    const state = await trained(orThrow(decode({ ...base, update: { learningRate: 0.1, rules } })), 2);
    expect(Object.keys(state.rules)).toEqual(['momentum', 'slow']);
  });

  it('option: iterateAveraging keeps an average and leaves the trajectory', async () => {
    const averaged = { ...base, update: { learningRate: 0.2, iterateAveraging: { decay: 0.5 } } };
    const [a, b] = [await trained(orThrow(decode(base)), 3), await trained(orThrow(decode(averaged)), 3)];
    expect(b.params).toEqual(a.params);
    expect(Object.keys(b.rules)).toContain('averagedParams');
  });

  it('schedules nest: a warm-up times a cosine after ten steps of a constant', () => {
    const nested = {
      kind: 'after',
      first: 3,
      at: 10,
      second: {
        kind: 'product',
        of: [
          { kind: 'warmUp', steps: 2 },
          { kind: 'cosine', start: 4, steps: 8 },
        ],
      },
    };
    expect(E.isRight(decode({ ...base, update: { learningRate: nested } }))).toBe(true);
    for (const learningRate of [
      { kind: 'piecewise', start: 1, factor: 0.1, boundaries: [3, 5] },
      { kind: 'inverseSquareRoot', value: 1, steps: 10 },
      { kind: 'exponential', start: 1, factor: 0.5, steps: 10 },
      { kind: 'constant', value: 2 },
    ]) {
      expect(E.isRight(decode({ ...base, update: { learningRate } }))).toBe(true);
    }
  });

  it('reports what was set, by path', () => {
    const { name, hyperparameters } = orThrow(decode({ ...base, name: 'mine' }));
    expect(name).toBe('mine');
    expect(hyperparameters).toMatchObject({ curvature: 'kfac', 'solver.damping': 0.5, 'update.learningRate': 0.2 });
  });

  it.each<readonly [string, unknown, string, string, string]>([
    ['no solver', {}, 'solver', 'a solver', 'nothing'],
    ['no record', 3, '', 'the name of an optimizer, or a record with a solver', '3'],
    [
      'unknown part',
      { solvr: 'cg' },
      'solvr',
      'one of name, estimator, curvature, equilibrate, solver, update',
      'an unknown setting',
    ],
    [
      'unknown kind',
      { ...base, curvature: 'kfca' },
      'curvature.kind',
      `one of ${Object.keys(curvatures).join(', ')}`,
      '"kfca"',
    ],
    [
      'kind of a wrong type',
      { ...base, curvature: { kind: 3 } },
      'curvature.kind',
      `one of ${Object.keys(curvatures).join(', ')}`,
      '3',
    ],
    [
      'unknown setting',
      { ...base, solver: { kind: 'eigen', dampling: 1 } },
      'solver.dampling',
      'one of kind, damping, every, staleness, siteDamping',
      'an unknown setting',
    ],
    [
      'wrong value',
      { ...base, curvature: { kind: 'kfac', decay: 1 } },
      'curvature.decay',
      'a number from 0 to below 1',
      '1',
    ],
    [
      'missing value',
      { ...base, curvature: 'classKfac' },
      'curvature.classes',
      'a whole number from 1 to 4096',
      'nothing',
    ],
    [
      'wrong schedule',
      { ...base, solver: { kind: 'eigen', damping: { kind: 'cosine', steps: 3 } } },
      'solver.damping.start',
      'a finite number',
      'nothing',
    ],
    ['wrong rule', { ...base, update: { rules: ['klClip'] } }, 'update.rules.0.kappa', 'a number above 0', 'nothing'],
    ['wrong name', { ...base, name: 'a b' }, 'name', 'a name of at most 64 letters, digits and dashes', '"a b"'],
    [
      'no estimator',
      { ...base, estimator: false },
      'estimator',
      `one of ${Object.keys(estimators).join(', ')}`,
      'false',
    ],
    [
      'no curvature',
      { solver: 'eigen', estimator: 'exact' },
      'curvature',
      `one of ${Object.keys(curvatures).join(', ')}`,
      'nothing',
    ],
    [
      'an estimator for nothing',
      { solver: 'adam', estimator: 'exact' },
      'estimator',
      'none with this solver',
      '"exact"',
    ],
    [
      'bounds of λ that exclude each other',
      { ...base, update: { quadraticModel: {}, levenbergMarquardt: { minimum: 10, maximum: 1 } } },
      'update.levenbergMarquardt.minimum',
      'at most the maximum, 1',
      '10',
    ],
    [
      'adaptation without a model',
      { ...base, update: { levenbergMarquardt: {} } },
      'update.levenbergMarquardt',
      'false without quadraticModel',
      'a record',
    ],
    [
      'judging without a model',
      { ...base, update: { crossBatchDamping: {} } },
      'update.crossBatchDamping',
      'false without quadraticModel',
      'a record',
    ],
    [
      'two adaptations of λ',
      { ...base, update: { quadraticModel: {}, levenbergMarquardt: {}, crossBatchDamping: {} } },
      'update.crossBatchDamping',
      'false with levenbergMarquardt',
      'a record',
    ],
    [
      'bounds of a judged λ that exclude each other',
      { ...base, update: { quadraticModel: {}, crossBatchDamping: { minimum: 31 } } },
      'update.crossBatchDamping.minimum',
      'at most the maximum, 30',
      '31',
    ],
    [
      'a memory that forgets nothing',
      { ...base, update: { quadraticModel: {}, crossBatchDamping: { memory: 1 } } },
      'update.crossBatchDamping.memory',
      'a number from 0 to below 1',
      '1',
    ],
    [
      'a bound of nothing',
      { ...base, update: { quadraticModel: { bound: 0 } } },
      'update.quadraticModel.bound',
      'a number above 0, or false',
      '0',
    ],
    ['units of no kind', { ...base, equilibrate: 'row' }, 'equilibrate', 'one of none, whole, block, column', '"row"'],
    ...['adam', 'woodbury'].map((solver): readonly [string, unknown, string, string, string] => [
      `units without a curvature (${solver})`,
      { ...(solver === 'adam' ? {} : { estimator: 'exact' }), solver, equilibrate: 'block' },
      'equilibrate',
      'none without a curvature of captured statistics',
      '"block"',
    ]),
    [
      'units of statistics of gradients',
      { curvature: 'gradientFactors', solver: 'shampoo', equilibrate: 'whole' },
      'equilibrate',
      'none without a curvature of captured statistics',
      '"whole"',
    ],
    [
      'rules and a model',
      { ...base, update: { quadraticModel: {}, rules: [{ kind: 'momentum', mu: 0.5 }] } },
      'update.rules',
      'no rules with quadraticModel, unless its momentum is rules',
      'a list',
    ],
    [
      'two rules of one name',
      {
        ...base,
        update: {
          rules: [
            { kind: 'momentum', mu: 0.5 },
            { kind: 'momentum', mu: 0.9 },
          ],
        },
      },
      'update.rules',
      'rules whose names differ; name tells two of one kind apart',
      'a list',
    ],
    [
      'a rule for a selection that there is not',
      { ...base, update: { rules: [{ kind: 'momentum', mu: 0.5, only: 'biases' }] } },
      'update.rules.0.only',
      'all, weights, vectors, or a list of paths',
      '"biases"',
    ],
    [
      'a model without damping',
      { solver: 'adam', update: { quadraticModel: {} } },
      'update.quadraticModel',
      'false with a solver that has no damping',
      'a record',
    ],
    [
      'a constraint without curvature',
      { solver: 'adam', update: { normConstraint: 1 } },
      'update.normConstraint',
      'false without a curvature',
      '1',
    ],
  ])('refuses %s, with its path', (_, value, path, expected, actual) => {
    expect(errorOf(decode(value))).toEqual({
      _tag: 'BadConfig',
      path: path === '' ? 'optimizer' : `optimizer.${path}`,
      expected,
      actual,
    });
  });
});

describe('a partition', () => {
  const inner = { name: 'inner', estimator: 'exact', curvature: 'kfac', solver: { kind: 'eigen', damping: 0.5 } };
  const groups = [
    { name: 'still', parameters: ['0.bias'], optimizer: false },
    { name: 'weights', parameters: 'weights', optimizer: inner },
    { name: 'rest', parameters: 'rest', optimizer: 'sgd', settings: { learningRate: 0.1, momentum: 0 } },
  ];

  it('law: it is the partition of the library, with what each group is made of', async () => {
    const configured = orThrow(decode({ kind: 'partition', name: 'mine', groups }));
    const { step } = partition({
      still: { parameters: ['0.bias'], optimizer: null },
      weights: { parameters: 'weights', optimizer: orThrow(decode(inner)) },
      rest: { parameters: 'rest', optimizer: sgd({ learningRate: 0.1, momentum: 0 }) },
    });
    expect(configured.name).toBe('mine');
    expect(configured.hyperparameters).toMatchObject({
      'still.optimizer': 'none',
      'weights.optimizer': 'inner',
      'weights.solver.damping': 0.5,
      'rest.learningRate': 0.1,
    });
    const expected = { ...configured, step };
    expect((await trained(configured, 3)).params).toEqual((await trained(expected, 3)).params);
  });

  it('law: what it is made of makes it again', () => {
    const made = orThrow(decode({ kind: 'partition', groups }));
    expect(orThrow(decode(JSON.parse(JSON.stringify(made.parts)))).hyperparameters).toEqual(made.hyperparameters);
  });

  it('partitions nest', async () => {
    const nested = {
      kind: 'partition',
      groups: [{ name: 'all', parameters: 'all', optimizer: { kind: 'partition', groups } }],
    };
    const [ours, theirs] = [decode(nested), decode({ kind: 'partition', groups })].map(orThrow);
    expect((await trained(ours, 2)).params).toEqual((await trained(theirs, 2)).params);
  });

  const of = (...own: ReadonlyArray<unknown>) => ({ kind: 'partition', groups: own });
  const all = { name: 'all', parameters: 'all', optimizer: 'sgd' };

  it.each<readonly [string, unknown, string, string, string]>([
    [
      'another kind',
      { kind: 'partitions', groups },
      'kind',
      'partition, or no kind for one optimizer of parts',
      '"partitions"',
    ],
    ['no groups', { kind: 'partition' }, 'groups', 'a list of groups whose names differ', 'nothing'],
    ['a list of none', of(), 'groups', 'a list of groups whose names differ', 'a list'],
    ['two of one name', of(all, all), 'groups', 'a list of groups whose names differ', 'a list'],
    [
      'an unknown setting',
      of({ ...all, optimiser: 'sgd' }),
      'groups.0.optimiser',
      'one of name, parameters, optimizer, settings',
      'an unknown setting',
    ],
    [
      'an unknown preset',
      of(all, { ...all, name: 'b', optimizer: 'sdg' }),
      'groups.1.optimizer',
      `one of ${optimizerNames.join(', ')}`,
      '"sdg"',
    ],
    [
      'an unknown setting of a preset',
      of({ ...all, settings: { dampling: 1 } }),
      'groups.0.settings.dampling',
      'one of learningRate, momentum, weightDecay, decayed',
      'an unknown setting',
    ],
    [
      'a setting of a wrong type',
      of({ ...all, settings: { momentum: 'big' } }),
      'groups.0.settings.momentum',
      'a number from 0 to below 1',
      '"big"',
    ],
    [
      'settings of parts',
      of({ ...all, optimizer: inner, settings: { damping: 1 } }),
      'groups.0.settings',
      'no settings without the name of a preset',
      'a record',
    ],
    [
      'a wrong part within',
      of({ ...all, optimizer: { ...inner, solver: 'adam' } }),
      'groups.0.optimizer.curvature',
      'none with this solver',
      '"kfac"',
    ],
    [
      'no selection',
      of({ ...all, parameters: 'some' }),
      'groups.0.parameters',
      'rest, all, weights, vectors, or a list of paths',
      '"some"',
    ],
    [
      'no optimizer',
      of({ name: 'a', parameters: 'all' }),
      'groups.0.optimizer',
      'the name of a preset, or an optimizer of parts, or false',
      'nothing',
    ],
  ])('refuses %s, with its path', (_, value, path, expected, actual) => {
    expect(errorOf(decode(value))).toEqual({ _tag: 'BadConfig', path: `optimizer.${path}`, expected, actual });
  });
});

describe('iterations', () => {
  it.each(['cg', 'minres', 'gmres', 'bicgstab', 'hss', 'kfacCg', 'classWise'])(
    'have a limit, since a tolerance may be out of reach (%s)',
    (kind) => {
      const solver = { kind, maxIterations: 2 ** 53 - 1 };
      expect(errorOf(composeOptimizer({ estimator: 'exact', curvature: 'kfac', solver }))).toMatchObject({
        _tag: 'BadConfig',
        path: 'optimizer.solver.maxIterations',
        expected: 'a whole number from 1 to 10000',
      });
    },
  );
});

describe('reference page', () => {
  /** Without what the formatter decides: widths of columns. */
  const plain = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

  it('is what the tables say; WRITE_REFERENCE=1 writes it, npm run format aligns it', () => {
    const path = resolve('docs/optimizers.md');
    if (process.env['WRITE_REFERENCE'] !== undefined) writeFileSync(path, referencePage());
    expect(plain(readFileSync(path, 'utf8'))).toBe(plain(referencePage()));
  });

  it('its example is a configuration', () => {
    const { config } = orThrow(decodeConfigFile(exampleComposition, 'run.yaml'));
    expect(config.optimizer).toMatchObject({ name: 'chained-cg' });
    expect(Object.keys(parse(exampleComposition) as object)).toContain('optimizer');
  });

  it('its example of a partition is a configuration', () => {
    const { config } = orThrow(decodeConfigFile(examplePartition, 'run.yaml'));
    expect(config.optimizer).toMatchObject({
      hyperparameters: { 'head.optimizer': 'adam', 'body.optimizer': 'composed' },
    });
  });
});
