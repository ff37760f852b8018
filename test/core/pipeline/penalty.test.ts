import { gradientPenalty, r1 } from '../../../src/core/nn/losses/gradientPenalty.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import { latent } from '../../../src/core/nn/layers/latent.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import type { ModelProgram } from '../../../src/core/nn/model.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import type { Params } from '../../../src/core/params.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import type { Objective } from '../../../src/core/pipeline/objective.ts';
import { holding } from '../../../src/core/pipeline/group.ts';
import { linearisedPenalty } from '../../../src/core/pipeline/penalty.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { gaussian } from '../nn/support.ts';
import { derivativeAlong, gaussianLike, innerParams, movedParams, ops, values } from '../nn/support.ts';
import { runStage } from '../../support/training.ts';

const discriminator = sequential([dense({ in: 2, out: 5 }), activation('tanh'), dense({ in: 5, out: 1 })]);
const generator = sequential([latent({ features: 3 }), dense({ in: 3, out: 2 })]);
const scoring = { layer: discriminator, path: 'd' };
const both = model('both', [2], sequential({ g: generator, d: discriminator }));
const params = initialParams(both, keyOf(3), 'f64');
const inputs = gaussian(1, [6, 2]);
const at = evaluating({ inputs });

const penalties: ReadonlyArray<readonly [string, ModelProgram]> = [
  ['R₁', r1(scoring, 0.7)],
  ['gradient penalty', gradientPenalty(scoring, { layer: generator, path: 'g' }, 0.7)],
];

describe('a gradient inside a loss', () => {
  it('law: R₁ is γ/2 of the mean square of difference quotients of the scores', () => {
    const scoreAt = (x: Tensor): ReadonlyArray<number> => values(discriminator.apply(ops, params, 'd', x, at));
    const squares = Array.from({ length: 6 }, (_, n) =>
      [0, 1].reduce((sum, j) => {
        const along = (c: number): number =>
          scoreAt({ ...inputs, data: Float64Array.from(inputs.data, (v, i) => (i === 2 * n + j ? v + c : v)) })[n];
        return sum + derivativeAlong(along) ** 2;
      }, 0),
    );
    const expected = (0.35 * squares.reduce((sum, s) => sum + s, 0)) / 6;
    expect(Math.abs(r1(scoring, 0.7)(ops, params, at).data[0] - expected)).toBeLessThan(1e-10);
  });

  it('worked example: where a network is linear, the penalty is of the length of its weights, 5', () => {
    const linear = { layer: dense({ in: 2, out: 1 }), path: 'd' };
    const weights = {
      ...params,
      'd.weight': { ...inputs, shape: [1, 2], data: Float64Array.of(3, 4) },
      'd.bias': gaussian(1, [1]),
    };
    expect(r1(linear, 2)(ops, weights, at).data[0]).toBeCloseTo(25, 12);
    const away = gradientPenalty(linear, { layer: generator, path: 'g' }, 2)(ops, weights, at);
    expect(away.data[0]).toBeCloseTo(2 * (5 - 1) ** 2, 10);
  });

  it.each(penalties)('law: the gradient of %s in the parameters is that of difference quotients', (_, penalty) => {
    const { value, gradient } = linearisedPenalty(ops, penalty, { params, held: {}, at });
    expect(value).toEqual(penalty(ops, params, at));
    const v = gaussianLike(7, params);
    const slope = derivativeAlong((c) => penalty(ops, movedParams(params, c, v), at).data[0]);
    expect(Math.abs(innerParams(gradient, v) - slope)).toBeLessThan(1e-9 * (1 + Math.abs(slope)));
    expect(Math.abs(slope)).toBeGreaterThan(1e-3);
  });

  it.each(penalties)(
    'law: %s of an objective is added to its loss and gradient; what is held has none',
    async (_, penalty) => {
      const plain: Objective = { model: both, loss: squaredError };
      const batch = { inputs, targets: gaussian(2, [6, 1]) };
      const state = holding(initialState(params, keyOf(5)), ['g.1.weight']);
      const run = (objective: Objective) =>
        runStage(pipeline(withObjective(objective), forward, backward), state, batch);
      const [without, whole] = [await run(plain), await run({ ...plain, penalty })];
      const added = linearisedPenalty(ops, penalty, { ...state, at: whole.circumstances });
      expect(whole.loss.data[0]).toBeCloseTo(without.loss.data[0] + added.value.data[0], 12);
      expect(whole.metrics['loss']).toEqual(whole.loss);
      expect(whole.metrics['penalty']).toEqual(added.value);
      const sum: Params<Tensor> = movedParams(without.gradient, 1, added.gradient);
      expect(Object.keys(whole.gradient)).not.toContain('g.1.weight');
      for (const [path, g] of Object.entries(whole.gradient)) expect(values(g)).toEqual(values(sum[path]));
      // No curvature sees it.
      expect(whole.siteCotangents).toEqual(without.siteCotangents);
    },
  );
});
