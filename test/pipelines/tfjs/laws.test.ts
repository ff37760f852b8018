/**
 * Laws of the way from TensorFlow.js: what sites see says what their gradient is, and the linearisation is one.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers as tfl, model as tfModel, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Context } from '../../../src/core/pipeline/context.ts';
import type { FromGradient } from '../../../src/core/pipeline/descent.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams } from '../../../src/core/params.ts';
import { parametersOfSite } from '../../../src/core/ops/site.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { siteBlock } from '../../../src/curvature/sites/kinds.ts';
import { lookedAt as looking } from './looking.ts';
import { drawn, indices, lent } from './support.ts';

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  await tf.setBackend('cpu');
});

/** What a step towards any numbers knows once it has the gradient. */
const lookedAt = <A>(
  net: LayersModel,
  inputs: Tensor,
  look: (context: Context<Tensor, FromGradient>) => A,
): Promise<A> => {
  const [, ...outputs] = net.outputs[0].shape.map(Number);
  return looking(net, lent(inputs), lent(drawn(9, [inputs.shape[0], ...outputs])), look);
};

const { ops } = referenceBackend();

/** For each site that has all of its uses' parameters, the gradient that its captures say and the one that TF.js has. */
const gradientsOf = ({
  sites,
  siteCotangents,
  gradient,
}: Context<Tensor, FromGradient>): ReadonlyArray<readonly [string, Tensor, Tensor]> => {
  const names = [...new Set(sites.map(({ site }) => site.path))];
  return names.map((name) => {
    const uses = sites.flatMap(({ site, input: met }, i) => (site.path === name ? [{ site, input: met, i }] : []));
    const sums = uses.map(({ site, input: met, i }) => {
      const block = siteBlock(site);
      const [rows] = block.gradients(ops, { input: met, cotangents: [siteCotangents[i]] });
      return ops.scale(1 / met.shape[0], ops.sum(rows, [0]));
    });
    const [{ site }] = uses;
    const block = siteBlock(site).join(
      ops,
      Object.fromEntries(parametersOfSite(site).map((path) => [path, gradient[path]])),
    );
    // vec stacks columns.
    const columns = ops.reshape(ops.transposed(block), [block.shape[0] * block.shape[1]]);
    return [name, sums.reduce((a, b) => ops.add(a, b)), columns] as const;
  });
};

const gap = (a: Tensor, b: Tensor): number =>
  Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]) / (1e-2 + Math.abs(b.data[i]))));

const withInputs: ReadonlyArray<readonly [string, () => LayersModel, Tensor, ReadonlyArray<string>]> = [
  [
    'recurrent layers',
    () =>
      sequential({
        layers: [
          tfl.embedding({ inputDim: 6, outputDim: 3, inputLength: 4, name: 'words' }),
          tfl.lstm({ units: 3, returnSequences: true, recurrentInitializer: 'zeros', name: 'lstm' }),
          tfl.simpleRNN({
            units: 3,
            returnSequences: true,
            recurrentInitializer: 'zeros',
            useBias: false,
            name: 'rnn',
          }),
          tfl.gru({ units: 3, recurrentInitializer: 'zeros', name: 'gru' }),
          tfl.dense({ units: 2, name: 'out' }),
        ],
      }),
    indices(1, [5, 4], 6),
    [
      'words/embeddings',
      'lstm/kernel',
      'lstm/recurrent_kernel',
      'rnn/kernel',
      'rnn/recurrent_kernel',
      'gru/kernel',
      'gru/recurrent_kernel/gates',
      'gru/recurrent_kernel/candidate',
      'out/kernel',
    ],
  ],
  [
    'a layer that is used twice, and one at every position',
    () => {
      const x = input({ shape: [3, 4] });
      const twice = tfl.dense({ units: 4, activation: 'tanh', name: 'twice' });
      const y = tfl
        .timeDistributed({ layer: tfl.dense({ units: 2 }), name: 'each' })
        .apply(twice.apply(twice.apply(x))) as SymbolicTensor;
      const flat = tfl.flatten().apply(y) as SymbolicTensor;
      return tfModel({ inputs: x, outputs: tfl.dense({ units: 1, name: 'out' }).apply(flat) as SymbolicTensor });
    },
    drawn(2, [5, 3, 4]),
    ['twice/kernel', 'each/kernel', 'out/kernel'],
  ],
  [
    'shifts without gains, and gains without shifts',
    () =>
      sequential({
        layers: [
          tfl.layerNormalization({ inputShape: [4], scale: false, name: 'shift' }),
          tfl.batchNormalization({ center: false, name: 'gain' }),
          tfl.dense({ units: 1, useBias: false, name: 'out' }),
        ],
      }),
    drawn(3, [6, 4]),
    ['shift/beta', 'gain/gamma', 'out/kernel'],
  ],
];

