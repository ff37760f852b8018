import fc from 'fast-check';

import { jvp } from '../../../../../src/core/autodiff/forward.ts';
import { hessianProduct } from '../../../../../src/core/autodiff/products.ts';
import type { Program } from '../../../../../src/core/autodiff/program.ts';
import { vjp } from '../../../../../src/core/autodiff/reverse.ts';
import { encoderDecoder } from '../../../../../src/core/nn/layers/attention/encoderDecoder.ts';
import type { AttentionOptions } from '../../../../../src/core/nn/layers/attention/multiHeadAttention.ts';
import { multiHeadAttention } from '../../../../../src/core/nn/layers/attention/multiHeadAttention.ts';
import { learnedPositions, sinusoidalPositions } from '../../../../../src/core/nn/layers/attention/positions.ts';
import { transformerBlock } from '../../../../../src/core/nn/layers/attention/transformerBlock.ts';
import { evaluating } from '../../../../../src/core/nn/layers/circumstances.ts';
import type { Layer } from '../../../../../src/core/nn/layers/layer.ts';
import { model, summarise } from '../../../../../src/core/nn/model.ts';
import type { Params } from '../../../../../src/core/params.ts';
import { mapParams } from '../../../../../src/core/params.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../../src/core/tensor.ts';
import { scaledError } from '../../../../support/closeness.ts';
import { readFrom } from '../../../../support/conformance/trial.ts';
import { onEveryBackend } from '../../../../support/everyBackend.ts';
import { agreesWith, layerFixtures } from '../../../../support/layerFixtures.ts';
import { gaussian, ops, values } from '../../support.ts';

const paramsOf = (layer: Layer, seed: number): Params<Tensor> =>
  Object.fromEntries(layer.parameters('').map(({ path, shape }, i) => [path, gaussian(seed + i, shape)]));

const run = (layer: Layer, params: Params<Tensor>, x: Tensor, arrays: Params<Tensor> = {}): Tensor =>
  layer.apply(ops, params, '', x, evaluating(arrays));

/** The positions of x `[n, t, …]` from `begin` on, `count` of them. */
const positions = (x: Tensor, begin: number, count: number): Tensor =>
  ops.slice(x, [0, begin, ...x.shape.slice(2).map(() => 0)], [x.shape[0], count, ...x.shape.slice(2)]);

describe('multiHeadAttention is that of PyTorch: values, gradients, a second derivative', () => {
  const fixtures = layerFixtures<AttentionOptions>('sequences/attention.json');
  it.each(fixtures.map((fixture) => [fixture.label, fixture] as const))('%s', (_, fixture) => {
    agreesWith(multiHeadAttention(fixture.options), fixture, 1e-10);
  });
});

