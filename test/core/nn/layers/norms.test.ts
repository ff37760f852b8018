import fc from 'fast-check';

import { jvp } from '../../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../../src/core/autodiff/program.ts';
import { vjp } from '../../../../src/core/autodiff/reverse.ts';
import { attempt } from '../../../../src/core/errors.ts';
import { batchNorm } from '../../../../src/core/nn/layers/batchNorm.ts';
import type { Circumstances } from '../../../../src/core/nn/layers/circumstances.ts';
import { evaluating } from '../../../../src/core/nn/layers/circumstances.ts';
import { dense } from '../../../../src/core/nn/layers/dense.ts';
import { groupNorm } from '../../../../src/core/nn/layers/groupNorm.ts';
import { layerNorm } from '../../../../src/core/nn/layers/layerNorm.ts';
import type { Layer } from '../../../../src/core/nn/layers/layer.ts';
import { rmsNorm } from '../../../../src/core/nn/layers/rmsNorm.ts';
import { sequential } from '../../../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../../../src/core/nn/model.ts';
import type { Params } from '../../../../src/core/params.ts';
import { pipeline } from '../../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { kfac } from '../../../../src/solvers/presets/kfac.ts';
import { scaledError } from '../../../support/closeness.ts';
import { indices } from '../../../support/sequences.ts';
import { runStage, stateOf } from '../../../support/training.ts';
import {
  derivativeAlong,
  gaussian,
  gaussianLike,
  inner,
  innerParams,
  movedParams,
  ops,
  relativeGap,
} from '../support.ts';

const training = (running: Params<Tensor> = {}): Circumstances<Tensor> => ({ arrays: {}, key: keyOf(1), running });

/** A layer's result, and what it keeps. */
const applied = (layer: Layer, params: Params<Tensor>, x: Tensor, at: Circumstances<Tensor>) =>
  vjp(ops, (on, p, [input]) => layer.apply(on, p, 'n', input, { ...at, arrays: {}, running: {} }), params, [x]);

describe('batch norm', () => {
  const norm = batchNorm({ features: 3, decay: 0.75 });
  const params = { 'n.weight': tensor([1, 2, 3], [3]), 'n.bias': tensor([0.5, 0, -1], [3]) };

  it('law: in training each feature has mean β and deviation γ over examples and positions, up to ε', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 4 }), (seed, n) => {
        const { outputs } = applied(
          batchNorm({ features: 3, epsilon: 1e-12 }),
          params,
          gaussian(seed, [n, 2, 3]),
          training(),
        );
        expect(scaledError(ops.mean(outputs, [0, 1]).data, params['n.bias'].data)).toBeLessThan(1e-13);
        const differences = ops.sub(outputs, params['n.bias']);
        const deviation = ops.sqrt(ops.mean(ops.square(differences), [0, 1]));
        expect(scaledError(deviation.data, params['n.weight'].data)).toBeLessThan(1e-8);
      }),
    );
  });

  it('law: running averages have a closed form, Σ of the batches with decaying weights', () => {
    const batches = [1, 2, 3].map((seed) => gaussian(seed, [4, 2, 3]));
    const run = batches.reduce<Params<Tensor>>((running, x) => {
      const kept: Record<string, Tensor> = {};
      norm.apply({ ...ops, keep: (path, value) => (kept[path] = value) }, params, 'n', x, training(running));
      return kept;
    }, {});
    const sumOf = (start: number, of: (x: Tensor) => Tensor): Tensor =>
      batches.reduce(
        (sum, x, i) => ops.add(sum, ops.scale(0.25 * 0.75 ** (2 - i), of(x))),
        ops.full([3], start * 0.75 ** 3),
      );
    const meanOf = (x: Tensor): Tensor => ops.mean(x, [0, 1]);
    const varianceOf = (x: Tensor): Tensor => ops.scale(8 / 7, ops.mean(ops.square(ops.sub(x, meanOf(x))), [0, 1]));
    expect(scaledError(run['n.mean'].data, sumOf(0, meanOf).data)).toBeLessThan(1e-14);
    expect(scaledError(run['n.variance'].data, sumOf(1, varianceOf).data)).toBeLessThan(1e-14);
  });

  it('worked example: in evaluation with the running averages, whatever the batch is', () => {
    const running = { 'n.mean': tensor([1, 0, -1], [3]), 'n.variance': tensor([4, 1, 9], [3]) };
    const at = evaluating<Tensor>({}, running);
    const exact = batchNorm({ features: 3, epsilon: 1e-300 });
    expect(exact.apply(ops, params, 'n', tensor([5, 1, 2], [1, 3]), at).data).toEqual(tensor([2.5, 2, 2], [3]).data);
    // Before any training the averages are 0 and 1.
    const fresh = exact.apply(ops, params, 'n', tensor([5, 1, 2], [1, 3]), evaluating<Tensor>({}));
    expect(fresh.data).toEqual(tensor([5.5, 2, 5], [3]).data);
  });

  it('of a single value it gives β, and keeps a variance that is a number', () => {
    const kept: Record<string, Tensor> = {};
    const y = norm.apply(
      { ...ops, keep: (path, value) => (kept[path] = value) },
      params,
      'n',
      gaussian(1, [1, 3]),
      training(),
    );
    expect(y.data).toEqual(params['n.bias'].data);
    expect(Array.from(kept['n.variance'].data)).toEqual([0.75, 0.75, 0.75]);
  });

  it('law: derivatives in training, where examples meet', () => {
    const program: Program = (on, p) => norm.apply(on, p, 'n', p['x'], { arrays: {}, key: keyOf(1), running: {} });
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 4 }), (seed, n) => {
        const leaves = { ...params, x: gaussian(seed, [n, 2, 3]) };
        const v = gaussianLike(seed + 1, leaves);
        const { value, tangent } = jvp(ops, program, leaves, v, []);
        const c = gaussian(seed + 2, value.shape);
        const { pullback } = vjp(ops, program, leaves, []);
        const found = innerParams(pullback(c).params, v);
        expect(relativeGap(inner(c, tangent), found)).toBeLessThan(1e-12);
        const expected = derivativeAlong((t) => inner(c, program(ops, movedParams(leaves, t, v), [])));
        expect(relativeGap(found, expected)).toBeLessThan(1e-6);
      }),
    );
  });

  it('is trained by K-FAC: averages are carried by the state, gain and shift have their block', async () => {
    const layer = sequential({ first: dense({ in: 4, out: 3 }), n: norm, head: dense({ in: 3, out: 3 }) });
    const objective = { model: model('net', [4], layer), loss: softmaxCrossEntropy };
    const step = pipeline(withObjective(objective), kfac().step);
    const batch = { inputs: gaussian(1, [8, 4]), targets: indices(2, [8], 3) };
    let state = stateOf(objective.model, 3);
    const losses: Array<number> = [];
    for (let i = 0; i < 6; i += 1) {
      const { next, metrics } = await runStage(step, state, batch);
      const { loss } = metrics;
      losses.push(typeof loss === 'number' ? loss : loss.data[0]);
      state = next;
    }
    expect(losses[5]).toBeLessThan(losses[0]);
    expect(Object.keys(state.running)).toEqual(['n.mean', 'n.variance']);
    expect(Object.keys(state.curvature.averages)).toEqual(['first', 'n', 'head']);
    expect(Object.keys(state.params)).not.toContain('n.mean');
  });
});

