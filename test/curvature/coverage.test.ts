import * as E from 'fp-ts/lib/Either.js';

import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { constant } from '../../src/core/nn/initialisers/constant.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { joinPath } from '../../src/core/params.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { kfac as kfacCurvature } from '../../src/curvature/kfac.ts';
import { kfac } from '../../src/solvers/presets/kfac.ts';
import { gaussian, orThrow, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

/** Multiplies each feature by a parameter of its own, without telling of a site. */
const gains = (features: number): Layer =>
  leaf({
    kind: 'gains',
    label: 'gains',
    parameters: (path) => [{ path: joinPath(path, 'gain'), shape: [features], initialiser: constant(2) }],
    apply: (ops, params, path, x) => ops.mul(x, params[joinPath(path, 'gain')]),
  });

const network = model('covered in part', [2], sequential({ first: dense({ in: 2, out: 3 }), gains: gains(3) }));
const objective = { model: network, loss: squaredError };
const batch = { inputs: gaussian(1, [5, 2]), targets: gaussian(2, [5, 3]) };

describe('coverage', () => {
  it('names every parameter with its site and its curvature', () => {
    expect(orThrow(coverage(network, kfacCurvature()))).toEqual([
      { parameter: 'first.weight', shape: [3, 2], site: 'first', curvature: 'A ⊗ G' },
      { parameter: 'first.bias', shape: [3], site: 'first', curvature: 'A ⊗ G' },
      { parameter: 'gains.gain', shape: [3], site: null, curvature: 'diagonal' },
    ]);
  });

  it('a model that does not fit its input is a Left', () => {
    const wrong = model('wrong', [7], dense({ in: 2, out: 3 }));
    expect(coverage(wrong, kfacCurvature())).toMatchObject(E.left({ _tag: 'ShapeMismatch' }));
  });
});

describe('a parameter without a site', () => {
  it('worked example: for one example its block is the diagonal of the Gauss–Newton matrix, (∂o_c / ∂gain_c)² = s_c²', async () => {
    const one = { inputs: tensor([1, 2], [1, 2]), targets: tensor([0, 0, 0], [1, 3]) };
    const start = stateOf(network, 3);
    const weight = tensor([1, 0, 0, 1, 1, 1], [3, 2]);
    const state = {
      ...start,
      params: { ...start.params, 'first.weight': weight, 'first.bias': tensor([0, 0, 1], [3]) },
    };
    const { operator } = await runStage(
      pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(kfacCurvature())),
      state,
      one,
    );
    // s = W (1, 2) + b = (1, 2, 4).
    expect(operator).toMatchObject({
      blocks: { 'gains.gain': { _tag: 'diagonal', values: { data: Float64Array.of(1, 4, 16) } } },
    });
  });

  it('is moved by a step like every other', async () => {
    const state = stateOf(network, 3);
    const { next } = await runStage(pipeline(withObjective(objective), kfac({ damping: 0.1 }).step), state, batch);
    for (const [path, before] of Object.entries(state.params)) expect(next.params[path].data).not.toEqual(before.data);
  });

  it('is an error that names it when the curvature is strict', async () => {
    const result = await tryStage(
      pipeline(withObjective(objective), kfac({ strict: true }).step),
      stateOf(network, 3),
      batch,
    );
    expect(result).toMatchObject(E.left({ _tag: 'BadConfig', path: 'gains.gain' }));
  });
});