describe('causal attention', () => {
  it('law: what comes later changes nothing before, in values and in derivatives', () => {
    const layer = transformerBlock({ features: 4, heads: 2, hidden: 5, causal: true, rotary: true });
    const drawn = fc.record({ seed: fc.nat(), t: fc.integer({ min: 2, max: 5 }), at: fc.nat() });
    fc.assert(
      fc.property(drawn, ({ seed, t, at }) => {
        const cut = 1 + (at % (t - 1));
        const params = paramsOf(layer, seed);
        const x = gaussian(seed + 100, [2, t, 4]);
        const other = ops.concat([positions(x, 0, cut), gaussian(seed + 200, [2, t - cut, 4])], 1);
        const [before, after] = [x, other].map((input) => positions(run(layer, params, input), 0, cut));
        expect(values(after)).toEqual(values(before));
        const program: Program = (on, leaves) => layer.apply(on, leaves, '', leaves['x'], evaluating({}));
        const { pullback, outputs } = vjp(ops, program, { ...params, x }, []);
        const early = ops.pad(gaussian(seed + 300, [2, cut, 4]), [0, 0, 0], outputs.shape);
        const gradient = pullback(early).params['x'];
        expect(values(positions(gradient, cut, t - cut)).every((g) => g === 0)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a memory of another length', () => {
    const layer = multiHeadAttention({ features: 2, heads: 1, causal: true, memory: 'memory' });
    const memory = gaussian(1, [1, 3, 2]);
    expect(() => run(layer, paramsOf(layer, 1), gaussian(2, [1, 2, 2]), { memory })).toThrow(
      'multiHeadAttention: expected as many keys as queries, 2, for a causal mask, got 3',
    );
  });
});

describe('masked attention', () => {
  const layer = multiHeadAttention({ features: 4, heads: 2, mask: 'mask' });
  const params = paramsOf(layer, 1);
  const x = gaussian(9, [2, 3, 4]);

  it('law: longer padding changes no position that is there, whatever is in it', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 3 }), (seed, more) => {
        const padded = ops.concat([x, gaussian(seed, [2, more, 4])], 1);
        const mask = generate([2, 3 + more], (i) => (i % (3 + more) < 3 ? 1 : 0));
        const found = positions(run(layer, params, padded, { mask }), 0, 3);
        const expected = run(layer, params, x, { mask: ops.full([2, 3], 1) });
        expect(scaledError(found.data, expected.data)).toBeLessThan(1e-14);
      }),
      { numRuns: 20 },
    );
  });

  it('law: what is masked throughout gives zeros before the last layer, and zero derivatives, first and second', () => {
    const mask = tensor([0, 0, 0, 1, 0, 1], [2, 3]);
    const bias = params['output.bias'].data;
    const output = run(layer, params, x, { mask });
    expect(values(output).slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, i) => bias[i % 4]));
    const program: Program = (on, leaves, [given]) =>
      layer.apply(on, leaves, '', leaves['x'], evaluating({ mask: given }));
    const leaves = { ...params, x };
    const first = ops.pad(gaussian(3, [1, 3, 4]), [0, 0, 0], [2, 3, 4]);
    const gradient = vjp(ops, program, leaves, [mask]).pullback(first).params;
    const judged: Program = (on, all, given) => on.dot(on.constant(first), program(on, all, given));
    const v = mapParams(leaves, ({ shape }) => gaussian(4, shape));
    const second = hessianProduct(ops, judged, leaves, v, [mask]);
    const { tangent } = jvp(ops, program, leaves, { x: v['x'] }, [mask]);
    for (const path of Object.keys(leaves).filter((each) => !each.startsWith('output'))) {
      expect([path, values(gradient[path]).every((g) => g === 0)]).toEqual([path, true]);
      expect([path, values(second[path]).every((g) => g === 0)]).toEqual([path, true]);
    }
    expect(values(tangent).slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 0));
    expect(values(tangent).every(Number.isFinite)).toBe(true);
  });

  it('law: attention with a mask of queries and keys is the one with keys alone where queries see the same', () => {
    const keys = tensor([1, 0, 1, 1, 1, 0], [2, 3]);
    const pairs = ops.broadcastTo(ops.reshape(keys, [2, 1, 3]), [2, 3, 3]);
    expect(values(run(layer, params, x, { mask: pairs }))).toEqual(values(run(layer, params, x, { mask: keys })));
  });

  it.each([
    [[3, 2], '[3, 2]'],
    [[2, 4], '[2, 4]'],
    [[2, 3, 4], '[2, 3, 4]'],
    [[3], '[3]'],
  ])('refuses a mask %j by the name of the layer', (shape, shown) => {
    expect(() => layer.apply(ops, paramsAt('block.0'), 'block.0', x, evaluating({ mask: ops.full(shape, 1) }))).toThrow(
      `multiHeadAttention at block.0: expected a mask [2, 3] of the keys, or [2, 3, 3] of queries and keys, got ${shown}`,
    );
  });
  const paramsAt = (path: string): Params<Tensor> =>
    Object.fromEntries(Object.entries(params).map(([name, p]) => [`${path}.${name}`, p]));

  it('refuses a batch without its mask, and an input of other features', () => {
    expect(() => run(layer, params, x)).toThrow('multiHeadAttention: expected a batch with an array mask');
    expect(() => run(layer, params, gaussian(1, [2, 3, 5]), { mask: ops.full([2, 3], 1) })).toThrow(
      'multiHeadAttention: expected an input [n, positions, 4], got [2, 3, 5]',
    );
  });
});

