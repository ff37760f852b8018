import { evaluating } from '../../../../src/core/nn/layers/circumstances.ts';
import fc from 'fast-check';

import { jvp } from '../../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../../src/core/autodiff/program.ts';
import { vjp } from '../../../../src/core/autodiff/reverse.ts';
import { multiHeadAttention } from '../../../../src/core/nn/layers/attention/multiHeadAttention.ts';
import { learnedPositions, sinusoidalPositions } from '../../../../src/core/nn/layers/attention/positions.ts';
import { activation } from '../../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../../src/core/nn/layers/dense.ts';
import { constant } from '../../../../src/core/nn/initialisers/constant.ts';
import type { Layer } from '../../../../src/core/nn/layers/layer.ts';
import { embedding } from '../../../../src/core/nn/layers/embedding.ts';
import { layerNorm } from '../../../../src/core/nn/layers/layerNorm.ts';
import { conv1d, conv2d } from '../../../../src/core/nn/layers/convolution.ts';
import { averagePool, globalAveragePool, maxPool, upsample } from '../../../../src/core/nn/layers/pooling.ts';
import { batchNorm } from '../../../../src/core/nn/layers/batchNorm.ts';
import { groupNorm } from '../../../../src/core/nn/layers/groupNorm.ts';
import { rmsNorm } from '../../../../src/core/nn/layers/rmsNorm.ts';
import { convTranspose2d } from '../../../../src/core/nn/layers/transposedConvolution.ts';
import { meanPool } from '../../../../src/core/nn/layers/meanPool.ts';
import { initialParams, model, summarise } from '../../../../src/core/nn/model.ts';
import { flatten, reshape } from '../../../../src/core/nn/layers/reshape.ts';
import { scaleShift } from '../../../../src/core/nn/layers/scaleShift.ts';
import { residual } from '../../../../src/core/nn/layers/residual.ts';
import { sequential } from '../../../../src/core/nn/layers/sequential.ts';
import type { Params } from '../../../../src/core/params.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import type { Shape, Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { scaledError } from '../../../support/closeness.ts';
import {
  derivativeAlong,
  gaussian,
  gaussianLike,
  inner,
  innerParams,
  movedParams,
  ops,
  relativeGap,
  scaledParams,
  values,
} from '../support.ts';

/** Parameters of a layer at a path, all random, biases too. */
const paramsOf = (layer: Layer, path: string, seed: number): Params<Tensor> =>
  gaussianLike(
    seed,
    Object.fromEntries(layer.parameters(path).map(({ path: p, shape }) => [p, generate(shape, () => 0)])),
  );

/**
 * Every kind of layer, on examples of a shape (four features unless given), with tanh and gelu where kinks would spoil
 * difference quotients. Layers of indices have tests of their own below.
 */
