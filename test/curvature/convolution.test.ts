import { attempt } from '../../src/core/errors.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { conv1d, conv2d } from '../../src/core/nn/layers/convolution.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { globalAveragePool } from '../../src/core/nn/layers/pooling.ts';
import { flatten, reshape } from '../../src/core/nn/layers/reshape.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { model } from '../../src/core/nn/model.ts';
import type { Loss } from '../../src/core/nn/losses/loss.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { Params } from '../../src/core/params.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { dense as denseCurvature } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { means } from '../../src/curvature/statistics/statistics.ts';
import { matrixOf } from '../../src/core/operators/factors/measures.ts';
import { siteBlock } from '../../src/curvature/sites/kinds.ts';
import { siteStatistics } from '../../src/curvature/sites/statistics.ts';
import { sharings } from '../../src/curvature/statistics/sharing.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { denseInverse } from '../../src/solvers/inverses/denseInverse.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { curved, examplesOf, fisherOf, indices } from '../support/sequences.ts';
import { gaussian, referenceEnv, runStage, stateOf } from '../support/training.ts';
import { withDamping } from '../support/withDamping.ts';

const { ops } = referenceEnv().backend;

/** A step on a model, with parameters from a record or drawn. */
const stepOn = async (
  layer: Layer,
  shape: Shape,
  inputs: Tensor,
  curvature: Curvature,
  params?: Params<Tensor>,
  { loss = softmaxCrossEntropy, targets = indices(2, [inputs.shape[0]], 3) }: { loss?: Loss; targets?: Tensor } = {},
) => {
  const objective = { model: model('net', shape, layer), loss };
  const drawn = stateOf(objective.model, 3);
  const state = params === undefined ? drawn : { ...drawn, params };
  const inverse = curvature.name === 'classKfac' ? denseInverse() : kroneckerInverse;
  const solver = withDamping(0.1, preconditioned(inverse));
  const context = await runStage(pipeline(curved(objective, curvature), solve(solver)), state, { inputs, targets });
  const operator: Readonly<Record<string, BlockOperator<Tensor>>> =
    'blocks' in context.operator ? context.operator.blocks : {};
  return { ...context, blockOperators: operator, objective };
};

type Stepped = Awaited<ReturnType<typeof stepOn>>;

/** Expects two steps to agree in values, gradients, blocks and directions. */
const expectSameStep = (a: Stepped, b: Stepped): void => {
  expect(scaledError(a.outputs.data, b.outputs.data)).toBeLessThan(1e-12);
  for (const side of ['gradient', 'direction'] as const) {
    for (const [path, x] of Object.entries(b[side])) {
      expect(scaledError(a[side][path].data, x.data)).toBeLessThan(1e-11);
    }
  }
  const vectors = toBlocks(ops, b.blocks, b.gradient);
  for (const [name, block] of Object.entries(b.blockOperators)) {
    const { shape } = vectors[name];
    const found = materialise(ops, a.blockOperators[name], shape).data;
    expect(scaledError(found, materialise(ops, block, shape).data)).toBeLessThan(1e-11);
  }
};

const inTwo = { inputs: { count: 2 }, outputs: { count: 2 } };

/** Every curvature that knows dense sites; one that cannot take sequences is not here. */
const curvatures: ReadonlyArray<readonly [string, Curvature]> = [
  ...sharings.flatMap((sharing): ReadonlyArray<readonly [string, Curvature]> => [
    [`kfac, ${sharing}`, kfac({ sharing })],
    [`blockKfac, ${sharing}`, blockKfac({ blocks: inTwo, sharing })],
    [`classKfac, ${sharing}`, classKfac({ classes: 3, sharing })],
  ]),
  ['diagonal', diagonal()],
  ['dense', denseCurvature()],
];

