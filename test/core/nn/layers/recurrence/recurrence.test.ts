import fc from 'fast-check';

import { referenceBackend } from '../../../../../src/core/backends/reference/backend.ts';
import type { Program } from '../../../../../src/core/autodiff/program.ts';
import { vjp } from '../../../../../src/core/autodiff/reverse.ts';
import { dense } from '../../../../../src/core/nn/layers/dense.ts';
import { sequential } from '../../../../../src/core/nn/layers/sequential.ts';
import { evaluating } from '../../../../../src/core/nn/layers/circumstances.ts';
import type { Layer } from '../../../../../src/core/nn/layers/layer.ts';
import type { RecurrentOptions, RnnOptions } from '../../../../../src/core/nn/layers/recurrence/recurrent.ts';
import { gru, lstm, rnn } from '../../../../../src/core/nn/layers/recurrence/recurrent.ts';
import { lengthsOf } from '../../../../../src/core/nn/lengths.ts';
import { initialParams, model } from '../../../../../src/core/nn/model.ts';
import type { Params } from '../../../../../src/core/params.ts';
import { mapParams } from '../../../../../src/core/params.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../../src/core/tensor.ts';
import { tensor } from '../../../../../src/core/tensor.ts';
import { predict } from '../../../../../src/pipelines/trainer/predict.ts';
import { scaledError } from '../../../../support/closeness.ts';
import { readFrom } from '../../../../support/conformance/trial.ts';
import { onEveryBackend } from '../../../../support/everyBackend.ts';
import type { LayerFixture } from '../../../../support/layerFixtures.ts';
import { agreesWith, layerFixtures } from '../../../../support/layerFixtures.ts';
import { gaussian, ops, values } from '../../support.ts';

const kinds = { rnn, gru, lstm } as const;
const names = ['rnn', 'gru', 'lstm'] as const;

interface Fixture extends LayerFixture<RnnOptions> {
  readonly kind: (typeof names)[number];
}

const paramsOf = (layer: Layer, seed: number): Params<Tensor> =>
  Object.fromEntries(layer.parameters('').map(({ path, shape }, i) => [path, gaussian(seed + i, shape)]));

const run = (layer: Layer, params: Params<Tensor>, x: Tensor, arrays: Params<Tensor> = {}): Tensor =>
  layer.apply(ops, params, '', x, evaluating(arrays));

const lengthArray = (counts: ReadonlyArray<number>): Tensor => tensor(counts, [counts.length], 'i32');

/** The box of x `[n, t, d]` of some examples, positions and features. */
const box = (x: Tensor, ...sides: ReadonlyArray<readonly [begin: number, count: number]>): Tensor =>
  ops.slice(
    x,
    sides.map(([begin]) => begin),
    sides.map(([, count]) => count),
  );

/** x `[n, t, d]` from its last position to its first. */
const reversed = (x: Tensor): Tensor => {
  const [n, t, d] = x.shape;
  return ops.concat(
    Array.from({ length: t }, (_, i) => box(x, [0, n], [t - 1 - i, 1], [0, d])),
    1,
  );
};

describe('recurrent layers are those of PyTorch: values, gradients, a second derivative', () => {
  const fixtures = layerFixtures<RnnOptions>('sequences/recurrence.json') as ReadonlyArray<Fixture>;
  it.each(fixtures.map((fixture) => [fixture.label, fixture] as const))('%s', (_, fixture) => {
    agreesWith(kinds[fixture.kind](fixture.options), fixture, 1e-10);
  });
});