const layers: ReadonlyArray<readonly [string, Layer, Shape?]> = [
  ['dense', dense({ in: 4, out: 3 })],
  ['dense without bias', dense({ in: 4, out: 3, bias: false })],
  ['relu', activation('relu')],
  ['tanh', activation('tanh')],
  ['sigmoid', activation('sigmoid')],
  ['gelu', activation('gelu')],
  ['identity', activation('identity')],
  ['sequential', sequential([dense({ in: 4, out: 3 }), activation('tanh'), dense({ in: 3, out: 2 })])],
  ['residual', residual(dense({ in: 4, out: 4 }))],
  ['dense on sequences', dense({ in: 4, out: 3 }), [2, 4]],
  ['dense on grids, without bias', dense({ in: 3, out: 2, bias: false }), [2, 2, 3]],
  ['scaleShift', scaleShift({ features: 4 })],
  ['scaleShift on sequences, without shift', scaleShift({ features: 4, shift: false }), [3, 4]],
  ['layerNorm', layerNorm({ features: 4 })],
  ['layerNorm on sequences', layerNorm({ features: 3, epsilon: 0.1 }), [2, 3]],
  ['reshape', reshape([2, 3]), [3, 2]],
  ['flatten', flatten(), [2, 2]],
  ['meanPool', meanPool(), [3, 2]],
  ['meanPool over the last axis', meanPool(2), [3, 2]],
  ['attention', multiHeadAttention({ features: 4, heads: 2 }), [3, 4]],
  [
    'causal attention with rotary positions',
    multiHeadAttention({ features: 4, heads: 2, causal: true, rotary: true }),
    [3, 4],
  ],
  ['learnedPositions', learnedPositions({ length: 4, features: 2 }), [3, 2]],
  ['sinusoidalPositions', sinusoidalPositions(3), [2, 3]],
  ['batchNorm', batchNorm({ features: 3 }), [2, 3]],
  ['groupNorm', groupNorm({ features: 6, groups: 2 }), [2, 2, 6]],
  ['groupNorm without positions', groupNorm({ features: 4, groups: 2, shift: false, epsilon: 0.5 })],
  ['rmsNorm', rmsNorm({ features: 3 }), [2, 3]],
  ['conv2d', conv2d({ in: 2, out: 3, kernel: [2, 3], padding: 'same' }), [3, 4, 2]],
  [
    'conv2d, strided, dilated, padded unevenly, in groups, without bias',
    conv2d({
      in: 4,
      out: 2,
      kernel: 2,
      stride: [1, 2],
      dilation: [2, 1],
      padding: [1, 0, 0, 2],
      groups: 2,
      bias: false,
    }),
    [3, 4, 4],
  ],
  ['conv2d, depthwise', conv2d({ in: 3, out: 6, kernel: 3, padding: 1, groups: 3 }), [3, 2, 3]],
  ['conv1d', conv1d({ in: 2, out: 3, kernel: 3, stride: 2, padding: [2, 0] }), [5, 2]],
  [
    'convTranspose2d',
    convTranspose2d({ in: 2, out: 3, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }),
    [2, 3, 2],
  ],
  [
    'convTranspose2d, in groups, dilated, without bias',
    convTranspose2d({ in: 4, out: 6, kernel: 2, dilation: [1, 2], groups: 2, bias: false }),
    [2, 2, 4],
  ],
  ['convTranspose2d, same', convTranspose2d({ in: 2, out: 1, kernel: 3, stride: [2, 4], padding: 'same' }), [2, 2, 2]],
  ['maxPool', maxPool({ kernel: 2 }), [4, 2, 2]],
  ['maxPool, overlapping and padded', maxPool({ kernel: 3, stride: 2, padding: 1 }), [4, 3, 2]],
  ['averagePool', averagePool({ kernel: [2, 1] }), [4, 2, 2]],
  ['averagePool, overlapping and padded', averagePool({ kernel: 3, stride: 2, padding: 'same' }), [4, 3, 2]],
  ['globalAveragePool', globalAveragePool(), [2, 3, 2]],
  ['upsample', upsample(2), [2, 3, 2]],
  [
    'sequence classifier',
    sequential([layerNorm({ features: 3 }), dense({ in: 3, out: 4 }), activation('tanh'), meanPool()]),
    [2, 3],
  ],
  [
    'nested',
    sequential({
      encoder: sequential([dense({ in: 4, out: 3 }), activation('gelu')]),
      body: residual(sequential([dense({ in: 3, out: 5, bias: false }), activation('tanh'), dense({ in: 5, out: 3 })])),
      head: dense({ in: 3, out: 1 }),
    }),
  ],
];

