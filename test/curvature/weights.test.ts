import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense as denseLayer } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import type { Loss } from '../../src/core/nn/losses/loss.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { model } from '../../src/core/nn/model.ts';
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate, tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import { capture } from '../../src/curvature/capture.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { empirical, exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfra } from '../../src/curvature/kfra.ts';
import { sample } from '../../src/curvature/sample.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { batchWoodbury } from '../../src/solvers/inverses/batchWoodbury.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { kfacCg } from '../../src/solvers/iterative/kfacCg.ts';
import { levenbergMarquardt } from '../../src/solvers/quadraticModel/levenbergMarquardt.ts';
import { quadraticUpdate } from '../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { classifier, examplesOf, indices } from '../support/sequences.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { ops } = referenceEnv().backend;
const n = 8;
const classes = tensor([0, 1, 2, 0, 1, 2, 0, 1], [n], 'i32');

/** Every kind of site, and a loss with classes. */
const words: Objective = { model: classifier(3), loss: softmaxCrossEntropy };
const wordBatch = { inputs: indices(1, [n, 3]), targets: classes };

const numbers: Objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const numberBatch = { inputs: gaussian(1, [n, 3]), targets: classes };

const rows = (batch: Batch<Tensor>, count: number): Batch<Tensor> =>
  mapParams(batch, (x) => examplesOf(ops, x, 0, count));

/** 1 for the first half of the examples, 0 for the others. */
const mask = tensor([3, 3, 3, 3, 0, 0, 0, 0], [n]);

/** Each of the first examples twice, weighing half of what each of the others does. */
const halves = tensor([1, 1, 1, 1, 2, 2], [6]);

const agree = (ours: Params<Tensor>, theirs: Params<Tensor>): void => {
  expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  for (const [path, x] of Object.entries(theirs)) expect(scaledError(ours[path].data, x.data)).toBeLessThan(1e-10);
};

const matrixOf = async (
  objective: Objective,
  estimator: Estimator,
  curvature: Curvature,
  batch: Batch<Tensor>,
): Promise<Tensor> => {
  const curved = pipeline(withObjective(objective), forward, backward, capture(estimator), updateFactors(curvature));
  const { operator, gradient, blocks } = await runStage(curved, stateOf(objective.model, 4), batch);
  const shapes = mapParams(toBlocks(ops, blocks, gradient), ({ shape }) => shape);
  return materialiseBlocks(ops, operator, shapes);
};

const curvatures: ReadonlyArray<readonly [string, Objective, Batch<Tensor>, Curvature]> = [
  ['kfac', words, wordBatch, kfac()],
  ['kfac, reduced', words, wordBatch, kfac({ sharing: 'reduce' })],
  ['blockKfac', words, wordBatch, blockKfac({ blocks: { inputs: { count: 2 }, outputs: { count: 2 } } })],
  ['classKfac', words, wordBatch, classKfac({ classes: 3 })],
  ['diagonal', words, wordBatch, diagonal()],
  ['dense', words, wordBatch, dense()],
  ['tridiagonalKfac', numbers, numberBatch, tridiagonalKfac()],
  ['kfra', numbers, numberBatch, kfra()],
];