describe.each(curvatures)('convolutions are dense layers, for %s', (_, curvature) => {
  it('law: a 1 x 1 convolution is a dense layer on positions', async () => {
    const images = gaussian(1, [5, 3, 2, 4]);
    const tail = { pool: globalAveragePool(), head: dense({ in: 3, out: 3 }) };
    const convolved = sequential({ body: conv2d({ in: 4, out: 3, kernel: 1 }), tanh: activation('tanh'), ...tail });
    const onPositions = sequential({ body: dense({ in: 4, out: 3 }), tanh: activation('tanh'), ...tail });
    const { state } = await stepOn(convolved, [3, 2, 4], images, curvature);
    expectSameStep(
      await stepOn(convolved, [3, 2, 4], images, curvature, state.params),
      await stepOn(onPositions, [3, 2, 4], images, curvature, state.params),
    );
  });

  it('law: a kernel as large as the image is a dense layer on the flat image', async () => {
    const images = gaussian(1, [5, 3, 2, 2]);
    const convolved = sequential({
      body: conv2d({ in: 2, out: 4, kernel: [3, 2] }),
      tanh: activation('tanh'),
      flat: flatten(),
      head: dense({ in: 4, out: 3 }),
    });
    const flat = sequential({
      flat: flatten(),
      body: dense({ in: 12, out: 4 }),
      tanh: activation('tanh'),
      head: dense({ in: 4, out: 3 }),
    });
    const { state } = await stepOn(convolved, [3, 2, 2], images, curvature);
    expectSameStep(
      await stepOn(convolved, [3, 2, 2], images, curvature, state.params),
      await stepOn(flat, [3, 2, 2], images, curvature, state.params),
    );
  });

  it('law: a sequence is an image of width 1', async () => {
    const sequences = gaussian(1, [4, 5, 2]);
    const along = sequential({
      body: conv1d({ in: 2, out: 3, kernel: 3, dilation: 2, stride: 2, padding: [2, 1] }),
      pool: meanPool(),
    });
    const images = sequential({
      image: reshape([5, 1, 2]),
      body: conv2d({ in: 2, out: 3, kernel: [3, 1], dilation: [2, 1], stride: [2, 1], padding: [2, 1, 0, 0] }),
      pool: globalAveragePool(),
    });
    const { state } = await stepOn(along, [5, 2], sequences, curvature);
    expectSameStep(
      await stepOn(along, [5, 2], sequences, curvature, state.params),
      await stepOn(images, [5, 2], sequences, curvature, state.params),
    );
  });
});

it('law: for tridiagonalKfac too, where neighbours have as many positions', async () => {
  const images = gaussian(1, [5, 2, 2, 3]);
  const head = { pool: globalAveragePool() };
  const convolved = sequential({
    one: conv2d({ in: 3, out: 4, kernel: 1 }),
    tanh: activation('tanh'),
    two: conv2d({ in: 4, out: 3, kernel: 1 }),
    ...head,
  });
  const onPositions = sequential({
    one: dense({ in: 3, out: 4 }),
    tanh: activation('tanh'),
    two: dense({ in: 4, out: 3 }),
    ...head,
  });
  const objective = (layer: Layer) => ({ model: model('net', [2, 2, 3], layer), loss: softmaxCrossEntropy });
  const state = stateOf(objective(convolved).model, 3);
  const batch = { inputs: images, targets: indices(2, [5], 3) };
  const [a, b] = await Promise.all(
    [convolved, onPositions].map(async (layer) => {
      const { operator } = await runStage(curved(objective(layer), tridiagonalKfac()), state, batch);
      return operator;
    }),
  );
  expect(a._tag).toBe('blockTridiagonal');
  expect(JSON.stringify(a)).toBe(JSON.stringify(b));
});

