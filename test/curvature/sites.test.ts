import fc from 'fast-check';

import { dense as denseLayer } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import { layerNorm } from '../../src/core/nn/layers/layerNorm.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { scaleShift } from '../../src/core/nn/layers/scaleShift.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { kroneckerOf } from '../../src/core/operators/blockOperator.ts';
import { dense as matrix, identity } from '../../src/core/operators/factors/factor.ts';
import type { DenseSite, EmbeddingSite, ScaleShiftSite } from '../../src/core/ops/site.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import { fromBlocks, toBlocks } from '../../src/curvature/blocks.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { dense, fisherStatistics } from '../../src/curvature/dense.ts';
import { diagonal, diagonalStatistics } from '../../src/curvature/diagonal.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfra } from '../../src/curvature/kfra.ts';
import { denseStatistics } from '../../src/curvature/sites/dense.ts';
import { eigenMoments } from '../../src/curvature/sites/eigenMoments.ts';
import { embeddingStatistics, indexCounts } from '../../src/curvature/sites/embedding.ts';
import { scaleShiftStatistics } from '../../src/curvature/sites/scaleShift.ts';
import { orderOfSite, perExampleGradients, siteStatistics } from '../../src/curvature/sites/statistics.ts';
import { combine } from '../../src/curvature/statistics/statistics.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { scaledError } from '../support/closeness.ts';
import { frequenciesOf } from '../support/factors.ts';
import { classifier, curved, examplesOf, fisherOf, indices } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

const words: EmbeddingSite = { kind: 'embedding', path: 'e', weight: 'e.weight', bias: null, vocabulary: 4 };
const gains: ScaleShiftSite = { kind: 'scaleShift', path: 'g', weight: 'g.weight', bias: 'g.bias' };
const weights: DenseSite = { kind: 'dense', path: 'd', weight: 'd.weight', bias: 'd.bias' };

/** What sites of every kind see on n examples of t positions, with two passes. */
const captures = (seed: number, n: number, t: number) => [
  {
    site: words,
    input: indices(seed, [n, t], 4),
    cotangents: [gaussian(seed + 1, [n, t, 3]), gaussian(seed + 2, [n, t, 3])],
  },
  {
    site: gains,
    input: gaussian(seed, [n, t, 3]),
    cotangents: [gaussian(seed + 1, [n, t, 3]), gaussian(seed + 2, [n, t, 3])],
  },
  {
    site: weights,
    input: gaussian(seed, [n, t, 2]),
    cotangents: [gaussian(seed + 1, [n, t, 3]), gaussian(seed + 2, [n, t, 3])],
  },
];

const operatorAt = async (
  objective: Parameters<typeof curved>[0],
  curvature: Curvature,
  state: ReturnType<typeof stateOf>,
  batch: Batch<Tensor>,
): Promise<Readonly<Record<string, BlockOperator<Tensor>>>> => {
  const { operator } = await runStage(curved(objective, curvature), state, batch);
  if (!('blocks' in operator)) throw new Error('expected blocks');
  return operator.blocks;
};

describe('one example, one layer, exact estimation', () => {
  const cases = [
    ['embedding', model('e', [], embedding({ vocabulary: 4, out: 3 })), indices(1, [1], 4), [3, 4]],
    ['scaleShift', model('g', [3], scaleShift({ features: 3 })), gaussian(2, [1, 3]), [3, 2]],
    ['layerNorm', model('n', [3], layerNorm({ features: 3, shift: false })), gaussian(2, [1, 3]), [3, 1]],
    ['dense', model('d', [2], denseLayer({ in: 2, out: 3 })), gaussian(2, [1, 2]), [3, 3]],
  ] as const;

  it.each(cases)(
    'law: the block of %s is the Fisher block, A ⊗ G = E[vec(V) vec(V)ᵀ]',
    async (_, network, x, shape) => {
      const objective = { model: network, loss: softmaxCrossEntropy };
      const state = stateOf(network, 5);
      const [block] = blocksOf(
        (await runStage(curved(objective, kfac()), state, { inputs: x, targets: ops.full([1, 3], 1 / 3) })).sites,
        Object.keys(state.params),
      );
      const expected = fisherOf(ops, objective, state.params, x, block);
      const found = await operatorAt(objective, kfac(), state, { inputs: x, targets: ops.full([1, 3], 1 / 3) });
      const [operator] = Object.values(found);
      expect(scaledError(materialise(ops, operator, shape).data, expected.data)).toBeLessThan(1e-13);
    },
  );
});