describe('weights of examples', () => {
  describe.each(curvatures)('%s', (_, objective, batch, curvature) => {
    it.each([exact(), empirical()].map((estimator) => [estimator.name, estimator] as const))(
      'law: with half the rows masked the Fisher is that of the other half. %s',
      async (_name, estimator) => {
        const masked = await matrixOf(objective, estimator, curvature, { ...batch, weights: mask });
        const half = await matrixOf(objective, estimator, curvature, rows(batch, n / 2));
        const whole = await matrixOf(objective, estimator, curvature, batch);
        expect(scaledError(masked.data, half.data)).toBeLessThan(1e-10);
        expect(scaledError(masked.data, whole.data)).toBeGreaterThan(1e-3);
      },
    );
  });

  it.each([
    ['softmaxCrossEntropy', numbers, numberBatch],
    [
      'squaredError',
      { model: mlp([3, 4, 2]), loss: squaredError },
      { inputs: gaussian(1, [n, 3]), targets: gaussian(2, [n, 2]) },
    ],
    [
      'sigmoidCrossEntropy',
      { model: mlp([3, 4, 2]), loss: sigmoidCrossEntropy },
      { inputs: gaussian(1, [n, 3]), targets: ops.sigmoid(gaussian(2, [n, 2])) },
    ],
  ] as const)('law: loss and gradient of a masked batch are those of what is left. %s', async (_, objective, batch) => {
    const step = pipeline(withObjective(objective), forward, backward);
    const state = stateOf(objective.model, 4);
    const masked = await runStage(step, state, { ...batch, weights: mask });
    const half = await runStage(step, state, rows(batch, n / 2));
    expect(masked.loss.data[0]).toBeCloseTo(half.loss.data[0], 12);
    agree(masked.gradient, half.gradient);
  });

  it('law: an example of weight 2 is two examples', async () => {
    const six = rows(numberBatch, 6);
    const twice = mapParams(six, (x) => ops.concat([x, examplesOf(ops, x, 4, 2)], 0));
    const step = pipeline(withObjective(numbers), forward, backward, capture(exact()), updateFactors(kfac()));
    const state = stateOf(numbers.model, 4);
    const [weighted, repeated] = [
      await runStage(step, state, { ...six, weights: halves }),
      await runStage(step, state, twice),
    ];
    expect(weighted.loss.data[0]).toBeCloseTo(repeated.loss.data[0], 12);
    agree(weighted.gradient, repeated.gradient);
    for (const [block, averages] of Object.entries(repeated.state.curvature.averages)) {
      agree(weighted.state.curvature.averages[block], averages);
    }
  });

  it('law: the scale of weights does not matter', async () => {
    const step = pipeline(withObjective(words), forward, backward, capture(exact()), updateFactors(kfac()));
    const state = stateOf(words.model, 4);
    const [one, seven] = [1, 7].map((c) => runStage(step, state, { ...wordBatch, weights: ops.scale(c, mask) }));
    agree((await one).gradient, (await seven).gradient);
    agree((await one).state.curvature.averages['head'], (await seven).state.curvature.averages['head']);
  });

  it.each([
    ['ekfac', preconditioned(ekfac())],
    ['kfacCg', kfacCg({ tolerance: 1e-14, martens: null })],
  ] as const)('law: the direction of a masked batch is that of what is left. %s', async (_, solver) => {
    const step = pipeline(
      withObjective(words),
      forward,
      backward,
      capture(exact()),
      updateFactors(kfac()),
      damp(0.1),
      solve(solver),
    );
    const state = stateOf(words.model, 4);
    const masked = await runStage(step, state, { ...wordBatch, weights: mask });
    const half = await runStage(step, state, rows(wordBatch, n / 2));
    agree(masked.direction, half.direction);
  });

  it('law: so is the direction of batchWoodbury, and the step of the quadratic model with its damping', async () => {
    const state = stateOf(words.model, 4);
    const woodbury = pipeline(
      withObjective(words),
      forward,
      backward,
      capture(exact()),
      damp(0.1),
      solve(batchWoodbury()),
    );
    const adaptive = pipeline(
      withObjective(words),
      forward,
      backward,
      capture(exact()),
      updateFactors(kfac()),
      damp(0.1),
      solve(preconditioned(ekfac())),
      quadraticUpdate,
      levenbergMarquardt({ every: 1 }),
    );
    const masked = { ...wordBatch, weights: mask };
    agree(
      (await runStage(woodbury, state, masked)).direction,
      (await runStage(woodbury, state, rows(wordBatch, 4))).direction,
    );
    const [ours, theirs] = [
      await runStage(adaptive, state, masked),
      await runStage(adaptive, state, rows(wordBatch, 4)),
    ];
    agree(ours.next.params, theirs.next.params);
    expect(ours.metrics['reductionRatio']).toBeCloseTo(Number(theirs.metrics['reductionRatio']), 8);
    expect(ours.next.scalars).toEqual(theirs.next.scalars);
  });

  it('a sample of the batch has the weights of its examples', async () => {
    const step = pipeline(withObjective(numbers), forward, backward, sample({ fraction: 0.5 }));
    const weights = gaussian(9, [n]);
    const { sample: drawn } = await runStage(step, stateOf(numbers.model, 4), {
      ...numberBatch,
      targets: tensor([0, 1, 2, 3, 4, 5, 6, 7], [n], 'i32'),
      weights: ops.square(weights),
    });
    const picked = Array.from(drawn.targets.data).map((i) => weights.data[i] ** 2);
    const mean = picked.reduce((sum, w) => sum + w, 0) / picked.length;
    expect(
      scaledError(
        drawn.weights?.examples.data ?? [],
        picked.map((w) => w / mean),
      ),
    ).toBeLessThan(1e-12);
  });

  it('a batch that is masked throughout has a loss and a gradient of 0', async () => {
    const step = pipeline(withObjective(numbers), forward, backward);
    const nothing = { ...numberBatch, weights: ops.full([n], 0) };
    const { loss, gradient } = await runStage(step, stateOf(numbers.model, 4), nothing);
    expect(loss.data[0]).toBe(0);
    for (const g of Object.values(gradient)) expect(new Set(Array.from(g.data, Math.abs))).toEqual(new Set([0]));
  });
});