describe.each(layers.map(([name, layer, shape = [4]]) => [name, layer, shape] as const))('%s', (_, layer, shape) => {
  const path = 'some.layer';
  /** The input is one of the leaves, so that its derivative is under test as well. */
  const program: Program = (o, params) => layer.apply(o, params, path, params['x'], evaluating({}));
  /** Inputs at a distance from the kink of relu. */
  const leavesOf = (seed: number, n: number): Params<Tensor> => {
    const x = gaussian(seed + 1, [n, ...shape]);
    return { ...paramsOf(layer, path, seed), x: generate(x.shape, (i) => x.data[i] + 0.1 * Math.sign(x.data[i])) };
  };

  it('law: ⟨c, J v⟩ = ⟨Jᵀ c, v⟩ for parameters and input', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 4 }), (seed, n) => {
        const params = leavesOf(seed, n);
        const v = gaussianLike(seed + 2, params);
        const { value, tangent } = jvp(ops, program, params, v, []);
        const c = gaussian(seed + 3, value.shape);
        const { pullback } = vjp(ops, program, params, []);
        expect(relativeGap(inner(c, tangent), innerParams(pullback(c).params, v))).toBeLessThan(1e-12);
      }),
    );
  });

  it('law: ⟨Jᵀ c, v⟩ = d/dt ⟨c, f(θ + t v)⟩, by central differences', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 4 }), (seed, n) => {
        const params = leavesOf(seed, n);
        // A short direction: the step stays on one side of the kink, and higher derivatives stay small.
        const v = scaledParams(0.1, gaussianLike(seed + 2, params));
        const { outputs, pullback } = vjp(ops, program, params, []);
        const c = gaussian(seed + 3, outputs.shape);
        const expected = derivativeAlong((t) => inner(c, program(ops, movedParams(params, t, v), [])));
        expect(relativeGap(innerParams(pullback(c).params, v), expected)).toBeLessThan(1e-9);
      }),
    );
  });

  it('law: rows of a batch do not meet', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const params = leavesOf(seed, 3);
        const together = program(ops, params, []);
        const third = (x: Tensor): Tensor =>
          ops.slice(
            x,
            x.shape.map((__, axis) => (axis === 0 ? 2 : 0)),
            [1, ...x.shape.slice(1)],
          );
        const alone = program(ops, { ...params, x: third(params['x']) }, []);
        const last = third(together);
        expect(scaledError(last.data, alone.data)).toBeLessThan(1e-14);
      }),
    );
  });

  it('law: withChildren(children) is the layer', () => {
    const same = layer.withChildren(layer.children.map(([, child]) => child));
    const params = leavesOf(1, 2);
    expect(same.parameters(path).map((spec) => spec.path)).toEqual(layer.parameters(path).map((spec) => spec.path));
    expect(values(same.apply(ops, params, path, params['x'], evaluating({})))).toEqual(
      values(program(ops, params, [])),
    );
    expect([same.kind, same.label]).toEqual([layer.kind, layer.label]);
  });

  it('law: purity. Parameters and input are bit-identical after the call', () => {
    const params = leavesOf(1, 2);
    const before = Object.values(params).map(values);
    program(ops, params, []);
    expect(Object.values(params).map(values)).toEqual(before);
  });
});

describe('dense', () => {
  it('by hand: s = a Wᵀ + b', () => {
    const layer = dense({ in: 2, out: 3 });
    const params = { 'l.weight': tensor([1, 2, 3, 4, 5, 6], [3, 2]), 'l.bias': tensor([10, 20, 30], [3]) };
    expect(values(layer.apply(ops, params, 'l', tensor([1, -1], [1, 2]), evaluating({})))).toEqual([9, 19, 29]);
  });

  it('declares one site with its path, weight and bias', () => {
    const sitesOf = (layer: Layer, path: string): ReadonlyArray<unknown> => {
      const program: Program = (o, params, [x]) => layer.apply(o, params, path, x, evaluating({}));
      return vjp(ops, program, paramsOf(layer, path, 1), [gaussian(2, [5, 4])]).sites.map(({ site }) => site);
    };
    expect(sitesOf(dense({ in: 4, out: 3 }), 'a.b')).toEqual([
      { kind: 'dense', path: 'a.b', weight: 'a.b.weight', bias: 'a.b.bias' },
    ]);
    expect(sitesOf(dense({ in: 4, out: 3, bias: false }), '')).toEqual([
      { kind: 'dense', path: '', weight: 'weight', bias: null },
    ]);
  });

  it('says what it is and which parameters it needs', () => {
    const layer = dense({ in: 784, out: 1000, biasInitialiser: constant(1) });
    expect(layer.label).toBe('dense 784 → 1000');
    expect(layer.parameters('0').map(({ path, shape }) => [path, shape])).toEqual([
      ['0.weight', [1000, 784]],
      ['0.bias', [1000]],
    ]);
  });

  it('names a parameter that is missing', () => {
    const apply = (): unknown => dense({ in: 2, out: 1 }).apply(ops, {}, '3', gaussian(1, [1, 2]), evaluating({}));
    expect(apply).toThrow('expected a parameter 3.weight, got none');
  });
});

