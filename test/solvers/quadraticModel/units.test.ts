/**
 * The quadratic model where blocks have units: λ weighs a step in them, and nothing else does.
 */
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { innerProduct } from '../../../src/core/ops/innerProduct.ts';
import { mapParams } from '../../../src/core/params.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { changeToBlocks } from '../../../src/curvature/blocks.ts';
import { equilibrate } from '../../../src/curvature/equilibrate.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { modelCoefficients } from '../../../src/solvers/quadraticModel/coefficients.ts';
import { minimiseModel, quadraticModelOf } from '../../../src/solvers/quadraticModel/quadraticModel.ts';
import { scaledError } from '../../support/closeness.ts';
import { multiplied } from '../../../src/core/nn/losses/multiplied.ts';
import { curved } from '../../support/sequences.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf } from '../../support/training.ts';

const { ops } = referenceEnv().backend;
const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const state = stateOf(objective.model, 4);
const batch = { inputs: gaussian(1, [9, 3]), targets: gaussian(2, [9, 2]) };

const rules = ['whole', 'block', 'column'] as const;

const coefficientsAt = async (by: (typeof rules)[number] | 'none', c: number) => {
  const loss = multiplied(c, squaredError);
  const step = pipeline(curved({ ...objective, loss }, kfac()), equilibrate({ by }));
  const { sample, blocks, gradient } = await runStage(step, state, batch);
  const direction = mapParams(gradient, ({ shape }) => gaussian(5, shape));
  const last = mapParams(gradient, ({ shape }) => gaussian(6, shape));
  const found = modelCoefficients(ops, loss, { sample, blocks, gradient, direction, last });
  return { found: found.map(({ data }) => data[0]), blocks, direction, last };
};

describe.each(rules)('the quadratic model in units by %s', (by) => {
  it('law: squares are those of block vectors, dᵀ D⁻² d; curvature and slopes are what they were', async () => {
    const { found, blocks, direction, last } = await coefficientsAt(by, 1);
    const plain = (await coefficientsAt('none', 1)).found;
    const [d, l] = [direction, last].map((v) => changeToBlocks(ops, blocks, v));
    const squares = [
      innerProduct(ops, d, d).data[0],
      -innerProduct(ops, d, l).data[0],
      innerProduct(ops, l, l).data[0],
    ];
    expect(scaledError(found.slice(3, 6), squares)).toBeLessThan(1e-14);
    expect(found.slice(0, 3)).toEqual(plain.slice(0, 3));
    expect(found.slice(6)).toEqual(plain.slice(6));
    expect(scaledError(found.slice(3, 6), plain.slice(3, 6))).toBeGreaterThan(1e-3);
  });

  it('law: the loss times c multiplies every coefficient by c, and the damped minimum stays', async () => {
    const one = (await coefficientsAt(by, 1)).found;
    for (const c of [1e-3, 1e3]) {
      const { found } = await coefficientsAt(by, c);
      expect(
        scaledError(
          found.map((x) => x / c),
          one,
        ),
      ).toBeLessThan(1e-12);
      const [mine, other] = [one, found].map((x) => minimiseModel(quadraticModelOf(Float64Array.from(x)), 0.3));
      expect(scaledError([other.alpha, other.mu], [mine.alpha, mine.mu])).toBeLessThan(1e-10);
    }
  });
});
