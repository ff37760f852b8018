/** Forward-only factors: a site's block is the Gauss–Newton matrix of a squared error of its own outputs. */
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { applyBlock } from '../../src/core/operators/apply.ts';
import type { Params } from '../../src/core/params.ts';
import type { SiteCapture } from '../../src/core/pipeline/context.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { signs } from '../../src/core/random/signs.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate, sizeOf } from '../../src/core/tensor.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { exact, forwardOnly } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { Seen } from '../../src/curvature/sites/kind.ts';
import { siteBlock } from '../../src/curvature/sites/kinds.ts';
import { expectUnbiased, scaledError } from '../support/closeness.ts';
import { classifier, curved, imageClassifier, indices } from '../support/sequences.ts';
import { gaussian, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { ops } = referenceEnv().backend;

const settings: ReadonlyArray<readonly [string, Objective, Params<Tensor>]> = [
  [
    'words',
    { model: classifier(3), loss: softmaxCrossEntropy },
    { inputs: indices(1, [4, 3]), targets: indices(2, [4], 3) },
  ],
  [
    'pictures',
    { model: imageClassifier(), loss: softmaxCrossEntropy },
    { inputs: gaussian(1, [3, 4, 3, 2]), targets: indices(2, [3], 3) },
  ],
];

const run = (objective: Objective, batch: Params<Tensor>, curvature: Curvature, lo = 0) =>
  runStage(curved(objective, curvature, forwardOnly()), { ...stateOf(objective.model, 3), key: { hi: 5, lo } }, batch);

/** E[Σ_t J_tᵀ J_t] v with J_t the Jacobian of what a site gives at position t, one row of it after another. */
const localGaussNewton = (capture: SiteCapture<Tensor>, v: Tensor): Tensor => {
  const [{ shape }] = capture.cotangents;
  const [n, each] = [shape[0], sizeOf(shape.slice(1))];
  const vec = ops.reshape(ops.transposed(v), [v.data.length, 1]);
  const images = Array.from({ length: each }, (_, at) => {
    const unit = generate(shape, (i) => (i % each === at ? 1 : 0));
    const [rows] = siteBlock(capture.site).gradients(ops, { ...capture, cotangents: [unit] });
    return ops.matmul(rows, ops.matmul(rows, vec), { transposeA: true });
  });
  const sum = ops.scale(
    1 / n,
    images.reduce((x, y) => ops.add(x, y)),
  );
  return ops.transposed(ops.reshape(sum, [v.shape[1], v.shape[0]]));
};

describe.each(settings)('forward-only factors: %s', (_, objective, batch) => {
  it('law: K-FAC’s block of every kind of site is E[Σ_t J_tᵀ J_t], without chance', async () => {
    const { operator, captured, blocks, state } = await run(objective, batch, kfac());
    const found = 'blocks' in operator ? operator.blocks : {};
    const v = toBlocks(ops, blocks, state.params);
    expect(captured?.sites.map(({ site }) => site.path)).toEqual(Object.keys(found));
    for (const capture of captured?.sites ?? []) {
      const { path } = capture.site;
      const expected = localGaussNewton(capture, v[path]);
      expect(scaledError(applyBlock(ops, found[path], v[path]).data, expected.data)).toBeLessThan(1e-13);
    }
  });

  it('law: where positions are summed first, a block is that of cotangents of covariance I in expectation', async () => {
    const { captured, blocks, state } = await run(objective, batch, kfac());
    const v = toBlocks(ops, blocks, state.params);
    for (const { site, input, cotangents } of captured?.sites ?? []) {
      const block = siteBlock(site);
      const [{ shape }] = cotangents;
      const each = sizeOf(shape.slice(1));
      const imageOf = (seen: Seen<Tensor>): Tensor =>
        applyBlock(ops, block.operator(block.statistics(ops, seen, { sharing: 'reduce' }).sums, ops), v[site.path]);
      const units = Array.from({ length: each }, (_, at) => generate(shape, (i) => (i % each === at ? 1 : 0)));
      expectUnbiased(
        Array.from({ length: 200 }, (_, seed) =>
          imageOf({ input, cotangents: [signs(keyOf(seed), shape, 'f64')], isotropic: true }),
        ),
        imageOf({ input, cotangents: units }),
      );
    }
  });

  it('law: the whole Fisher and its diagonal are those in expectation', async () => {
    for (const curvature of [dense(), diagonal()]) {
      const { captured, blocks, state } = await run(objective, batch, curvature);
      const v = toBlocks(ops, blocks, state.params);
      const draws = await Promise.all(
        Array.from({ length: 200 }, async (__, lo) => {
          const { operator } = await run(objective, batch, curvature, lo);
          return 'blocks' in operator ? operator.blocks : {};
        }),
      );
      for (const capture of captured?.sites ?? []) {
        const { path } = capture.site;
        const [at] = [v[path]];
        const whole = localGaussNewton(capture, at);
        if (curvature.name === 'dense') {
          expectUnbiased(
            draws.map((found) => applyBlock(ops, found[path], at)),
            whole,
          );
          continue;
        }
        const ones = ops.full(at.shape, 1);
        const units = generate(at.shape, (i) => (i === 0 ? 1 : 0));
        expectUnbiased(
          draws.map((found) => ops.slice(applyBlock(ops, found[path], ones), [0, 0], [1, 1])),
          ops.slice(localGaussNewton(capture, units), [0, 0], [1, 1]),
        );
      }
    }
  });

  it('law: nothing of the loss is in it', async () => {
    const other: Objective = { ...objective, loss: squaredError };
    const targets = gaussian(3, [batch['inputs'].shape[0], 3]);
    const [a, b] = [await run(objective, batch, kfac()), await run(other, { ...batch, targets }, kfac())];
    expect(a.state.curvature.averages).toEqual(b.state.curvature.averages);
    const fisher = await runStage(curved(objective, kfac(), exact()), stateOf(objective.model, 3), batch);
    expect(fisher.state.curvature.averages).not.toEqual(a.state.curvature.averages);
  });
});