describe('dense on sequences', () => {
  it('law: positions are rows. f(x)[n, t] = f(x[n, t]), with one site that has them all', () => {
    const layer = dense({ in: 3, out: 2 });
    const params = paramsOf(layer, 'l', 1);
    const x = gaussian(2, [2, 4, 3]);
    const program: Program = (o, p, [input]) => layer.apply(o, p, 'l', input, evaluating({}));
    const { outputs, sites } = vjp(ops, program, params, [x]);
    const rows = layer.apply(ops, params, 'l', ops.reshape(x, [8, 3]), evaluating({}));
    expect([outputs.shape, values(outputs)]).toEqual([[2, 4, 2], values(rows)]);
    expect(sites.map(({ input }) => input)).toEqual([x]);
  });

  it('names the shapes where features do not fit', () => {
    const layer = dense({ in: 3, out: 2 });
    expect(() => layer.apply(ops, paramsOf(layer, 'l', 1), 'l', gaussian(2, [2, 3, 4]), evaluating({}))).toThrow(
      'affine',
    );
  });
});

describe('embedding', () => {
  const layer = embedding({ vocabulary: 5, out: 3 });
  const indices = tensor([4, 0, 0, 2, 4, 4], [2, 3], 'i32');
  const program: Program = (o, params, [x]) => layer.apply(o, params, 'words', x, evaluating({}));
  const params = paramsOf(layer, 'words', 1);

  it('by hand: rows of the table at the indices', () => {
    const table = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const out = embedding({ vocabulary: 3, out: 2 }).apply(
      ops,
      { weight: table },
      '',
      tensor([2, 0], [2], 'i32'),
      evaluating({}),
    );
    expect([out.shape, values(out)]).toEqual([
      [2, 2],
      [5, 6, 1, 2],
    ]);
  });

  it('law: it is the dense layer without bias of one-hot vectors with Wᵀ', () => {
    const hot = ops.oneHot(indices, 5);
    const weight = ops.transposed(params['words.weight']);
    const expected = dense({ in: 5, out: 3, bias: false }).apply(ops, { weight }, '', hot, evaluating({}));
    expect(values(program(ops, params, [indices]))).toEqual(values(expected));
  });

  it('law: ⟨c, J v⟩ = ⟨Jᵀ c, v⟩, and Jᵀ c agrees with central differences', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const v = gaussianLike(seed, params);
        const { value, tangent } = jvp(ops, program, params, v, [indices]);
        const c = gaussian(seed + 1, value.shape);
        const { pullback } = vjp(ops, program, params, [indices]);
        const slope = innerParams(pullback(c).params, v);
        expect(relativeGap(inner(c, tangent), slope)).toBeLessThan(1e-12);
        const expected = derivativeAlong((t) => inner(c, program(ops, movedParams(params, t, v), [indices])));
        expect(relativeGap(slope, expected)).toBeLessThan(1e-9);
      }),
    );
  });

  it('declares a site whose input is the indices, and gives NaN for an index outside', () => {
    expect(vjp(ops, program, params, [indices]).sites).toEqual([
      {
        site: { kind: 'embedding', path: 'words', weight: 'words.weight', bias: null, vocabulary: 5 },
        input: indices,
        fromData: true,
      },
    ]);
    expect(values(program(ops, params, [tensor([5], [1], 'i32')]))).toEqual([NaN, NaN, NaN]);
  });

  it('law: initial values N(0, 1) within 5 standard errors, and a summary with its site', () => {
    const wide = model('wide', [2], embedding({ vocabulary: 100, out: 50 }));
    const table = initialParams(wide, keyOf(3), 'f64')['weight'];
    expect(table.shape).toEqual([100, 50]);
    const square = inner(table, table) / 5000;
    expect(Math.abs(ops.mean(table, [0, 1]).data[0])).toBeLessThan(5 / Math.sqrt(5000));
    expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / 5000));
    expect(summarise(wide, 4)).toMatchObject({
      right: {
        output: [4, 2, 50],
        parameters: 5000,
        rows: [{ label: 'embedding 100 → 50', site: 'embedding', parameters: 5000 }],
      },
    });
  });
});

