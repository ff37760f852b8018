import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Env } from '../../src/core/pipeline/env.ts';
import { hostKernelBackend } from '../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { apply, applyBlock } from '../../src/core/operators/apply.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Params } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { cast, generate, tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import type { CaptureOptions } from '../../src/curvature/capture.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { exact, forwardOnly } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { sharings } from '../../src/curvature/statistics/sharing.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { batchWoodbury } from '../../src/solvers/inverses/batchWoodbury.ts';
import { gaussNewtonAction } from '../../src/solvers/iterative/gaussNewton.ts';
import { iterative } from '../../src/solvers/iterative/iterative.ts';
import { kfacCg } from '../../src/solvers/iterative/kfacCg.ts';
import { optimizerNames, optimizerOf } from '../../src/solvers/presets/registry.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { factoredDamping } from '../support/factors.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { classifier, curved, imageClassifier, indices } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import type { Undamped } from '../support/withDamping.ts';
import { withDamping } from '../support/withDamping.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { tridiagonalInverse } from '../../src/solvers/inverses/tridiagonalInverse.ts';
import { denseInverse } from '../../src/solvers/inverses/denseInverse.ts';
import { lowRankInverse } from '../../src/solvers/inverses/lowRankInverse.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { eigen } from '../../src/solvers/inverses/eigen.ts';
import { newtonSchulz } from '../../src/solvers/inverses/newtonSchulz.ts';
import { classWise } from '../../src/solvers/iterative/classWise.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';

const { ops } = referenceEnv().backend;
const lambda = 0.05;

/** A model and its data. */
interface Setting {
  readonly objective: Objective;
  readonly batch: Batch<Tensor>;
  /** A single example, and a batch in which the first layer sees one thing only. */
  readonly thin: ReadonlyArray<Batch<Tensor>>;
  readonly blocks: ReadonlyArray<string>;
  /** The same where biases have blocks of their own. */
  readonly apart: ReadonlyArray<string>;
  /** The blocks that have a Kronecker basis. */
  readonly products: ReadonlyArray<string>;
}

const words: Setting = {
  objective: { model: classifier(3), loss: softmaxCrossEntropy },
  batch: { inputs: indices(1, [9, 3]), targets: indices(2, [9], 3) },
  thin: [
    { inputs: indices(1, [1, 3]), targets: indices(2, [1], 3) },
    { inputs: tensor(new Array<number>(27).fill(0), [9, 3], 'i32'), targets: indices(2, [9], 3) },
  ],
  blocks: ['words', 'norm', 'body', 'head'],
  apart: ['words', 'norm', 'norm.bias', 'body', 'body.bias', 'head', 'head.bias'],
  products: ['body', 'head', 'words'],
};

const pictures: Setting = {
  objective: { model: imageClassifier(), loss: softmaxCrossEntropy },
  batch: { inputs: gaussian(1, [9, 4, 3, 2]), targets: indices(2, [9], 3) },
  thin: [
    { inputs: gaussian(1, [1, 4, 3, 2]), targets: indices(2, [1], 3) },
    { inputs: ops.full([9, 4, 3, 2], 1), targets: indices(2, [9], 3) },
  ],
  blocks: ['filters', 'groups', 'back', 'back.bias', 'head'],
  apart: ['filters', 'filters.bias', 'groups', 'groups.bias', 'back', 'back.bias', 'head', 'head.bias'],
  products: ['back', 'filters', 'groups', 'head'],
};

/** One row per model; between them they have every kind of site. */
const settings: ReadonlyArray<readonly [string, Setting]> = [
  ['words', words],
  ['pictures', pictures],
];
const { objective, batch } = words;

const inTwo = { inputs: { count: 2 }, outputs: { count: 2 } };

type Damping = 'factored' | 'exact';

/** Factors with their damping, the definition of factored Tikhonov; λ on the diagonal of anything else. */
const dampedBlock = (block: BlockOperator<Tensor>): BlockOperator<Tensor> | null =>
  block._tag === 'kronecker' ? factoredDamping(block, lambda) : null;

type AnySolver = Solver<Undamped>;

/** How curvature is looked at: one row of this table is one way, which every pair takes. */
interface Looking {
  readonly estimator: Estimator;
  readonly options: CaptureOptions;
}

const plainly: Looking = { estimator: exact(), options: {} };

const lookings: ReadonlyArray<readonly [string, Looking]> = [
  ['', plainly],
  [', biases apart', { estimator: exact(), options: { biases: 'separate' } }],
  [', of inputs alone', { estimator: forwardOnly(), options: {} }],
];

/** One row per pair of a curvature and a solver, with the kind of its damping; a new solver joins here. */
const pairs: ReadonlyArray<readonly [string, Curvature, AnySolver, Damping]> = [
  ['kfac, kroneckerInverse', kfac(), withDamping(lambda, preconditioned(kroneckerInverse)), 'factored'],
  [
    'kfac reduced, kroneckerInverse',
    kfac({ sharing: 'reduce' }),
    withDamping(lambda, preconditioned(kroneckerInverse)),
    'factored',
  ],
  [
    'kfac of uncorrelated pixels, kroneckerInverse',
    kfac({ uncorrelated: true }),
    withDamping(lambda, preconditioned(kroneckerInverse)),
    'factored',
  ],
  [
    'kfac of uncorrelated pixels, eigen',
    kfac({ uncorrelated: true }),
    withDamping(lambda, preconditioned(eigen)),
    'exact',
  ],
  ['kfac, newtonSchulz', kfac(), withDamping(lambda, preconditioned(newtonSchulz({ tolerance: 1e-12 }))), 'factored'],
  [
    'kfac, lowRankInverse of full rank',
    kfac(),
    withDamping(lambda, preconditioned(lowRankInverse({ rank: 24 }))),
    'factored',
  ],
  ['kfac, batchWoodbury', kfac(), withDamping(lambda, batchWoodbury()), 'factored'],
  [
    'kfac reduced, batchWoodbury',
    kfac({ sharing: 'reduce' }),
    withDamping(lambda, batchWoodbury({ sharing: 'reduce' })),
    'factored',
  ],
  [
    'kfac, diagonal gain, batchWoodbury',
    kfac({ scaleShift: 'diagonal' }),
    withDamping(lambda, batchWoodbury({ scaleShift: 'diagonal' })),
    'factored',
  ],
  ['kfac, eigen', kfac(), withDamping(lambda, preconditioned(eigen)), 'exact'],
  ['kfac, denseInverse', kfac(), withDamping(lambda, preconditioned(denseInverse())), 'exact'],
  [
    'kfac, cg',
    kfac(),
    withDamping(lambda, iterative('cg', { tolerance: 1e-12, preconditioner: kroneckerInverse })),
    'exact',
  ],
  ['kfac, minres', kfac(), withDamping(lambda, iterative('minres', { tolerance: 1e-12 })), 'exact'],
  ['kfac, gmres', kfac(), withDamping(lambda, iterative('gmres', { tolerance: 1e-12 })), 'exact'],
  ['kfac, bicgstab', kfac(), withDamping(lambda, iterative('bicgstab', { tolerance: 1e-12 })), 'exact'],
  [
    'blockKfac, kroneckerInverse',
    blockKfac({ blocks: inTwo }),
    withDamping(lambda, preconditioned(kroneckerInverse)),
    'factored',
  ],
  [
    'blockKfac, newtonSchulz',
    blockKfac({ blocks: inTwo }),
    withDamping(lambda, preconditioned(newtonSchulz({ tolerance: 1e-12 }))),
    'factored',
  ],
  [
    'blockKfac, lowRankInverse of full rank',
    blockKfac({ blocks: inTwo }),
    withDamping(lambda, preconditioned(lowRankInverse({ rank: 24 }))),
    'factored',
  ],
  ['blockKfac, eigen', blockKfac({ blocks: inTwo }), withDamping(lambda, preconditioned(eigen)), 'exact'],
  [
    'blockKfac, denseInverse',
    blockKfac({ blocks: inTwo }),
    withDamping(lambda, preconditioned(denseInverse())),
    'exact',
  ],
  [
    'tridiagonalKfac, tridiagonalInverse',
    tridiagonalKfac(),
    withDamping(lambda, preconditioned(tridiagonalInverse)),
    'factored',
  ],
  [
    'classKfac, classWiseInverse',
    classKfac({ classes: 3 }),
    withDamping(lambda, classWise({ tolerance: 1e-12, maxIterations: 200 })),
    'factored',
  ],
  ['classKfac, denseInverse', classKfac({ classes: 3 }), withDamping(lambda, preconditioned(denseInverse())), 'exact'],
  ['diagonal, kroneckerInverse', diagonal(), withDamping(lambda, preconditioned(kroneckerInverse)), 'exact'],
  ['diagonal, eigen', diagonal(), withDamping(lambda, preconditioned(eigen)), 'exact'],
  ['dense, kroneckerInverse', dense(), withDamping(lambda, preconditioned(kroneckerInverse)), 'exact'],
  ['dense, newtonSchulz', dense(), withDamping(lambda, preconditioned(newtonSchulz({ tolerance: 1e-12 }))), 'exact'],
  ['dense, eigen', dense(), withDamping(lambda, preconditioned(eigen)), 'exact'],
  [
    'dense, lowRankInverse of full rank',
    dense(),
    withDamping(lambda, preconditioned(lowRankInverse({ rank: 72 }))),
    'exact',
  ],
  ['dense, denseInverse', dense(), withDamping(lambda, preconditioned(denseInverse())), 'exact'],
];

const vec = (v: Tensor): Tensor => ops.reshape(ops.transposed(v), [v.data.length, 1]);

const runOn =
  (setting: Setting) =>
  (
    curvature: Curvature,
    solver: AnySolver,
    data = setting.batch,
    env?: Env<Tensor>,
    from?: TrainState<Tensor>,
    { estimator, options }: Looking = plainly,
  ) =>
    runStage(
      pipeline(curved(setting.objective, curvature, estimator, options), solve(solver)),
      from ?? stateOf(setting.objective.model, 3),
      data,
      env,
    );

const run = runOn(words);

const inner = (x: Params<Tensor>, y: Params<Tensor>): number =>
  Object.keys(x).reduce((sum, path) => sum + ops.dot(x[path], y[path]).data[0], 0);

const rows = settings.flatMap(([name, setting]) =>
  lookings.flatMap(([way, looking]) =>
    pairs.map(([pair, ...rest]) => [`${name}, ${pair}${way}`, setting, looking, ...rest] as const),
  ),
);

describe.each(rows)('models with every kind of site: %s', (_, setting, looking, curvature, solver, damping) => {
  const { batch } = setting;
  const run = (data = batch) => runOn(setting)(curvature, solver, data, referenceEnv(), undefined, looking);
  it('law: residual, the damped matrix of each block applied to the direction gives the gradient back', async () => {
    const { operator, direction, gradient, blocks } = await run();
    const [d, g] = [direction, gradient].map((tree) => toBlocks(ops, blocks, tree));
    const found = 'blocks' in operator ? operator.blocks : {};
    expect(Object.keys(found)).toEqual(looking.options.biases === 'separate' ? setting.apart : setting.blocks);
    for (const [name, block] of Object.entries(found)) {
      const factored = damping === 'factored' ? dampedBlock(block) : null;
      const matrix =
        factored === null
          ? ops.addDiagonal(materialise(ops, block, g[name].shape), lambda)
          : materialise(ops, factored, g[name].shape);
      expect(scaledError(ops.matmul(matrix, vec(d[name])).data, vec(g[name]).data)).toBeLessThan(1e-8);
    }
  });

  it('law: a descent direction, also of a single example and of one word only', async () => {
    for (const data of [batch, ...setting.thin]) {
      const { direction, gradient } = await run(data);
      expect(inner(direction, gradient)).toBeGreaterThan(0);
    }
  });
});

describe.each(rows.filter(([, , looking]) => looking === plainly))('in f32: %s', (_, setting, looking, ...rest) => {
  const { objective, batch } = setting;
  const [curvature, solver] = rest;
  const run = (env?: Env<Tensor>, from?: TrainState<Tensor>) =>
    runOn(setting)(curvature, solver, batch, env, from, looking);

  it('within 1e-3 of f64', async () => {
    const env = { backend: orThrow(hostKernelBackend('webasm')), clock: () => 0 };
    const start = stateOf(objective.model, 3);
    const low = await run(env, {
      ...start,
      params: mapParams(start.params, (p) => cast(p, 'f32')),
    });
    const high = await run();
    for (const [path, d] of Object.entries(high.direction)) {
      expect(scaledError(low.direction[path].data, d.data)).toBeLessThan(1e-3);
    }
  });
});

describe.each(settings)('EKFAC on every kind of site: %s', (_, setting) => {
  const run = runOn(setting);
  it('law: residual, (U diag(S) Uᵀ + λ I) d = ∇ with S by index at the embedding, and F + λ I at the gain', async () => {
    const { operator, direction, gradient, sites, state } = await run(
      kfac(),
      withDamping(lambda, preconditioned(ekfac())),
    );
    const blocks = blocksOf(sites, Object.keys(state.params));
    const [d, g] = [direction, gradient].map((tree) => toBlocks(ops, blocks, tree));
    const prepared = state.solver.prepared;
    const curvatures = 'blocks' in operator ? operator.blocks : {};
    if (prepared?._tag !== 'blockDiagonal') throw new Error('expected blocks');
    expect(Object.keys(state.solver.slots['ekfac']).sort()).toEqual(setting.products);
    for (const [name, inverse] of Object.entries(prepared.blocks)) {
      const S = state.solver.slots['ekfac'][name];
      const block: BlockOperator<Tensor> = inverse._tag === 'eigenKronecker' ? { ...inverse, S } : curvatures[name];
      const matrix = ops.addDiagonal(materialise(ops, block, g[name].shape), lambda);
      expect(scaledError(ops.matmul(matrix, vec(d[name])).data, vec(g[name]).data)).toBeLessThan(1e-8);
    }
  });

  it('law: S is the diagonal of the Fisher in the basis, with positions summed, whatever K-FAC takes them for', async () => {
    for (const sharing of sharings) {
      const { state } = await run(kfac({ sharing }), withDamping(lambda, preconditioned(ekfac())));
      const full = await run(dense(), withDamping(lambda, preconditioned(denseInverse())));
      const truth = 'blocks' in full.operator ? full.operator.blocks : {};
      const bases = state.solver.prepared?._tag === 'blockDiagonal' ? state.solver.prepared.blocks : {};
      for (const [name, S] of Object.entries(state.solver.slots['ekfac'])) {
        const block = bases[name];
        if (block._tag !== 'eigenKronecker') throw new Error('expected a basis');
        const F = materialise(ops, truth[name], S.shape);
        const moments = Array.from(S.data, (_, i) => {
          // Of a unit S the operator is u uᵀ: of a vector of unit length along u it makes u, and the moment along that is uᵀ F u.
          const project = (v: Tensor): Tensor =>
            applyBlock(ops, { ...block, S: generate(S.shape, (at) => (at === i ? 1 : 0)) }, v);
          const along = project(gaussian(i, S.shape));
          const u = project(ops.div(along, ops.sqrt(ops.dot(along, along))));
          return ops.dot(vec(u), ops.matmul(F, vec(u))).data[0];
        });
        moments.forEach((moment, i) => expect(moment).toBeCloseTo(S.data[i], 12));
      }
    }
  });
});

describe('EKFAC at a gain', () => {
  it('the full block of a gain stays between refreshes', async () => {
    const solver = withDamping(lambda, preconditioned(ekfac(), { every: 2 }));
    const first = await run(kfac(), solver);
    const later = await run(kfac(), solver, { ...batch, inputs: indices(7, [9, 3]) }, referenceEnv(), {
      ...first.state,
      step: 1,
    });
    const at = ({ state }: typeof first): unknown => {
      const { prepared } = state.solver;
      return prepared?._tag === 'blockDiagonal' ? prepared.blocks['norm'] : null;
    };
    expect(at(later)).toEqual(at(first));
    expect(at(first)).toMatchObject({ _tag: 'lowRank' });
  });
});

describe.each(settings)('Gauss–Newton on every kind of site: %s', (_, setting) => {
  const { objective, batch } = setting;
  const run = runOn(setting);
  it('law: residual, (E[Jᵀ H J] + λ I) d = ∇ with the K-FAC preconditioner', async () => {
    const step = pipeline(curved(objective, kfac()), damp(lambda), solve(kfacCg({ tolerance: 1e-12, martens: null })));
    const context = await runStage(step, stateOf(objective.model, 3), batch);
    const blocks = blocksOf(context.sites, Object.keys(context.state.params));
    const [d, g] = [context.direction, context.gradient].map((tree) => toBlocks(ops, blocks, tree));
    const image = gaussNewtonAction<Tensor>(context)(ops, d);
    for (const name of Object.keys(g)) {
      expect(scaledError(ops.linearCombination(1, image[name], lambda, d[name]).data, g[name].data)).toBeLessThan(1e-8);
    }
  });

  it('law: the operator of dense curvature is the Gauss–Newton matrix on each block', async () => {
    const context = await run(dense(), withDamping(lambda, preconditioned(denseInverse())));
    const blocks = blocksOf(context.sites, Object.keys(context.state.params));
    const g = toBlocks(ops, blocks, context.gradient);
    for (const { name } of blocks) {
      const only = mapParams(g, (x, at) => (at === name ? x : ops.full(x.shape, 0)));
      const expected = gaussNewtonAction<Tensor>(context)(ops, only)[name];
      expect(scaledError(apply(ops, context.operator, only)[name].data, expected.data)).toBeLessThan(1e-12);
    }
  });
});

describe.each(settings)('presets on every kind of site: %s', (_, { objective, batch }) => {
  const extra = { 'class-kfac': { classes: 3 } } as const;

  it.each(optimizerNames)('%s lowers the loss', async (name) => {
    const step = pipeline(
      withObjective(objective),
      orThrow(optimizerOf(name, name === 'class-kfac' ? extra[name] : {})).step,
    );
    let state = stateOf(objective.model, 3);
    const losses: Array<number> = [];
    // Some steps may not be taken before the first is.
    for (let i = 0; i < 12; i += 1) {
      const { next, metrics } = await runStage(step, state, batch);
      const { loss } = metrics;
      losses.push(typeof loss === 'number' ? loss : loss.data[0]);
      state = next;
    }
    expect(losses[11]).toBeLessThan(losses[0]);
  });
});

describe('options of presets', () => {
  const extra = { 'class-kfac': { classes: 3 } } as const;

  it.each([
    'kfac',
    'kfac-adaptive',
    'kfac-cg',
    'ekfac',
    'block-kfac',
    'class-kfac',
    'tridiagonal-kfac',
    'newton-schulz-kfac',
    'low-rank-kfac',
  ])('options: sharing, scaleShift and biases change the direction of %s', async (name) => {
    const directionOf = async (changed: Readonly<Record<string, string>>): Promise<Params<Tensor>> => {
      const classes = name === 'class-kfac' ? extra[name] : {};
      // A short step, which is taken.
      const settings = { lossBound: 1e-3, ...classes, ...changed };
      const step = pipeline(withObjective(objective), orThrow(optimizerOf(name, settings)).step);
      const context = await runStage(step, stateOf(objective.model, 3), batch);
      return context.next.params;
    };
    const base = await directionOf({});
    for (const changed of [{ sharing: 'reduce' }, { scaleShift: 'diagonal' }, { biases: 'separate' }]) {
      const other = await directionOf(changed);
      const gaps = Object.keys(base).map((path) => scaledError(base[path].data, other[path].data));
      expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
    }
  });

  it.each(optimizerNames)('%s: an index outside the vocabulary is the error, or the loss is NaN', async (name) => {
    const step = pipeline(
      withObjective(objective),
      orThrow(optimizerOf(name, name === 'class-kfac' ? extra[name] : {})).step,
    );
    const inputs = tensor(Array.from(batch['inputs'].data).fill(8, 4, 5), batch['inputs'].shape, 'i32');
    const outcome = await tryStage(step, stateOf(objective.model, 3), { ...batch, inputs });
    // Where nothing is factorised or solved for, nothing fails: the loss says that something is wrong.
    if (['adam', 'adamw', 'muon', 'sgd'].includes(name)) {
      const { loss } = orThrow(outcome).metrics;
      expect(typeof loss === 'number' ? loss : loss.data[0]).toBeNaN();
      return;
    }
    expect(outcome).toEqual({
      _tag: 'Left',
      left: {
        _tag: 'BadData',
        source: 'the batch',
        expected: 'indices from 0 to 4, the rows of the table at words',
        actual: '8 in example 1, at position 1',
        advice: 'Give the embedding a larger vocabulary, or repair the example.',
      },
    });
  });
});