describe('norms of one example', () => {
  it('law: one group of all features without positions is layer norm', () => {
    const params = { 'n.weight': gaussian(1, [6]), 'n.bias': gaussian(2, [6]) };
    const x = gaussian(3, [4, 6]);
    const [a, b] = [groupNorm({ features: 6, groups: 1 }), layerNorm({ features: 6 })].map(
      (layer) => applied(layer, params, x, training()).outputs,
    );
    expect(a).toEqual(b);
  });

  it('law: a group for each feature sees its positions alone', () => {
    const layer = groupNorm({ features: 2, groups: 2, shift: false });
    const params = { 'n.weight': tensor([1, 1], [2]) };
    const x = gaussian(3, [2, 5, 2]);
    const moved = ops.add(x, tensor([10, -3], [2]));
    const [a, b] = [x, moved].map((input) => applied(layer, params, input, training()).outputs);
    expect(scaledError(b.data, a.data)).toBeLessThan(1e-13);
  });

  it('law: rms norm of c x is that of x, up to ε', () => {
    const params = { 'n.weight': gaussian(1, [4]) };
    const layer = rmsNorm({ features: 4, epsilon: 1e-12 });
    const x = gaussian(3, [3, 4]);
    const [a, b] = [x, ops.scale(7, x)].map((input) => applied(layer, params, input, training()).outputs);
    expect(scaledError(b.data, a.data)).toBeLessThan(1e-10);
  });
});

describe('what is refused', () => {
  it.each<readonly [string, Layer]>([
    ['batchNorm', batchNorm({ features: 3 })],
    ['groupNorm', groupNorm({ features: 3, groups: 3 })],
    ['rmsNorm', rmsNorm({ features: 3 })],
  ])('other features, by name: %s', (kind, layer) => {
    const result = attempt(() => layer.apply(ops, {}, 'body.1', gaussian(1, [2, 4]), evaluating<Tensor>({})));
    expect(result).toEqual({
      _tag: 'Left',
      left: { _tag: 'ShapeMismatch', where: `${kind} at body.1`, expected: 'an input [n, …, 3]', actual: '[2, 4]' },
    });
  });

  it.each<readonly [string, () => Layer, string]>([
    ['groups that do not divide the features', () => groupNorm({ features: 4, groups: 3 }), 'groupNorm.groups'],
    ['an ε of 0', () => rmsNorm({ features: 4, epsilon: 0 }), 'rmsNorm.epsilon'],
    ['averages that never move', () => batchNorm({ features: 4, decay: 1 }), 'batchNorm.decay'],
  ])('%s', (_, make, path) => {
    expect(attempt(make)).toMatchObject({ left: { _tag: 'BadConfig', path } });
  });
});
