import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { Program } from '../../../src/core/autodiff/program.ts';
import { gradientOf } from '../../../src/core/autodiff/reverse.ts';
import { dryRun, shapeInterpreter } from '../../../src/core/autodiff/shape.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Site } from '../../../src/core/ops/site.ts';
import type { Shape, Shaped } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { conformanceCases } from '../../support/conformance.ts';
import { reference } from '../../support/conformance/trial.ts';
import { orThrow } from '../../support/training.ts';

const site: Site = { kind: 'dense', path: 'layer', weight: 'layer.weight', bias: 'layer.bias' };

const layer: Program = (ops, params, [x]) =>
  ops.tanh(ops.site(site, x, ops.affine(x, params['layer.weight'], params['layer.bias'])));

const shapesOf = (from: number, to: number): Readonly<Record<string, Shape>> => ({
  'layer.weight': [to, from],
  'layer.bias': [to],
});

describe('the shape interpreter', () => {
  const operations = [...new Set(conformanceCases.map(({ operation }) => operation))];

  it.each(operations)('law: the shape of %s is that of its result', (operation) => {
    for (const { trials } of conformanceCases.filter((c) => c.operation === operation)) {
      fc.assert(
        fc.property(trials, ({ operands, run }) => {
          const { ops, tally } = shapeInterpreter();
          const { shape } = run<Shaped>(
            ops,
            operands.map((x) => ({ shape: x.shape })),
          );
          expect(shape).toEqual(run(reference, operands.map(reference.constant)).shape);
          const { flops, bytes } = tally();
          expect(flops).toBeGreaterThanOrEqual(0);
          expect(Number.isInteger(flops) && bytes % 4 === 0).toBe(true);
        }),
      );
    }
  });

  const window = { kernel: [2, 2], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const;

  interface Price {
    readonly name: string;
    readonly shapes: ReadonlyArray<Shape>;
    readonly run: (ops: Ops<Shaped>, xs: ReadonlyArray<Shaped>) => unknown;
    readonly flops: number;
    /** Elements read and written. */
    readonly elements: number;
  }

  const prices: ReadonlyArray<Price> = [
    // 2 m n k with m = 2, n = 5, k = 3; two operands and the result.
    {
      name: 'matmul',
      shapes: [
        [2, 3],
        [3, 5],
      ],
      run: (ops, [a, b]) => ops.matmul(a, b),
      flops: 60,
      elements: 6 + 15 + 10,
    },
    {
      name: 'batched matmul',
      shapes: [
        [4, 3, 2],
        [4, 3, 5],
      ],
      run: (ops, [a, b]) => ops.matmul(a, b, { transposeA: true }),
      flops: 240,
      elements: 4 * (6 + 15 + 10),
    },
    {
      name: 'affine with a bias',
      shapes: [[2, 3], [5, 3], [5]],
      run: (ops, [x, w, b]) => ops.affine(x, w, b),
      flops: 70,
      elements: 6 + 15 + 5 + 10,
    },
    {
      name: 'affine without one',
      shapes: [
        [2, 3],
        [5, 3],
      ],
      run: (ops, [x, w]) => ops.affine(x, w, null),
      flops: 60,
      elements: 6 + 15 + 10,
    },
    // n d (d + 1) = 2 · 3 · 4: the products of one triangle.
    { name: 'gram', shapes: [[2, 3]], run: (ops, [x]) => ops.gram(x), flops: 24, elements: 6 + 9 },
    { name: 'unary', shapes: [[2, 3]], run: (ops, [x]) => ops.tanh(x), flops: 6, elements: 12 },
    {
      name: 'binary, with broadcasting',
      shapes: [[2, 3], [3]],
      run: (ops, [a, b]) => ops.add(a, b),
      flops: 6,
      elements: 6 + 3 + 6,
    },
    {
      name: 'select',
      shapes: [[2, 1], [2, 3], []],
      run: (ops, [c, a, b]) => ops.select(c, a, b),
      flops: 6,
      elements: 2 + 6 + 1 + 6,
    },
    { name: 'sum', shapes: [[2, 3]], run: (ops, [x]) => ops.sum(x, [0]), flops: 6, elements: 6 + 3 },
    { name: 'max', shapes: [[2, 3]], run: (ops, [x]) => ops.max(x, [0, 1]), flops: 6, elements: 6 + 1 },
    { name: 'full', shapes: [], run: (ops) => ops.full([2, 3], 1), flops: 0, elements: 6 },
    { name: 'constant', shapes: [], run: (ops) => ops.constant(tensor([1], [1])), flops: 0, elements: 0 },
    { name: 'reshape', shapes: [[2, 3]], run: (ops, [x]) => ops.reshape(x, [6]), flops: 0, elements: 0 },
    { name: 'stopGradient', shapes: [[2, 3]], run: (ops, [x]) => ops.stopGradient(x), flops: 0, elements: 0 },
    { name: 'keep', shapes: [[2, 3]], run: (ops, [x]) => ops.keep('mean', x), flops: 0, elements: 0 },
    { name: 'site', shapes: [[2, 3]], run: (ops, [x]) => ops.site(site, x, x), flops: 0, elements: 0 },
    { name: 'transpose', shapes: [[2, 3]], run: (ops, [x]) => ops.transposed(x), flops: 0, elements: 12 },
    {
      name: 'broadcastTo',
      shapes: [[3]],
      run: (ops, [x]) => ops.broadcastTo(x, [2, 3]),
      flops: 0,
      elements: 3 + 6,
    },
    {
      name: 'concat',
      shapes: [
        [2, 3],
        [1, 3],
      ],
      run: (ops, xs) => ops.concat(xs, 0),
      flops: 0,
      elements: 18,
    },
    { name: 'slice', shapes: [[9, 9]], run: (ops, [x]) => ops.slice(x, [1, 1], [2, 3]), flops: 0, elements: 12 },
    { name: 'pad', shapes: [[2, 3]], run: (ops, [x]) => ops.pad(x, [1, 0], [3, 3]), flops: 0, elements: 6 + 9 },
    {
      name: 'gather',
      shapes: [[9, 3]],
      run: (ops, [x]) => ops.gather(x, ops.constant(generate([2], () => 0, 'i32'))),
      flops: 0,
      elements: 6 + 2 + 6,
    },
    {
      name: 'scatterAdd',
      shapes: [[2, 3]],
      run: (ops, [u]) => ops.scatterAdd(ops.constant(generate([2], () => 0, 'i32')), u, 9),
      flops: 6,
      elements: 2 + 6 + 27,
    },
    // 1 x 2 windows of 4 elements.
    {
      name: 'patches',
      shapes: [[1, 2, 3, 1]],
      run: (ops, [x]) => ops.patches(x, window),
      flops: 0,
      elements: 6 + 8,
    },
    {
      name: 'unpatches',
      shapes: [[1, 1, 2, 4]],
      run: (ops, [x]) => ops.unpatches(x, window, [1, 2, 3, 1]),
      flops: 8,
      elements: 8 + 6,
    },
    // 1 x 2 x 3 outputs, each a product of 4 elements.
    {
      name: 'convolve',
      shapes: [
        [1, 2, 3, 1],
        [3, 4],
      ],
      run: (ops, [x, w]) => ops.convolve(x, w, window),
      flops: 2 * 6 * 4,
      elements: 6 + 12 + 6,
    },
    {
      name: 'convolveTransposed',
      shapes: [
        [1, 1, 2, 3],
        [3, 4],
      ],
      run: (ops, [y, w]) => ops.convolveTransposed(y, w, window, [1, 2, 3, 1]),
      flops: 2 * 6 * 4,
      elements: 6 + 12 + 6,
    },
    {
      name: 'correlate',
      shapes: [
        [1, 2, 3, 1],
        [1, 1, 2, 3],
      ],
      run: (ops, [x, y]) => ops.correlate(x, y, window, 1),
      flops: 2 * 6 * 4,
      elements: 6 + 6 + 12,
    },
  ];

  it.each(prices.map((price) => [price.name, price] as const))('worked example: the price of %s', (_, price) => {
    const { ops, tally } = shapeInterpreter();
    price.run(
      ops,
      price.shapes.map((shape) => ({ shape })),
    );
    expect(tally()).toMatchObject({ flops: price.flops, bytes: 4 * price.elements });
  });
});

describe('dryRun', () => {
  it('worked example: a layer of 3 to 5 on 2 rows', () => {
    const run = orThrow(dryRun(layer, shapesOf(3, 5), [[2, 3]]));
    // affine: 2 · 2 · 5 · 3 + 10 flops on 6 + 15 + 5 + 10 elements; tanh: 10 flops on 20.
    expect(run).toEqual({
      output: [2, 5],
      flops: 80,
      bytes: 4 * 56,
      sites: [{ site, input: [2, 3], output: [2, 5] }],
    });
  });

  it('law: a shape that does not fit is a Left that names the operation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (from, given) => {
        const result = dryRun(layer, shapesOf(from, 2), [[4, given]]);
        if (from === given) expect(E.isRight(result)).toBe(true);
        else expect(result).toMatchObject(E.left({ _tag: 'ShapeMismatch', where: 'affine' }));
      }),
    );
  });

  it('law: runs do not see each other, one within another or after a failure', () => {
    const alone = dryRun(layer, shapesOf(3, 5), [[2, 3]]);
    const nested: Program = (ops, params, inputs) => {
      expect(dryRun(layer, shapesOf(3, 5), [[2, 3]])).toEqual(alone);
      dryRun(layer, shapesOf(4, 5), [[2, 3]]);
      return layer(ops, params, inputs);
    };
    expect(dryRun(nested, shapesOf(3, 5), [[2, 3]])).toEqual(alone);
    expect(dryRun(layer, shapesOf(3, 5), [[2, 3]])).toEqual(alone);
  });

  it('law: a tally is a value. Later operations do not change it', () => {
    const { ops, tally } = shapeInterpreter();
    ops.site(site, { shape: [1] }, { shape: [1] });
    const before = tally();
    ops.site(site, ops.full([2], 0), { shape: [1] });
    expect(before).toMatchObject({ bytes: 0, sites: [{}] });
    expect(before.sites).toHaveLength(1);
    expect(tally().sites).toHaveLength(2);
  });

  it('counts a diagonal and a trace of a matrix that no memory holds, as many operations as their definitions have', () => {
    const { ops, tally } = shapeInterpreter();
    const n = 10 ** 7;
    expect(ops.addDiagonal({ shape: [n, n] }, 1)).toEqual({ shape: [n, n] });
    expect(ops.trace({ shape: [n, n] })).toEqual({ shape: [] });
    expect(tally().flops).toBe(4 * n * n);
  });

  it('law: below the reverse mode it counts the products of a gradient', () => {
    const extent = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(extent, extent, extent, (n, from, to) => {
        const { ops, tally } = shapeInterpreter();
        const params = { w: { shape: [to, from] } };
        const loss: Program = (on, { w }, [x]) => on.sum(on.affine(x, w, null), [0, 1]);
        const gradient = gradientOf(loss)<Shaped>(ops, params, [{ shape: [n, from] }]);
        expect(gradient['w'].shape).toEqual([to, from]);
        // Forward and backward product are as large; the sum adds n · to.
        expect(tally().flops).toBe(2 * (2 * n * from * to) + n * to);
      }),
    );
  });
});
