import fc from 'fast-check';

import { jvp } from '../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import { activation } from '../../../src/core/nn/activation.ts';
import { dense } from '../../../src/core/nn/dense.ts';
import { constant } from '../../../src/core/nn/initialisers/constant.ts';
import type { Layer } from '../../../src/core/nn/layer.ts';
import { residual } from '../../../src/core/nn/residual.ts';
import { sequential } from '../../../src/core/nn/sequential.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
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
} from './support.ts';

/** Parameters of a layer at a path, all random, biases too. */
const paramsOf = (layer: Layer, path: string, seed: number): Params<Tensor> =>
  gaussianLike(
    seed,
    Object.fromEntries(layer.parameters(path).map(({ path: p, shape }) => [p, generate(shape, () => 0)])),
  );

/** Every kind of layer on four features, with tanh and gelu where kinks would spoil difference quotients. */
const layers: ReadonlyArray<readonly [string, Layer]> = [
  ['dense', dense({ in: 4, out: 3 })],
  ['dense without bias', dense({ in: 4, out: 3, bias: false })],
  ['relu', activation('relu')],
  ['tanh', activation('tanh')],
  ['sigmoid', activation('sigmoid')],
  ['gelu', activation('gelu')],
  ['identity', activation('identity')],
  ['sequential', sequential([dense({ in: 4, out: 3 }), activation('tanh'), dense({ in: 3, out: 2 })])],
  ['residual', residual(dense({ in: 4, out: 4 }))],
  [
    'nested',
    sequential({
      encoder: sequential([dense({ in: 4, out: 3 }), activation('gelu')]),
      body: residual(sequential([dense({ in: 3, out: 5, bias: false }), activation('tanh'), dense({ in: 5, out: 3 })])),
      head: dense({ in: 3, out: 1 }),
    }),
  ],
];

describe.each(layers)('%s', (_, layer) => {
  const path = 'some.layer';
  /** The input is one of the leaves, so that its derivative is under test as well. */
  const program: Program = (o, params) => layer.apply(o, params, path, params['x']);
  /** Inputs at a distance from the kink of relu. */
  const leavesOf = (seed: number, n: number): Params<Tensor> => {
    const x = gaussian(seed + 1, [n, 4]);
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
        const alone = program(ops, { ...params, x: ops.slice(params['x'], [2, 0], [1, 4]) }, []);
        const last = ops.slice(together, [2, 0], [1, together.shape[1]]);
        expect(scaledError(last.data, alone.data)).toBeLessThan(1e-14);
      }),
    );
  });

  it('law: withChildren(children) is the layer', () => {
    const same = layer.withChildren(layer.children.map(([, child]) => child));
    const params = leavesOf(1, 2);
    expect(same.parameters(path).map((spec) => spec.path)).toEqual(layer.parameters(path).map((spec) => spec.path));
    expect(values(same.apply(ops, params, path, params['x']))).toEqual(values(program(ops, params, [])));
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
    expect(values(layer.apply(ops, params, 'l', tensor([1, -1], [1, 2])))).toEqual([9, 19, 29]);
  });

  it('declares one site with its path, weight and bias', () => {
    const sitesOf = (layer: Layer, path: string): ReadonlyArray<unknown> => {
      const program: Program = (o, params, [x]) => layer.apply(o, params, path, x);
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
    const apply = (): unknown => dense({ in: 2, out: 1 }).apply(ops, {}, '3', gaussian(1, [1, 2]));
    expect(apply).toThrow('expected a parameter 3.weight, got none');
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
    const y = activation(kind).apply(ops, {}, '', tensor([-1, 0, 2], [1, 3]));
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
    expect(values(nested.apply(ops, renamed, '', x))).toEqual(values(flat.apply(ops, params, '', x)));
  });

  it('law: identity. An empty sequence gives its input back', () => {
    const x = gaussian(1, [2, 3]);
    expect(sequential([]).apply(ops, {}, '', x)).toBe(x);
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
        const expected = ops.add(x, f.apply(ops, params, 'block', x));
        expect(
          residual(f)
            .parameters('block')
            .map((s) => s.path),
        ).toEqual(f.parameters('block').map((s) => s.path));
        expect(values(residual(f).apply(ops, params, 'block', x))).toEqual(values(expected));
      }),
    );
  });

  it('rejects a layer that changes the shape, even to one that would broadcast', () => {
    const layer = residual(dense({ in: 4, out: 1 }));
    const apply = (): unknown => layer.apply(ops, paramsOf(layer, 'r', 1), 'r', gaussian(1, [2, 4]));
    expect(apply).toThrow("residual at r: expected a layer that keeps its input's shape [2, 4], got [2, 1]");
  });
});