describe('heads', () => {
  it('refuses heads that do not divide the features, and odd ones with rotary positions', () => {
    expect(() => multiHeadAttention({ features: 10, heads: 3 })).toThrow(
      'multiHeadAttention.heads: expected a divisor of the 10 features, got 3',
    );
    expect(() => multiHeadAttention({ features: 6, heads: 2, rotary: true })).toThrow(
      'multiHeadAttention.rotary: expected an even number of features for each head, got 3',
    );
  });

  it('each projection is a site that says of how many heads its features are', () => {
    const layer = multiHeadAttention({ features: 4, heads: 2, mask: 'mask' });
    const x = gaussian(1, [1, 2, 4]);
    const program: Program = (on, leaves, [given]) =>
      layer.apply(on, leaves, '', given, evaluating({ mask: on.full([1, 2], 1) }));
    const { sites } = vjp(ops, program, paramsOf(layer, 1), [x]);
    expect(sites.map(({ site }) => [site.path, 'heads' in site ? site.heads : null, site.ragged])).toEqual([
      ['query', { inputs: 1, outputs: 2 }, true],
      ['key', { inputs: 1, outputs: 2 }, true],
      ['value', { inputs: 1, outputs: 2 }, true],
      ['output', { inputs: 2, outputs: 1 }, true],
    ]);
  });

  it('law: renaming the heads renames rows of Q, K and V and columns of what comes out, and changes nothing else', () => {
    const layer = multiHeadAttention({ features: 4, heads: 2, rotary: true });
    const params = paramsOf(layer, 5);
    const swapped = (p: Tensor): Tensor => ops.gather(p, tensor([2, 3, 0, 1], [4], 'i32'));
    const renamed = Object.fromEntries(
      Object.entries(params).map(([path, p]) => {
        if (path === 'output.bias') return [path, p];
        return [path, path === 'output.weight' ? ops.transposed(swapped(ops.transposed(p))) : swapped(p)];
      }),
    );
    const x = gaussian(2, [2, 3, 4]);
    expect(scaledError(run(layer, renamed, x).data, run(layer, params, x).data)).toBeLessThan(1e-14);
  });

  it('law: with rotary positions shares depend on distances alone', () => {
    const layer = multiHeadAttention({ features: 4, heads: 1, rotary: true, mask: 'mask' });
    const params = paramsOf(layer, 5);
    const x = gaussian(2, [1, 3, 4]);
    const later = ops.concat([gaussian(3, [1, 2, 4]), x], 1);
    const found = positions(run(layer, params, later, { mask: tensor([0, 0, 1, 1, 1], [1, 5]) }), 2, 3);
    const expected = run(layer, params, x, { mask: ops.full([1, 3], 1) });
    expect(scaledError(found.data, expected.data)).toBeLessThan(1e-13);
  });

  it('law: dropout of the shares is off in evaluation and one for a key', () => {
    const layer = multiHeadAttention({ features: 4, heads: 2, dropout: 0.5 });
    const params = paramsOf(layer, 5);
    const x = gaussian(2, [1, 3, 4]);
    const withKey = (seed: number): ReadonlyArray<number> =>
      values(layer.apply(ops, params, '', x, { arrays: {}, key: keyOf(seed), running: {} }));
    expect(values(run(layer, params, x))).toEqual(
      values(run(multiHeadAttention({ features: 4, heads: 2 }), params, x)),
    );
    expect(withKey(1)).toEqual(withKey(1));
    expect(withKey(1)).not.toEqual(withKey(2));
  });
});

describe('positions', () => {
  it('by hand: learned positions are rows of the table, a site that is an embedding', () => {
    const layer = learnedPositions({ length: 3, features: 2 });
    const x = tensor([0, 0, 0, 0, 1, 1, 1, 1], [2, 2, 2]);
    const params = { weight: tensor([1, 2, 3, 4, 5, 6], [3, 2]) };
    expect(values(run(layer, params, x))).toEqual([1, 2, 3, 4, 2, 3, 4, 5]);
    const program: Program = (on, leaves, [given]) => layer.apply(on, leaves, '', given, evaluating({}));
    expect(vjp(ops, program, params, [x]).sites).toMatchObject([
      { site: { kind: 'embedding', vocabulary: 3 }, input: tensor([0, 1, 0, 1], [2, 2], 'i32') },
    ]);
  });

  it('refuses a sequence longer than the table', () => {
    const layer = learnedPositions({ length: 3, features: 2 });
    const params = { 'p.weight': gaussian(1, [3, 2]) };
    expect(() => layer.apply(ops, params, 'p', gaussian(1, [1, 4, 2]), evaluating({}))).toThrow(
      'learnedPositions at p: expected an input [n, positions, 2] of at most 3 positions, got [1, 4, 2]',
    );
    expect(() => run(sinusoidalPositions(3), {}, gaussian(1, [1, 4, 2]))).toThrow('sinusoidalPositions');
  });

  it('by hand: sines and cosines of position / 10000^(i / d)', () => {
    const found = run(sinusoidalPositions(4), {}, ops.full([1, 2, 4], 0));
    const expected = [0, 1, 0, 1, Math.sin(1), Math.cos(1), Math.sin(0.01), Math.cos(0.01)];
    expect(scaledError(found.data, expected)).toBeLessThan(1e-15);
  });
});