describe('law: the gradient of a site is the mean of what it sees, g ā ᵀ', () => {
  it.each(withInputs)('%s', async (_, make, x, names) => {
    const found = await lookedAt(make(), x, gradientsOf);
    expect(found.map(([name]) => name).sort()).toEqual([...names].sort());
    found.forEach(([name, mine, theirs]) => expect([name, gap(mine, theirs) < 1e-3]).toEqual([name, true]));
  });

  const geometry = fc.record({
    kernel: fc.integer({ min: 1, max: 3 }),
    strides: fc.integer({ min: 1, max: 2 }),
    padding: fc.constantFrom('same' as const, 'valid' as const),
    useBias: fc.boolean(),
    kind: fc.constantFrom('plain' as const, 'depthwise' as const, 'separable' as const, 'transposed' as const),
    channels: fc.integer({ min: 1, max: 3 }),
  });

  type Geometry = Parameters<typeof tfl.depthwiseConv2d>[0] & { readonly padding: 'same' | 'valid' };
  const made = {
    plain: (options: Geometry) => tfl.conv2d({ ...options, filters: 3 }),
    depthwise: (options: Geometry) => tfl.depthwiseConv2d({ ...options, depthMultiplier: 2 }),
    separable: (options: Geometry) => tfl.separableConv2d({ ...options, filters: 3, depthMultiplier: 2 }),
    transposed: (options: Geometry) => tfl.conv2dTranspose({ ...options, filters: 3 }),
  };

  it('convolutions of any geometry', async () => {
    await fc.assert(
      fc.asyncProperty(geometry, async ({ kernel, strides, padding, useBias, kind, channels }) => {
        const shape = [6, 5, channels];
        const options = { inputShape: shape, kernelSize: kernel, strides, padding, useBias, name: 'conv' } as const;
        const net = sequential({
          layers: [made[kind](options), tfl.flatten(), tfl.dense({ units: 1, name: 'out' })],
        });
        const found = await lookedAt(net, drawn(4, [3, ...shape]), gradientsOf);
        expect(found).toHaveLength(kind === 'separable' || (kind === 'transposed' && useBias) ? 3 : 2);
        found.forEach(([, mine, theirs]) => expect(gap(mine, theirs)).toBeLessThan(1e-3));
      }),
      { numRuns: 24 },
    );
  });
});

describe('law: J and its transpose are of one linearisation', () => {
  const net = (): LayersModel =>
    sequential({
      layers: [
        tfl.dense({ inputShape: [4], units: 5, activation: 'tanh' }),
        tfl.dropout({ rate: 0.5 }),
        tfl.batchNormalization(),
        tfl.dense({ units: 2 }),
      ],
    });
  const dot = (a: Tensor, b: Tensor): number => Array.from(a.data).reduce((sum, x, i) => sum + x * b.data[i], 0);
  const inner = (a: Params<Tensor>, b: Params<Tensor>): number =>
    Object.keys(a).reduce((sum, path) => sum + dot(a[path], b[path]), 0);

  it('⟨c, J u⟩ = ⟨Jᵀ c, u⟩, also where layers draw and where some parameters are held', async () => {
    const pairs = await lookedAt(net(), drawn(5, [6, 4]), ({ state, outputs, pullback, pushforward, narrow }) => {
      const u = mapParams(state.params, ({ shape }, path) => drawn(path.length, shape));
      const c = drawn(6, outputs.shape);
      const some = narrow((path) => path.startsWith('dense') && path.endsWith('kernel'));
      return [
        [dot(c, pushforward(u)), inner(pullback(c).params, u)],
        [dot(c, some.pushforward(u)), inner(some.pullback(c).params, u)],
      ];
    });
    pairs.forEach(([forward, back]) => expect(Math.abs(forward - back)).toBeLessThan(1e-5 * (1 + Math.abs(back))));
  });

  it('passes leave weights and running averages as they are', async () => {
    const made = net();
    const before = (): ReadonlyArray<ReadonlyArray<number>> => made.getWeights().map((w) => Array.from(w.dataSync()));
    const [same] = await lookedAt(made, drawn(5, [6, 4]), ({ state, outputs, pushforward, pullback }) => {
      const first = before();
      pushforward(mapParams(state.params, ({ shape }) => drawn(7, shape)));
      pullback(drawn(8, outputs.shape));
      return [JSON.stringify(first) === JSON.stringify(before())];
    });
    expect(same).toBe(true);
  });
});