describe.each(names)('%s', (name) => {
  const small: RecurrentOptions = { in: 2, features: 3 };

  it('law: of a reversed sequence both directions give the reverse of each other', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), (seed, t) => {
        const layer = kinds[name]({ ...small, bidirectional: true });
        const params = paramsOf(layer, seed);
        const swapped = Object.fromEntries(
          Object.keys(params).map((path) => [
            path,
            params[path.replace(/forward|backward/, (side) => (side === 'forward' ? 'backward' : 'forward'))],
          ]),
        );
        const x = gaussian(seed + 50, [2, t, 2]);
        const [there, back] = [run(layer, params, x), reversed(run(layer, swapped, reversed(x)))];
        const half = (y: Tensor, which: 0 | 1): Tensor => box(y, [0, 2], [0, t], [3 * which, 3]);
        for (const which of [0, 1] as const) {
          const other = which === 0 ? 1 : 0;
          expect(scaledError(half(back, other).data, half(there, which).data)).toBeLessThan(1e-14);
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([false, true])(
    'law: lengths. Each sequence gives what it gives alone, then zeros (both directions: %s)',
    (both) => {
      const counts = [3, 1, 4, 0];
      const layer = kinds[name]({ ...small, layers: 2, bidirectional: both, lengths: 'lengths' });
      const last = kinds[name]({ ...small, layers: 2, bidirectional: both, lengths: 'lengths', returns: 'last' });
      const params = paramsOf(layer, 7);
      const x = gaussian(8, [4, 4, 2]);
      const lengths = lengthArray(counts);
      const [together, ends] = [run(layer, params, x, { lengths }), run(last, params, x, { lengths })];
      const features = both ? 6 : 3;
      counts.forEach((count, i) => {
        const rest = box(together, [i, 1], [count, 4 - count], [0, features]);
        expect(values(rest).every((y) => y === 0)).toBe(true);
        if (count === 0) return;
        const alone = box(x, [i, 1], [0, count], [0, 2]);
        const one = lengthArray([count]);
        const expected = run(layer, params, alone, { lengths: one });
        const found = box(together, [i, 1], [0, count], [0, features]);
        expect(scaledError(found.data, expected.data)).toBeLessThan(1e-14);
        const end = run(last, params, alone, { lengths: one });
        expect(scaledError(ops.slice(ends, [i, 0], [1, features]).data, end.data)).toBeLessThan(1e-14);
      });
    },
  );

  it('law: layers are stacked. Two layers are one after the other', () => {
    const [first, second] = [kinds[name](small), kinds[name]({ in: 3, features: 3 })];
    const both = kinds[name]({ ...small, layers: 2 });
    const params = paramsOf(both, 3);
    const part = (layer: number): Params<Tensor> =>
      Object.fromEntries(
        Object.entries(params).flatMap(([path, p]) => (path.startsWith(`${layer}.`) ? [[`0${path.slice(1)}`, p]] : [])),
      );
    const x = gaussian(4, [2, 3, 2]);
    expect(values(run(both, params, x))).toEqual(values(run(second, part(1), run(first, part(0), x))));
  });

  it('law: the last output is the last of the sequence', () => {
    const params = paramsOf(kinds[name](small), 3);
    const x = gaussian(4, [2, 3, 2]);
    const all = run(kinds[name](small), params, x);
    expect(values(run(kinds[name]({ ...small, returns: 'last' }), params, x))).toEqual(
      values(box(all, [0, 2], [2, 1], [0, 3])),
    );
  });

  it('the weight of the input meets the sequence, that of the state every step: one site with as many uses', () => {
    const layer = kinds[name](small);
    const program: Program = (on, params, [x]) => layer.apply(on, params, '', x, evaluating({}));
    const { sites } = vjp(ops, program, paramsOf(layer, 1), [gaussian(2, [2, 4, 2])]);
    expect(sites.map(({ site, input }) => [site.path, input.shape])).toEqual([
      ['0.forward.input', [2, 4, 2]],
      ...Array.from({ length: 4 }, () => ['0.forward.state', [2, 3]]),
    ]);
  });

  it('refuses lengths of another shape, a batch without them, other features, words that it does not know', () => {
    const layer = kinds[name]({ ...small, lengths: 'lengths' });
    const params = paramsOf(layer, 1);
    const x = gaussian(2, [2, 4, 2]);
    expect(() => run(layer, params, x, { lengths: lengthArray([1, 2, 3]) })).toThrow(
      `${name}: expected lengths [2], got [3]`,
    );
    expect(() => run(layer, params, x)).toThrow(`${name}: expected a batch with an array lengths`);
    expect(() => run(kinds[name](small), params, gaussian(2, [2, 4, 3]))).toThrow(
      `${name}: expected an input [n, positions, 2] of at least one position, got [2, 4, 3]`,
    );
    const returns = 'all' as 'last';
    expect(() => kinds[name]({ ...small, returns })).toThrow(
      `${name}.returns: expected one of sequence, last, got "all"`,
    );
  });

  onEveryBackend((backendName, use) => {
    it(`law: on ${backendName} values and gradients are those of the reference`, () =>
      use(async (backend) => {
        const layer = kinds[name]({ ...small, layers: 2, bidirectional: true, lengths: 'lengths' });
        const params = paramsOf(layer, 1);
        const [x, lengths, c] = [gaussian(2, [3, 4, 2]), lengthArray([4, 1, 3]), gaussian(3, [3, 4, 6])];
        const program: Program = (on, p, [given, counts]) =>
          layer.apply(on, p, '', given, evaluating({ lengths: counts }));
        const expected = vjp(ops, program, params, [x, lengths]);
        const { constant } = backend.ops;
        const found = vjp(backend.ops, program, mapParams(params, constant), [constant(x), constant(lengths)]);
        const tolerance = backend.dtype === 'f32' ? 2e-5 : 1e-13;
        expect(scaledError((await readFrom(backend, found.outputs)).data, expected.outputs.data)).toBeLessThan(
          tolerance,
        );
        const [theirs, ours] = [expected.pullback(c).params, found.pullback(constant(c)).params];
        for (const path of Object.keys(params)) {
          expect(scaledError((await readFrom(backend, ours[path])).data, theirs[path].data)).toBeLessThan(tolerance);
        }
      }));
  });
});

describe('lengths of a batch', () => {
  const reading = lstm({ in: 2, features: 2, lengths: 'lengths', returns: 'last' });
  const net = model('reading', { inputs: [3, 2], lengths: [] }, sequential([reading, dense({ in: 2, out: 1 })]));

  it('a model says how long a sequence may be, whatever its layers stand in', () => {
    expect(lengthsOf(net)).toEqual([{ array: 'lengths', path: '0', most: 3 }]);
    expect(lengthsOf(model('plain', [3, 2], lstm({ in: 2, features: 2 })))).toEqual([]);
  });

  it('a length beyond the sequence is refused by the layer, with the example', async () => {
    const inputs = gaussian(1, [2, 3, 2]);
    const params = initialParams(net, keyOf(1), 'f64');
    const fits = await predict(referenceBackend(), net, params, { inputs, lengths: lengthArray([3, 0]) })();
    expect(fits._tag).toBe('Right');
    const refused = await predict(referenceBackend(), net, params, { inputs, lengths: lengthArray([3, 4]) })();
    expect(refused).toMatchObject({
      left: {
        _tag: 'BadData',
        expected: 'lengths from 0 to 3, the positions of the input at 0',
        actual: '4 in example 1',
      },
    });
  });
});

it('an LSTM starts with open forget gates, and orthogonal weights of the state', () => {
  const net = model('memory', [3, 2], lstm({ in: 2, features: 2 }));
  const params = initialParams(net, keyOf(1), 'f64');
  expect(values(params['0.forward.input.bias'])).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  const products = ops.gram(params['0.forward.state.weight']);
  expect(scaledError(products.data, [1, 0, 0, 1])).toBeLessThan(1e-12);
});