describe('groups', () => {
  const groups = 2;
  const grouped = (bias: boolean): Layer =>
    sequential({ body: conv2d({ in: 4, out: 6, kernel: 1, groups, bias }), pool: globalAveragePool() });
  const whole = (bias: boolean): Layer =>
    sequential({ body: dense({ in: 4, out: 6, bias }), pool: globalAveragePool() });
  const images = gaussian(1, [5, 2, 2, 4]);
  const targets = { targets: indices(2, [5], 6) };

  /** The dense layer's weights: those of the groups along the diagonal. */
  const along = (weight: Tensor): Tensor =>
    ops.concat(
      [0, 1].map((i) => ops.pad(ops.slice(weight, [3 * i, 0], [3, 2]), [0, 2 * i], [3, 4])),
      0,
    );

  it.each([true, false])('law: groups are a block-diagonal dense layer, bias %s', async (bias) => {
    const a = await stepOn(grouped(bias), [2, 2, 4], images, kfac(), undefined, targets);
    const params = { ...a.state.params, 'body.weight': along(a.state.params['body.weight']) };
    const b = await stepOn(whole(bias), [2, 2, 4], images, kfac(), params, targets);
    expect(scaledError(a.outputs.data, b.outputs.data)).toBeLessThan(1e-13);
    const gradient = along(a.gradient['body.weight']);
    const mask = along(ops.full([6, 2], 1));
    expect(scaledError(gradient.data, ops.mul(mask, b.gradient['body.weight']).data)).toBeLessThan(1e-13);
    // The factors of a group are the parts of the dense layer's on its channels.
    const [own, all] = [a.blockOperators['body'], b.blockOperators['body']];
    if (own._tag !== 'kronecker' || own.A._tag !== 'directSum' || own.G._tag !== 'directSum') throw new Error('parts');
    if (all._tag !== 'kronecker' || all.A._tag !== 'dense' || all.G._tag !== 'dense') throw new Error('matrices');
    const channelsOf = (i: number): ReadonlyArray<number> => [2 * i, 2 * i + 1, ...(bias ? [4] : [])];
    for (const [i, part] of own.A.parts.entries()) {
      const at = ops.constant({ shape: [channelsOf(i).length], dtype: 'i32', data: Int32Array.from(channelsOf(i)) });
      const rows = ops.gather(all.A.matrix, at);
      const expected = ops.gather(ops.transposed(rows), at);
      expect(scaledError(part._tag === 'dense' ? part.matrix.data : [], expected.data)).toBeLessThan(1e-13);
    }
    for (const [i, part] of own.G.parts.entries()) {
      const expected = ops.slice(all.G.matrix, [3 * i, 3 * i], [3, 3]);
      expect(scaledError(part._tag === 'dense' ? part.matrix.data : [], expected.data)).toBeLessThan(1e-13);
    }
  });

  it('law: groups are as many convolutions side by side, in factors and direction', async () => {
    const a = await stepOn(grouped(true), [2, 2, 4], images, kfac(), undefined, targets);
    const { operator, direction, gradient, blocks } = a;
    const [d, g] = [direction, gradient].map((tree) => toBlocks(ops, blocks, tree)['body']);
    expect(d.shape).toEqual([6, 6]);
    // Nothing comes to lie beside the diagonal.
    for (const v of [d, g]) {
      expect(Array.from(ops.slice(v, [0, 3], [3, 3]).data)).toEqual(new Array<number>(9).fill(0));
      expect(Array.from(ops.slice(v, [3, 0], [3, 3]).data)).toEqual(new Array<number>(9).fill(0));
    }
    expect(operator._tag).toBe('blockDiagonal');
  });

  it('depthwise convolutions train with EKFAC', async () => {
    const layer = sequential({
      body: conv2d({ in: 4, out: 8, kernel: 2, groups: 4 }),
      tanh: activation('tanh'),
      pool: globalAveragePool(),
    });
    const objective = { model: model('net', [2, 2, 4], layer), loss: softmaxCrossEntropy };
    const step = pipeline(curved(objective, kfac()), solve(withDamping(0.1, preconditioned(ekfac()))));
    const { direction, gradient } = await runStage(step, stateOf(objective.model, 3), {
      inputs: images,
      targets: indices(2, [5], 8),
    });
    const inner = Object.keys(gradient).reduce((sum, at) => sum + ops.dot(gradient[at], direction[at]).data[0], 0);
    expect(inner).toBeGreaterThan(0);
  });
});