describe('transformerBlock and encoderDecoder', () => {
  const translator = encoderDecoder({
    encoder: transformerBlock({ features: 4, heads: 2, hidden: 6, mask: 'sourceMask' }),
    decoder: transformerBlock({
      ...{ features: 4, heads: 2, hidden: 6, causal: true, memory: 'memory', memoryMask: 'sourceMask' },
    }),
  });
  const described = model('translator', { inputs: [3, 4], source: [5, 4], sourceMask: [5] }, translator);

  it('a summary has a row for each part, also of those that see the memory', () => {
    const summary = summarise(described, 2);
    expect(summary).toMatchObject({ right: { output: [2, 3, 4] } });
    if (summary._tag === 'Left') throw new Error('expected a summary');
    const { rows, parameters } = summary.right;
    expect(rows.reduce((sum, row) => sum + row.parameters, 0)).toBe(parameters);
    expect(rows.map(({ path }) => path)).toContain('decoder.cross.attention.key');
    expect(rows.find(({ path }) => path === 'decoder.cross.attention.key')?.output).toEqual([2, 5, 4]);
  });

  it('law: padding of the source changes nothing', () => {
    const params = paramsOf(translator, 1);
    const inputs = gaussian(2, [2, 3, 4]);
    const source = gaussian(3, [2, 3, 4]);
    const padded = ops.concat([source, gaussian(4, [2, 2, 4])], 1);
    const short = run(translator, params, inputs, { source, sourceMask: ops.full([2, 3], 1) });
    const mask = generate([2, 5], (i) => (i % 5 < 3 ? 1 : 0));
    const long = run(translator, params, inputs, { source: padded, sourceMask: mask });
    expect(scaledError(long.data, short.data)).toBeLessThan(1e-13);
  });

  it('paths are those of its parts', () => {
    const block = transformerBlock({ features: 2, heads: 1, memory: 'memory', memoryFeatures: 3, bias: false });
    expect(block.parameters('b').map(({ path, shape }) => `${path} ${shape.join('×')}`)).toEqual([
      ...['b.self.norm.weight 2', 'b.self.norm.bias 2', 'b.self.attention.query.weight 2×2'],
      ...['b.self.attention.key.weight 2×2', 'b.self.attention.value.weight 2×2', 'b.self.attention.output.weight 2×2'],
      ...['b.cross.norm.weight 2', 'b.cross.norm.bias 2', 'b.cross.attention.query.weight 2×2'],
      ...['b.cross.attention.key.weight 2×3', 'b.cross.attention.value.weight 2×3'],
      ...['b.cross.attention.output.weight 2×2', 'b.feedForward.norm.weight 2', 'b.feedForward.norm.bias 2'],
      ...['b.feedForward.up.weight 8×2', 'b.feedForward.down.weight 2×8'],
    ]);
  });

  onEveryBackend((name, use) => {
    it(`law: masked cross attention on ${name} is that of the reference`, () =>
      use(async (backend) => {
        const params = mapParams(paramsOf(translator, 1), ({ data, shape }) => generate(shape, (i) => data[i] / 2));
        const arrays = {
          inputs: gaussian(2, [2, 3, 4]),
          source: gaussian(3, [2, 5, 4]),
          sourceMask: tensor([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [2, 5]),
        };
        const expected = described.program(ops, params, evaluating(arrays));
        const found = described.program(
          backend.ops,
          mapParams(params, backend.ops.constant),
          evaluating(mapParams(arrays, backend.ops.constant)),
        );
        const tolerance = backend.dtype === 'f32' ? 1e-5 : 1e-13;
        expect(scaledError((await readFrom(backend, found)).data, expected.data)).toBeLessThan(tolerance);
      }));
  });
});