describe('dense and diagonal curvature of every kind of site', () => {
  const objective = { model: classifier(4), loss: softmaxCrossEntropy };
  const state = stateOf(objective.model, 3);
  const batch = { inputs: indices(1, [6, 4]), targets: indices(2, [6], 3) };

  it('law: dense is the Fisher of the gradients of single examples, with positions summed', async () => {
    const { operator, sites } = await runStage(curved(objective, dense()), state, batch);
    const found = 'blocks' in operator ? operator.blocks : {};
    const blocks = blocksOf(sites, Object.keys(state.params));
    expect(blocks.map(({ name }) => name)).toEqual(['words', 'norm', 'body', 'head']);
    const shapes = mapParams(toBlocks(ops, blocks, state.params), ({ shape }) => shape);
    expect(shapes).toEqual({ words: [3, 5], norm: [3, 2], body: [4, 4], head: [3, 5] });
    for (const block of blocks) {
      const expected = fisherOf(ops, objective, state.params, batch.inputs, block);
      const actual = materialise(ops, found[block.name], shapes[block.name]);
      expect(scaledError(actual.data, expected.data)).toBeLessThan(1e-12);
    }
  });

  it('law: diagonal is the diagonal of dense', async () => {
    const [full, thin] = [
      await operatorAt(objective, dense(), state, batch),
      await operatorAt(objective, diagonal(), state, batch),
    ];
    for (const [name, block] of Object.entries(thin)) {
      if (block._tag !== 'diagonal') throw new Error('expected a diagonal');
      const matrix = materialise(ops, full[name], block.values.shape);
      const order = matrix.shape[0];
      const expected = Array.from({ length: order }, (_, i) => matrix.data[i * order + i]);
      expect(scaledError(ops.transposed(block.values).data, expected)).toBeLessThan(1e-13);
    }
  });

  it('law: the order of a site is the length of its rows, and dense refuses more by name', async () => {
    for (const seen of captures(1, 2, 3))
      expect(perExampleGradients(ops, seen)[0].shape).toEqual([2, orderOfSite(seen)]);
    const refused = await tryStage(curved(objective, dense({ limit: 14 })), state, batch);
    expect(refused).toMatchObject({ left: { _tag: 'BadConfig', path: 'words', actual: '15 parameters' } });
  });
});