describe('statistics of convolutions', () => {
  const window = { kernel: [2, 2], stride: [1, 2], dilation: [1, 1], padding: [1, 0, 0, 1] } as const;
  const single = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const;
  const site = { kind: 'convolution', path: 'c', weight: 'c.weight', bias: 'c.bias', window, groups: 1 } as const;
  const input = gaussian(1, [4, 3, 4, 2]);
  const places = ops.patches(input, window).shape.slice(0, 3);
  const cotangents = [2, 3].map((seed) => gaussian(seed, [...places, 3]));

  it.each([1, 2])('law: batch split, sums over parts of a batch add up, %s groups', (groups) => {
    for (const sharing of sharings) {
      const own = { ...site, groups };
      const seen = {
        site: own,
        input,
        cotangents: groups === 1 ? cotangents : cotangents.map((g) => ops.concat([g, g], 3)),
      };
      const all = siteStatistics(ops, seen, { sharing });
      const parts = [0, 3].map((begin, i) =>
        siteStatistics(
          ops,
          {
            site: own,
            input: examplesOf(ops, seen.input, begin, [3, 1][i]),
            cotangents: seen.cotangents.map((g) => examplesOf(ops, g, begin, [3, 1][i])),
          },
          { sharing },
        ),
      );
      expect(all.weight).toBe(parts[0].weight + parts[1].weight);
      for (const [name, sum] of Object.entries(all.sums)) {
        expect(scaledError(ops.add(parts[0].sums[name], parts[1].sums[name]).data, sum.data)).toBeLessThan(1e-13);
      }
    }
  });

  it('a sharing that there is not is refused, of any convolution', () => {
    const half = JSON.parse('{ "sharing": "half" }') as { readonly sharing: 'expand' };
    const expected = {
      left: { _tag: 'BadConfig', path: 'sharing', expected: 'one of expand, reduce', actual: 'half' },
    };
    expect(attempt(() => siteStatistics(ops, { site, input, cotangents }, half))).toMatchObject(expected);
    const back = { ...site, kind: 'transposedConvolution', bias: null, extents: [2, 2], window: single } as const;
    const seen = { site: back, input: gaussian(1, [1, 2, 2, 3]), cotangents: [gaussian(2, [1, 2, 2, 1])] };
    expect(attempt(() => siteStatistics(ops, seen, half))).toMatchObject(expected);
    expect(siteStatistics(ops, seen).weight).toBe(1);
  });

  it('worked example: A sums over places, G is their mean', () => {
    // Two places of one pixel each, with the pixels 1 and 2 and cotangents 3 and 5.
    const pixel = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const;
    const seen = {
      site: { ...site, window: pixel, bias: null },
      input: ops.reshape(ops.constant({ shape: [2], dtype: 'f64', data: Float64Array.of(1, 2) }), [1, 1, 2, 1]),
      cotangents: [ops.reshape(ops.constant({ shape: [2], dtype: 'f64', data: Float64Array.of(3, 5) }), [1, 1, 2, 1])],
    };
    const expanded = siteStatistics(ops, seen).sums;
    expect([expanded['A'].data[0], expanded['G'].data[0]]).toEqual([1 + 4, (9 + 25) / 2]);
    const reduced = siteStatistics(ops, seen, { sharing: 'reduce' }).sums;
    expect([reduced['A'].data[0], reduced['G'].data[0]]).toEqual([1.5 ** 2, 8 ** 2]);
  });

  it('law: several uses of one site in a step are positions, and count once', () => {
    const joined = {
      site,
      input: ops.reshape(input, [2, 2, ...input.shape.slice(1)]),
      cotangents: cotangents.map((g) => ops.reshape(g, [2, 2 * places[1] * places[2], 3])),
    };
    const { sums, weight } = siteStatistics(ops, joined);
    const each = siteStatistics(ops, { site, input, cotangents });
    expect(weight).toBe(2);
    expect(scaledError(sums['A'].data, each.sums['A'].data)).toBeLessThan(1e-13);
    expect(scaledError(sums['G'].data, ops.scale(1 / 2, each.sums['G']).data)).toBeLessThan(1e-13);
  });

  it.each([1, 2])(
    'law: uncorrelated pixels are the mean of the blocks of A along its diagonal, in %s groups',
    (groups) => {
      const own = { ...site, groups };
      const out = 3 * groups;
      const seen = {
        site: own,
        input,
        cotangents: [gaussian(5, [...places, out])],
        weights: ops.constant({ shape: [4], dtype: 'f64', data: Float64Array.of(0.5, 1, 2, 0.5) }),
      };
      const [whole, thin] = [false, true].map((uncorrelated) => {
        const block = siteBlock(own);
        return block.operator(means(ops, block.statistics(ops, seen, { uncorrelated })), ops);
      });
      if (whole._tag !== 'kronecker' || thin._tag !== 'kronecker') throw new Error('expected products');
      expect(thin.G).toEqual(whole.G);
      const [A, B] = [whole.A, thin.A].map((factor) => matrixOf(ops, factor));
      expect(B.shape).toEqual(A.shape);
      const c = 2 / groups;
      for (let group = 0; group < groups; group += 1) {
        const at = group * (4 * c + 1);
        const taps = [0, 1, 2, 3].map((tap) => ops.slice(A, [at + tap * c, at + tap * c], [c, c]));
        const mean = ops.scale(
          1 / 4,
          taps.reduce((x, y) => ops.add(x, y)),
        );
        for (const tap of [0, 3]) {
          const found = ops.slice(B, [at + tap * c, at + tap * c], [c, c]);
          expect(scaledError(found.data, mean.data)).toBeLessThan(1e-13);
        }
        const bias = [A, B].map((m) => ops.slice(m, [at + 4 * c, at + 4 * c], [1, 1]).data[0]);
        expect(bias[1]).toBeCloseTo(bias[0], 12);
      }
      // Nothing beside the blocks.
      expect(ops.slice(B, [0, c], [c, c]).data[0]).toBe(0);
    },
  );

  it('law: positions of weight 0 count nowhere', () => {
    const [n, oh, ow] = places;
    const counted = ops.constant({
      shape: [n, oh, ow],
      dtype: 'f64',
      data: Float64Array.from({ length: n * oh * ow }, (_, i) => (i % (oh * ow) < ow ? 1 : 0)),
    });
    const mask = ops.reshape(counted, [n, oh, ow, 1]);
    const masked = cotangents.map((g) => ops.mul(mask, g));
    const { sums } = siteStatistics(ops, { site, input, cotangents: masked, weights: counted });
    // The same as of images of which there is only the first line of places.
    const first = ops.slice(input, [0, 0, 0, 0], [n, 1, 4, 2]);
    const line = { ...site, window };
    const expected = siteStatistics(ops, {
      site: line,
      input: first,
      cotangents: cotangents.map((g) => ops.slice(g, [0, 0, 0, 0], [n, 1, ow, 3])),
    });
    expect(scaledError(sums['A'].data, expected.sums['A'].data)).toBeLessThan(1e-13);
    expect(scaledError(sums['G'].data, expected.sums['G'].data)).toBeLessThan(1e-13);
  });
});

it('law: of a deep linear net with squared error and one place each, blocks are those of the Gauss–Newton matrix', async () => {
  const layer = sequential({
    one: conv2d({ in: 2, out: 8, kernel: [2, 3] }),
    image: reshape([2, 2, 2]),
    two: conv2d({ in: 2, out: 3, kernel: 2 }),
    flat: flatten(),
  });
  const inputs = gaussian(1, [6, 2, 3, 2]);
  const { state, blocks, blockOperators, gradient, objective } = await stepOn(
    layer,
    [2, 3, 2],
    inputs,
    kfac(),
    undefined,
    {
      loss: squaredError,
      targets: gaussian(4, [6, 3]),
    },
  );
  const vectors = toBlocks(ops, blocks, gradient);
  for (const block of blocks) {
    const F = fisherOf(ops, objective, state.params, inputs, block);
    const found = materialise(ops, blockOperators[block.name], vectors[block.name].shape);
    expect(scaledError(found.data, F.data)).toBeLessThan(1e-12);
  }
});