describe('weights of positions', () => {
  /** Logits at every position. */
  const tagger: Objective = {
    model: model(
      'tagger',
      [4, 3],
      sequential([denseLayer({ in: 3, out: 5 }), activation('tanh'), denseLayer({ in: 5, out: 3 })]),
    ),
    loss: softmaxCrossEntropy,
  };
  const batch = { inputs: gaussian(1, [n, 4, 3]), targets: indices(2, [n, 4], 3) };
  const state = stateOf(tagger.model, 4);

  it('law: a masked position adds nothing to loss and gradient: padding may hold anything', async () => {
    const step = pipeline(withObjective(tagger), forward, backward);
    const weights = tensor(
      Array.from({ length: n * 4 }, (_, i) => (i % 4 < 2 ? 1 : 0)),
      [n, 4],
    );
    const short = mapParams(batch, (x) =>
      ops.slice(
        x,
        x.shape.map(() => 0),
        [n, 2, ...x.shape.slice(2)],
      ),
    );
    const [masked, cut] = [await runStage(step, state, { ...batch, weights }), await runStage(step, state, short)];
    expect(masked.loss.data[0]).toBeCloseTo(cut.loss.data[0], 12);
    agree(masked.gradient, cut.gradient);
  });

  it('law: examples masked at every position are not there, in the Fisher too', async () => {
    const weights = ops.broadcastTo(ops.reshape(mask, [n, 1]), [n, 4]);
    const masked = await matrixOf(tagger, exact(), kfac(), { ...batch, weights });
    const half = await matrixOf(tagger, exact(), kfac(), rows(batch, n / 2));
    expect(scaledError(masked.data, half.data)).toBeLessThan(1e-10);
  });

  describe('padding is not there, in the Fisher too', () => {
    /** Positions from `length` on are padding. */
    const cutAt = (length: number): Batch<Tensor> =>
      mapParams(batch, (x) =>
        ops.slice(
          x,
          x.shape.map(() => 0),
          [n, length, ...x.shape.slice(2)],
        ),
      );
    const lengths = [1, 2, 4, 3, 2, 2, 1, 4];
    const ragged = tensor(
      Array.from({ length: n * 4 }, (_, i) => (i % 4 < lengths[Math.floor(i / 4)] ? 1 : 0)),
      [n, 4],
    );
    const total = lengths.reduce((sum, length) => sum + length, 0);

    it.each([
      ['kfac', kfac()],
      ['kfac, reduced', kfac({ sharing: 'reduce' })],
      ['blockKfac', blockKfac({ blocks: { inputs: { count: 2 }, outputs: { count: 2 } } })],
      ['diagonal', diagonal()],
      ['dense', dense()],
      ['tridiagonalKfac', tridiagonalKfac()],
    ] as const)('law: room for more positions is no more positions. %s', async (_, curvature) => {
      const weights = tensor(
        Array.from({ length: n * 4 }, (__, i) => (i % 4 < 2 ? 3 : 0)),
        [n, 4],
      );
      for (const estimator of [exact(), empirical()]) {
        const padded = await matrixOf(tagger, estimator, curvature, { ...batch, weights });
        const cut = await matrixOf(tagger, estimator, curvature, cutAt(2));
        expect(scaledError(padded.data, cut.data)).toBeLessThan(1e-10);
      }
    });

    it('law: the block is that of the positions that count as examples, times how many an example has', async () => {
      const kept = Array.from({ length: n * 4 }, (_, i) => i).filter((i) => ragged.data[i] === 1);
      const picked = ops.constant(tensor(kept, [total], 'i32'));
      const flat = (x: Tensor): Tensor => ops.gather(ops.reshape(x, [n * 4, ...x.shape.slice(2)]), picked);
      const words: Objective = { ...tagger, model: { ...tagger.model, inputs: { inputs: [3] } } };
      const padded = await matrixOf(tagger, exact(), kfac(), { ...batch, weights: ragged });
      const apart = await matrixOf(words, exact(), kfac(), mapParams(batch, flat));
      expect(scaledError(padded.data, ops.scale(total / n, apart).data)).toBeLessThan(1e-10);
    });

    it.each([
      ['ekfac', preconditioned(ekfac())],
      ['kfacCg', kfacCg({ tolerance: 1e-14, martens: null })],
    ] as const)('law: the direction does not see what is in it. %s', async (_, solver) => {
      const step = pipeline(
        ...([withObjective(tagger), forward, backward, capture(exact()), updateFactors(kfac()), damp(0.1)] as const),
        solve(solver),
      );
      const other = ops.select(ops.reshape(ragged, [n, 4, 1]), batch.inputs, gaussian(7, [n, 4, 3]));
      const [one, two] = [
        await runStage(step, state, { ...batch, weights: ragged }),
        await runStage(step, state, { ...batch, inputs: other, weights: ragged }),
      ];
      expect(two.direction).toEqual(one.direction);
    });

    it('law: weights of 1 everywhere are none, with a sample as well', async () => {
      const weights = ops.full([n, 4], 1);
      const step = pipeline(
        ...([withObjective(tagger), forward, backward, sample({ fraction: 0.5 }), capture(exact())] as const),
        updateFactors(kfac()),
      );
      const [ones, none] = [await runStage(step, state, { ...batch, weights }), await runStage(step, state, batch)];
      agree(ones.state.curvature.averages['0'], none.state.curvature.averages['0']);
      agree(ones.state.curvature.averages['2'], none.state.curvature.averages['2']);
    });

    it('what weighs nothing but is looked at by what does counts: an index that only comes before the answer', async () => {
      const before = leaf({
        kind: 'before',
        label: 'sum of what came before',
        parameters: () => [],
        apply: (on, _params, _path, x) =>
          on.matmul(on.constant(generate([2, 4, 4], (i) => (i % 4 <= Math.floor((i % 16) / 4) ? 1 : 0))), x),
      });
      const layers = sequential([embedding({ vocabulary: 4, out: 3 }), before, denseLayer({ in: 3, out: 3 })]);
      const answering: Objective = { model: model('answering', [4], layers), loss: softmaxCrossEntropy };
      // Index 0 asks, 1 answers, 2 and 3 are padding, of which no position of the answer sees anything.
      const asked = {
        inputs: tensor([0, 1, 2, 3, 0, 1, 2, 2], [2, 4], 'i32'),
        targets: tensor([0, 1, 2, 0, 0, 1, 1, 1], [2, 4], 'i32'),
        weights: tensor([0, 1, 0, 0, 0, 1, 0, 0], [2, 4]),
      };
      const step = pipeline(
        ...([withObjective(answering), forward, backward, capture(exact()), updateFactors(kfac())] as const),
      );
      const { averages } = (await runStage(step, stateOf(answering.model, 1), asked)).state.curvature;
      expect(averages['0']['a'].data).toEqual(Float64Array.of(1, 1, 0, 0));
    });
  });

  it('refuses weights whose axes are not the first of the outputs', async () => {
    const loss: Loss = softmaxCrossEntropy;
    expect(() => loss.value(ops, gaussian(1, [2, 3]), tensor([0, 1], [2], 'i32'), gaussian(2, [3]))).toThrow('weights');
    await expect(
      runStage(pipeline(withObjective(tagger), forward), state, { ...batch, weights: gaussian(1, [n, 3]) }),
    ).rejects.toThrow('weights');
  });
});
