import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { activation } from '../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { model, initialParams, summarise } from '../../../src/core/nn/model.ts';
import { residual } from '../../../src/core/nn/layers/residual.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import type { Summary } from '../../../src/core/nn/summary.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, ops, values } from './support.ts';

const widths = [784, 1000, 500, 250, 30, 250, 500, 1000, 784];
const autoencoder = model(
  'autoencoder',
  [784],
  sequential(widths.slice(1).map((out, i) => dense({ in: widths[i], out }))),
);
const small = model(
  'small',
  [4],
  sequential({
    encoder: sequential([dense({ in: 4, out: 3 }), activation('tanh')]),
    body: residual(sequential([dense({ in: 3, out: 3, bias: false }), activation('relu')])),
    head: dense({ in: 3, out: 2 }),
  }),
);

const summaryOf = (described: typeof small, batch: number): Summary => {
  const summary = summarise(described, batch);
  if (E.isLeft(summary)) throw new Error(summary.left._tag);
  return summary.right;
};

describe('model', () => {
  it('has stable parameter paths, in the order of the layers', () => {
    expect(Object.keys(initialParams(small, keyOf(1), 'f32'))).toEqual([
      'encoder.0.weight',
      'encoder.0.bias',
      'body.0.weight',
      'head.weight',
      'head.bias',
    ]);
  });

  it('law: the program is the layer at the empty path', () => {
    const params = initialParams(small, keyOf(1), 'f64');
    const x = gaussian(2, [5, 4]);
    expect(values(small.program(ops, params, evaluating({ inputs: x })))).toEqual(
      values(small.layer.apply(ops, params, '', x, evaluating({}))),
    );
  });

  it('law: the key decides the initial parameters, in both precisions alike', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const single = initialParams(small, keyOf(seed), 'f32');
        const double = initialParams(small, keyOf(seed), 'f64');
        expect(initialParams(small, keyOf(seed), 'f64')).toEqual(double);
        Object.entries(double).forEach(([path, p]) => {
          expect([single[path].dtype, p.dtype]).toEqual(['f32', 'f64']);
          expect(scaledError(single[path].data, p.data)).toBeLessThan(2 ** -22);
        });
      }),
    );
    expect(initialParams(small, keyOf(1), 'f64')).not.toEqual(initialParams(small, keyOf(2), 'f64'));
  });

  it('draws each parameter from a key of its own', () => {
    const twins = model('twins', [4], sequential([dense({ in: 4, out: 4 }), dense({ in: 4, out: 4 })]));
    const params = initialParams(twins, keyOf(1), 'f64');
    expect(values(params['0.weight'])).not.toEqual(values(params['1.weight']));
  });
});

describe('summarise', () => {
  it('by hand: a layer 4 → 3 on five examples, and what follows it', () => {
    const { rows, output, parameters } = summaryOf(small, 5);
    expect(rows.map((row) => [row.path, row.label, row.output, row.parameters, row.site])).toEqual([
      ['encoder.0', 'dense 4 → 3', [5, 3], 15, 'dense'],
      ['encoder.1', 'tanh', [5, 3], 0, null],
      ['body.0', 'dense 3 → 3', [5, 3], 9, 'dense'],
      ['body.1', 'relu', [5, 3], 0, null],
      ['body', 'residual, sequential of 2', [5, 3], 0, null],
      ['head', 'dense 3 → 2', [5, 2], 8, 'dense'],
    ]);
    expect([output, parameters]).toEqual([[5, 2], 32]);
    // 5 · 3 · 4 multiply–adds are 2 · 60 operations, and 15 additions of the bias.
    expect(rows[0].flops).toBe(135);
    // The skip adds 15 numbers.
    expect(rows[4].flops).toBe(15);
  });

  it('counts the deep autoencoder', () => {
    const { rows, parameters, output } = summaryOf(autoencoder, 1000);
    expect([rows.length, parameters, output]).toEqual([8, 2837314, [1000, 784]]);
  });

  it('law: rows add up to the totals', () => {
    const width = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(fc.array(width, { minLength: 2, maxLength: 6 }), fc.integer({ min: 1, max: 7 }), (extents, batch) => {
        const layers = extents.slice(1).flatMap((out, i) => {
          const layer = dense({ in: extents[i], out });
          return [layer, residual(sequential([dense({ in: out, out }), activation('gelu')]))];
        });
        const summary = summaryOf(model('random', [extents[0]], sequential(layers)), batch);
        (['parameters', 'flops', 'bytes'] as const).forEach((field) => {
          expect(summary.rows.reduce((sum, row) => sum + row[field], 0)).toBe(summary[field]);
        });
      }),
    );
  });

  it('law: it says what the model does', () => {
    const params = initialParams(small, keyOf(1), 'f64');
    const { rows, output, parameters } = summaryOf(small, 5);
    const computed = small.program(ops, params, evaluating({ inputs: gaussian(1, [5, 4]) }));
    expect(output).toEqual(computed.shape);
    expect(parameters).toBe(Object.values(params).reduce((sum, p) => sum + p.data.length, 0));
    expect(rows[rows.length - 1].output).toEqual(output);
  });

  it('reports layers that do not fit as a value', () => {
    const broken = model('broken', [4], sequential([dense({ in: 4, out: 3 }), dense({ in: 2, out: 1 })]));
    const summary = summarise(broken, 5);
    expect(summary).toMatchObject({ _tag: 'Left', left: { _tag: 'ShapeMismatch', where: 'affine' } });
  });
});