describe('statistics of an embedding', () => {
  it('worked example: indices (2, 0), (2, 2) of four, with g = 1, 2, 3, 4', () => {
    const seen = {
      site: words,
      input: tensor([2, 0, 2, 2], [2, 2], 'i32'),
      cotangents: [tensor([1, 2, 3, 4], [2, 2, 1])],
    };
    const { sums, weight } = embeddingStatistics(ops, seen);
    expect(Array.from(sums['a'].data)).toEqual([1, 0, 3, 0]);
    // The mean over two positions of 1 + 4 + 9 + 16.
    expect([Array.from(sums['G'].data), weight]).toEqual([[15], 2]);
    // Sums by example before squares: index 2 has 1² + (3 + 4)², index 0 has 2².
    expect(Array.from(diagonalStatistics(ops, seen).sums['second'].data)).toEqual([4, 0, 50, 0]);
  });

  it('law: a is the diagonal of the gram of one-hot vectors, which has nothing beside it, and the block is that of a dense site on them', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), (seed, n, t) => {
        const [seen] = captures(seed, n, t);
        const hot = { site: { ...weights, bias: null }, input: ops.oneHot(seen.input, 4), cotangents: seen.cotangents };
        const expected = denseStatistics(ops, hot).sums;
        const { a, G } = siteStatistics(ops, seen).sums;
        const I = ops.addDiagonal(ops.full([4, 4], 0), 1);
        expect(ops.mul(I, a)).toEqual(expected['A']);
        expect(G).toEqual(expected['G']);
        const basis = { UA: identity(4), UG: matrix(gaussian(seed + 9, [3, 3])) };
        const S = eigenMoments(ops, { ...seen, site: words }, basis).sums['S'];
        const onHot = eigenMoments(ops, hot, { ...basis, UA: matrix(I) }).sums['S'];
        expect(scaledError(S.data, onHot.data)).toBeLessThan(1e-13);
        expect(
          scaledError(fisherStatistics(ops, seen, 99).sums['F'].data, fisherStatistics(ops, hot, 99).sums['F'].data),
        ).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('law: no array has more elements than the table, the examples or G', () => {
    // 10^5 words, which as one-hot vectors of 64 examples would be 6.4 million numbers, and as a matrix 10^10.
    const site = { ...words, vocabulary: 100_000 };
    const largest: Array<number> = [];
    const counting = {
      ...ops,
      scatterAdd: (at: Tensor, updates: Tensor, rows: number): Tensor => {
        const made = ops.scatterAdd(at, updates, rows);
        largest.push(made.data.length);
        return made;
      },
      oneHot: () => {
        throw new Error('a one-hot vector');
      },
    };
    const seen = { site, input: indices(1, [64], 100_000), cotangents: [gaussian(2, [64, 2])] };
    const { a, G } = embeddingStatistics(counting, seen).sums;
    expect([a.shape, G.shape, largest]).toEqual([[100_000], [2, 2], [100_000]]);
  });

  it('an index outside the vocabulary is not counted', () => {
    const seen = { site: words, input: tensor([4, 1, -1], [3], 'i32'), cotangents: [ops.full([3, 1], 1)] };
    expect(Array.from(indexCounts(ops, seen).data)).toEqual([0, 1, 0, 0]);
  });
});

describe('statistics of gain and shift', () => {
  it('worked example: one example with a = (1, 2), (3, 4) and g = (1, 0), (1, 1): gradients (4, 4) and (2, 1)', () => {
    const seen = { site: gains, input: tensor([1, 2, 3, 4], [1, 2, 2]), cotangents: [tensor([1, 0, 1, 1], [1, 2, 2])] };
    const v = [4, 4, 2, 1];
    const { sums, weight } = scaleShiftStatistics(ops, seen);
    expect(Array.from(sums['F'].data)).toEqual(v.flatMap((x) => v.map((y) => x * y)));
    expect(weight).toBe(1);
    const thin = scaleShiftStatistics(ops, seen, 'diagonal').sums['second'];
    expect([thin.shape, Array.from(thin.data)]).toEqual([
      [2, 2],
      [16, 4, 16, 1],
    ]);
  });

  it('option: full or diagonal, the one being the diagonal of the other', async () => {
    const objective = { model: classifier(3), loss: sigmoidCrossEntropy };
    const batch = { inputs: indices(1, [5, 3]), targets: ops.full([5, 3], 0.5) };
    const state = stateOf(objective.model, 3);
    const full = (await operatorAt(objective, kfac(), state, batch))['norm'];
    const thin = (await operatorAt(objective, kfac({ scaleShift: 'diagonal' }), state, batch))['norm'];
    if (full._tag !== 'dense' || thin._tag !== 'diagonal') throw new Error('expected a matrix and a diagonal');
    const expected = Array.from({ length: 6 }, (_, i) => full.matrix.data[7 * i]);
    expect(scaledError(ops.transposed(thin.values).data, expected)).toBeLessThan(1e-15);
  });
});

describe('statistics of every kind of site', () => {
  const kinds = [0, 1, 2] as const;

  it.each(kinds)('law: monoid. A batch is the sum of its parts, whatever the order of examples (kind %d)', (kind) => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 6 }), fc.nat(), (seed, n, cut) => {
        const seen = captures(seed, n, 2)[kind];
        const at = 1 + (cut % (n - 1));
        const part = (begin: number, count: number) => ({
          ...seen,
          input: examplesOf(ops, seen.input, begin, count),
          cotangents: seen.cotangents.map((g) => examplesOf(ops, g, begin, count)),
        });
        for (const statistics of [siteStatistics, diagonalStatistics]) {
          const whole = statistics(ops, seen);
          const parts = combine(ops, statistics(ops, part(at, n - at)), statistics(ops, part(0, at)));
          expect(parts.weight).toBe(whole.weight);
          for (const name of Object.keys(whole.sums)) {
            expect(scaledError(parts.sums[name].data, whole.sums[name].data)).toBeLessThan(1e-13);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each(kinds)('law: quadratic in the cotangents and additive over passes (kind %d)', (kind) => {
    const seen = captures(4, 3, 2)[kind];
    const doubled = { ...seen, cotangents: seen.cotangents.map((g) => ops.scale(2, g)) };
    const [once, twice] = [fisherStatistics(ops, seen, 99).sums['F'], fisherStatistics(ops, doubled, 99).sums['F']];
    expect(scaledError(twice.data, ops.scale(4, once).data)).toBeLessThan(1e-14);
    const passes = seen.cotangents
      .map((g) => siteStatistics(ops, { ...seen, cotangents: [g] }).sums)
      .map((sums) => sums['F'] ?? sums['G']);
    const together = siteStatistics(ops, seen).sums;
    expect(scaledError((together['F'] ?? together['G']).data, ops.add(passes[0], passes[1]).data)).toBeLessThan(1e-14);
  });

  it('law: toBlocks and fromBlocks are inverse, and keep inner products', async () => {
    const objective = { model: classifier(2), loss: softmaxCrossEntropy };
    const state = stateOf(objective.model, 1);
    const batch = { inputs: indices(1, [2, 2]), targets: indices(2, [2], 3) };
    const { sites, gradient } = await runStage(curved(objective, kfac()), state, batch);
    const blocks = blocksOf(sites, Object.keys(state.params));
    const there = toBlocks(ops, blocks, gradient);
    expect(fromBlocks(ops, blocks, there)).toEqual(gradient);
    const square = (tree: Readonly<Record<string, Tensor>>): number =>
      Object.values(tree).reduce((sum, x) => sum + ops.dot(x, x).data[0], 0);
    expect(square(there)).toBeCloseTo(square(gradient), 12);
  });

  it('law: equivariance. Renaming the words renames the rows of the table and nothing else', async () => {
    const objective = { model: classifier(3), loss: softmaxCrossEntropy };
    const state = stateOf(objective.model, 1);
    const inputs = indices(1, [4, 3]);
    const targets = indices(2, [4], 3);
    const renamed = tensor(inputs.data, inputs.shape, 'i32');
    const turned = ops.sub(
      ops.full([4, 3], 4),
      ops.constant({ ...renamed, dtype: 'f64', data: Float64Array.from(renamed.data) }),
    );
    const reversed = tensor(turned.data, [4, 3], 'i32');
    const flip = (x: Tensor): Tensor => ops.gather(x, tensor([4, 3, 2, 1, 0], [5], 'i32'));
    const mirrored = { ...state, params: { ...state.params, 'words.weight': flip(state.params['words.weight']) } };
    const [a, b] = [
      await operatorAt(objective, kfac(), state, { inputs, targets }),
      await operatorAt(objective, kfac(), mirrored, { inputs: reversed, targets }),
    ];
    const [ofA, ofB] = [frequenciesOf(a['words']), frequenciesOf(b['words'])];
    expect(flip(ofB.a)).toEqual(ofA.a);
    expect(scaledError(ofB.G.data, ofA.G.data)).toBeLessThan(1e-14);
    for (const name of ['norm', 'body', 'head']) expect(b[name]).toEqual(a[name]);
  });
});

describe('coverage of every kind of site', () => {
  const network = classifier(3);
  const wordsOf = (curvature: Curvature): ReadonlyArray<string> =>
    orThrow(coverage(network, curvature)).map((row) => row.curvature);

  it.each([
    ['kfac', kfac(), ['diag A ⊗ G', 'full', 'full', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G']],
    [
      'kfac, diagonal gain',
      kfac({ scaleShift: 'diagonal' }),
      ['diag A ⊗ G', 'diagonal', 'diagonal', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G'],
    ],
    [
      'blockKfac',
      blockKfac({ blocks: { inputs: { count: 2 }, outputs: { count: 2 } } }),
      ['diag A ⊗ (⊕ G)', 'full', 'full', ...Array.from({ length: 4 }, () => '(⊕ A) ⊗ (⊕ G)')],
    ],
    [
      'classKfac',
      classKfac({ classes: 3, sites: ['head'] }),
      ['diag A ⊗ G', 'full', 'full', 'A ⊗ G', 'A ⊗ G', 'Σ π_c A_c ⊗ G_c', 'Σ π_c A_c ⊗ G_c'],
    ],
    // The mean over positions lies between the two dense sites.
    ['tridiagonalKfac', tridiagonalKfac(), ['diag A ⊗ G', 'full', 'full', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G']],
    [
      'tridiagonalKfac, reduced',
      tridiagonalKfac({ sharing: 'reduce' }),
      ['diag A ⊗ G', 'full', 'full', ...Array.from({ length: 4 }, () => 'A ⊗ G, with neighbours')],
    ],
    ['dense', dense(), Array.from({ length: 7 }, () => 'dense')],
    ['diagonal', diagonal(), Array.from({ length: 7 }, () => 'diagonal')],
  ])('%s says what each parameter gets', (_, curvature, expected) => {
    expect(wordsOf(curvature)).toEqual(expected);
  });

  it('every parameter has a site, so a strict curvature accepts the model', async () => {
    const objective = { model: network, loss: softmaxCrossEntropy };
    const batch = { inputs: indices(1, [4, 3]), targets: indices(2, [4], 3) };
    expect(orThrow(coverage(network, kfac())).map(({ site }) => site)).not.toContain(null);
    expect(await tryStage(curved(objective, kfac({ strict: true })), stateOf(network, 1), batch)).toMatchObject({
      _tag: 'Right',
    });
  });

  it('KFRA refuses other sites and sequences, and classKfac refuses classes at other sites, by name', async () => {
    const objective = { model: network, loss: softmaxCrossEntropy };
    const batch = { inputs: indices(1, [4, 3]), targets: indices(2, [4], 3) };
    expect(await tryStage(curved(objective, kfra()), stateOf(network, 1), batch)).toMatchObject({
      left: { _tag: 'BadConfig', path: 'words' },
    });
    const onSequence = model('sequence', [2, 3], sequential({ only: denseLayer({ in: 3, out: 2 }) }));
    const positions = { inputs: gaussian(1, [4, 2, 3]), targets: indices(2, [4, 2], 2) };
    expect(
      await tryStage(
        curved({ model: onSequence, loss: softmaxCrossEntropy }, kfra()),
        stateOf(onSequence, 1),
        positions,
      ),
    ).toMatchObject({ left: { _tag: 'BadConfig', path: 'only' } });
    expect(
      await tryStage(curved(objective, classKfac({ classes: 3, sites: ['norm'] })), stateOf(network, 1), batch),
    ).toMatchObject({
      left: {
        _tag: 'BadConfig',
        path: 'sites',
        expected: 'paths of sites that can keep classes apart: body, head',
        actual: 'norm',
      },
    });
  });

  it('law: with one class classKfac is kfac on every kind of site, and one part of blockKfac too', async () => {
    const objective = { model: network, loss: softmaxCrossEntropy };
    const batch = { inputs: indices(1, [4, 3]), targets: ops.full([4, 3], 1 / 3) };
    const state = stateOf(network, 1);
    const expected = await operatorAt(objective, kfac(), state, batch);
    const zero = { ...batch, targets: tensor([0, 0, 0, 0], [4], 'i32') };
    const one = await operatorAt(objective, classKfac({ classes: 1 }), state, zero);
    const whole = await operatorAt(
      objective,
      blockKfac({ blocks: { inputs: { count: 1 }, outputs: { count: 1 } } }),
      state,
      batch,
    );
    const shapes = { words: [3, 5], norm: [3, 2], body: [4, 4], head: [3, 5] } as const;
    for (const [name, shape] of Object.entries(shapes)) {
      const M = materialise(ops, expected[name], shape);
      expect(scaledError(materialise(ops, one[name], shape).data, M.data)).toBeLessThan(1e-14);
      expect(scaledError(materialise(ops, whole[name], shape).data, M.data)).toBeLessThan(1e-14);
    }
  });

  it('law: parts of one output are a diagonal ⊗ a diagonal at an embedding', async () => {
    const objective = { model: network, loss: softmaxCrossEntropy };
    const batch = { inputs: indices(1, [4, 3]), targets: indices(2, [4], 3) };
    const state = stateOf(network, 1);
    const blocks = { inputs: { count: 1 }, outputs: { size: 1 } };
    const { words: thin } = await operatorAt(objective, blockKfac({ blocks }), state, batch);
    const { words: full } = await operatorAt(objective, kfac(), state, batch);
    const I = (n: number): Tensor => ops.addDiagonal(ops.full([n, n], 0), 1);
    const expected = kroneckerOf(ops.mul(I(5), frequenciesOf(full).a), ops.mul(I(3), frequenciesOf(full).G));
    expect(scaledError(materialise(ops, thin, [3, 5]).data, materialise(ops, expected, [3, 5]).data)).toBeLessThan(
      1e-15,
    );
  });
});