describe('scaleShift and layerNorm', () => {
  it('by hand: γ ⊙ x + β', () => {
    const params = { weight: tensor([2, 3], [2]), bias: tensor([1, -1], [2]) };
    const y = scaleShift({ features: 2 }).apply(ops, params, '', tensor([1, 2, 3, 4], [1, 2, 2]), evaluating({}));
    expect(values(y)).toEqual([3, 5, 7, 11]);
  });

  it('starts as the identity, and a summary counts γ and β', () => {
    const identity = model('gain', [3, 4], scaleShift({ features: 4 }));
    const x = gaussian(1, [2, 3, 4]);
    expect(values(identity.program(ops, initialParams(identity, keyOf(1), 'f64'), evaluating({ inputs: x })))).toEqual(
      values(x),
    );
    const normal = model('norm', [3, 4], layerNorm({ features: 4, shift: false }));
    expect(summarise(normal, 2)).toMatchObject({
      right: { output: [2, 3, 4], parameters: 4, rows: [{ label: 'layer norm 4', site: 'scaleShift' }] },
    });
  });

  it('by hand: (1, 3) is normalised to (−1, 1) / √(1 + ε)', () => {
    const expected = 1 / Math.sqrt(1.5);
    expect(
      scaledError(ops.standardised(tensor([1, 3], [1, 2]), [1], 0.5).values.data, [-expected, expected]),
    ).toBeLessThan(1e-15);
  });

  it('law: normalised positions have mean 0 and variance σ² / (σ² + ε), whatever is added to x', () => {
    const x = gaussian(5, [2, 3, 8]);
    const y = ops.standardised(x, [2], 1e-5).values;
    const shifted = ops.standardised(ops.add(x, ops.full([], 100)), [2], 1e-5).values;
    expect(scaledError(ops.mean(y, [2]).data, ops.full([6], 0).data)).toBeLessThan(1e-14);
    expect(scaledError(shifted.data, y.data)).toBeLessThan(1e-11);
    const centred = ops.sub(x, ops.reshape(ops.mean(x, [2]), [2, 3, 1]));
    const variance = ops.mean(ops.square(centred), [2]);
    const expected = ops.div(variance, ops.add(variance, ops.full([], 1e-5)));
    expect(scaledError(ops.mean(ops.square(y), [2]).data, expected.data)).toBeLessThan(1e-13);
  });

  it('the site of layerNorm sees the normalised input', () => {
    const layer = layerNorm({ features: 4 });
    const x = gaussian(1, [2, 3, 4]);
    const program: Program = (o, params, [input]) => layer.apply(o, params, 'n', input, evaluating({}));
    const { sites } = vjp(ops, program, paramsOf(layer, 'n', 1), [x]);
    expect(sites).toEqual([
      {
        site: { kind: 'scaleShift', path: 'n', weight: 'n.weight', bias: 'n.bias' },
        input: ops.standardised(x, [2], 1e-5).values,
        fromData: true,
      },
    ]);
  });
});

describe('reshape, flatten and meanPool', () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [1, 3, 2]);

  it('by hand: elements keep their order, means are over positions', () => {
    expect(reshape([2, 3]).apply(ops, {}, '', x, evaluating({}))).toMatchObject({ shape: [1, 2, 3], data: x.data });
    expect(flatten().apply(ops, {}, '', x, evaluating({}))).toMatchObject({ shape: [1, 6], data: x.data });
    expect(meanPool().apply(ops, {}, '', x, evaluating({}))).toMatchObject({
      shape: [1, 2],
      data: Float64Array.of(3, 4),
    });
    expect(meanPool(2).apply(ops, {}, '', x, evaluating({}))).toMatchObject({
      shape: [1, 3],
      data: Float64Array.of(1.5, 3.5, 5.5),
    });
  });

  it('by hand: the mean over positions that a mask has, 0 where it has none, whatever is elsewhere', () => {
    const two = tensor([1, 2, 3, 4, NaN, 6, 1, 2, 3, 4, 5, 6], [2, 3, 2]);
    const mask = tensor([1, 3, 0, 0, 0, 0], [2, 3]);
    const pooled = meanPool(1, { mask: 'mask' }).apply(ops, {}, '', two, evaluating({ mask }));
    expect(values(pooled)).toEqual([2, 3, 0, 0]);
    expect(() => meanPool(1, { mask: 'mask' }).apply(ops, {}, '', two, evaluating({ mask: x }))).toThrow(
      'meanPool: expected a mask [2, 3] of the positions, got [1, 3, 2]',
    );
  });

  it('meanPool refuses an axis that the input does not have', () => {
    expect(() => meanPool(3).apply(ops, {}, '', x, evaluating({}))).toThrow('meanPool: expected an input with axis');
  });

  it('reshape refuses a shape of another size', () => {
    expect(() => reshape([4]).apply(ops, {}, '', x, evaluating({}))).toThrow('reshape');
  });
});

describe('activation', () => {
  it.each([
    ['relu', [0, 0, 2]],
    ['tanh', [Math.tanh(-1), 0, Math.tanh(2)]],
    ['sigmoid', [1 / (1 + Math.E), 1 / 2, 1 / (1 + Math.exp(-2))]],
    // x Φ(x) with Φ(−1) = 0.158655253931457 and Φ(2) = 0.977249868051821
    ['gelu', [-0.158655253931457, 0, 1.954499736103642]],
    ['identity', [-1, 0, 2]],
  ] as const)('by hand: %s of −1, 0, 2', (kind, expected) => {
    const y = activation(kind).apply(ops, {}, '', tensor([-1, 0, 2], [1, 3]), evaluating({}));
    expect(scaledError(y.data, expected)).toBeLessThan(1e-14);
  });
});

describe('sequential', () => {
  it('law: associativity. Nesting does not change the function', () => {
    const [f, g, h] = [dense({ in: 4, out: 3 }), activation('tanh'), dense({ in: 3, out: 2 })];
    const flat = sequential({ f, g, h });
    const nested = sequential({ fg: sequential({ f, g }), h });
    const params = paramsOf(flat, '', 1);
    const renamed = Object.fromEntries(
      Object.entries(params).map(([path, p]) => [path.startsWith('f.') ? `fg.${path}` : path, p]),
    );
    const x = gaussian(2, [3, 4]);
    expect(values(nested.apply(ops, renamed, '', x, evaluating({})))).toEqual(
      values(flat.apply(ops, params, '', x, evaluating({}))),
    );
  });

  it('law: identity. An empty sequence gives its input back', () => {
    const x = gaussian(1, [2, 3]);
    expect(sequential([]).apply(ops, {}, '', x, evaluating({}))).toBe(x);
  });

  it('names the parts of a list by number and those of a record by name', () => {
    const part = dense({ in: 1, out: 1 });
    const pathsOf = (layer: Layer, path: string): ReadonlyArray<string> => layer.parameters(path).map((s) => s.path);
    expect(pathsOf(sequential([part, activation('relu'), part]), '')).toEqual([
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
    ]);
    expect(pathsOf(sequential({ encoder: sequential([part]), decoder: part }), '')).toEqual([
      'encoder.0.weight',
      'encoder.0.bias',
      'decoder.weight',
      'decoder.bias',
    ]);
    expect(pathsOf(sequential([part]), 'generator')).toEqual(['generator.0.weight', 'generator.0.bias']);
  });
});

describe('residual', () => {
  it('law: residual(f)(x) = x + f(x), with the parameters of f at the same paths', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const f = sequential([dense({ in: 4, out: 4 }), activation('tanh')]);
        const params = paramsOf(f, 'block', seed);
        const x = gaussian(seed + 1, [3, 4]);
        const expected = ops.add(x, f.apply(ops, params, 'block', x, evaluating({})));
        expect(
          residual(f)
            .parameters('block')
            .map((s) => s.path),
        ).toEqual(f.parameters('block').map((s) => s.path));
        expect(values(residual(f).apply(ops, params, 'block', x, evaluating({})))).toEqual(values(expected));
      }),
    );
  });

  it('rejects a layer that changes the shape, even to one that would broadcast', () => {
    const layer = residual(dense({ in: 4, out: 1 }));
    const apply = (): unknown => layer.apply(ops, paramsOf(layer, 'r', 1), 'r', gaussian(1, [2, 4]), evaluating({}));
    expect(apply).toThrow("residual at r: expected a layer that keeps its input's shape [2, 4], got [2, 1]");
  });
});
