/**
 * Units of blocks of every kind: embeddings, gains and shifts, dense sites on sequences, parameters without a site.
 */
import { constant } from '../../src/core/nn/initialisers/constant.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { scaleShift } from '../../src/core/nn/layers/scaleShift.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
import { stack, unstack } from '../../src/core/operators/vec.ts';
import { innerProduct } from '../../src/core/ops/innerProduct.ts';
import type { Params } from '../../src/core/params.ts';
import { joinPath, mapParams } from '../../src/core/params.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import { changeToBlocks, fromBlocks, toBlocks } from '../../src/curvature/blocks.ts';
import type { Equilibration } from '../../src/curvature/equilibrate.ts';
import { equilibrate } from '../../src/curvature/equilibrate.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { ScaleShiftKind } from '../../src/curvature/sites/options.ts';
import { eigen } from '../../src/solvers/inverses/eigen.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { multiplied } from '../../src/core/nn/losses/multiplied.ts';
import { curved } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { backend } = referenceEnv();
const { ops, linearAlgebra } = backend;

/** x + b, without telling of a site. */
const shift = (features: number): Layer =>
  leaf({
    kind: 'shift',
    label: 'shift',
    parameters: (path) => [{ path: joinPath(path, 'b'), shape: [features], initialiser: constant(0.1) }],
    apply: (on, params, path, x) => on.add(x, params[joinPath(path, 'b')]),
  });

const words = model(
  'words',
  [3],
  sequential({
    words: embedding({ vocabulary: 6, out: 3 }),
    gain: scaleShift({ features: 3 }),
    shift: shift(3),
    body: dense({ in: 3, out: 4 }),
    pool: meanPool(),
    head: dense({ in: 4, out: 3, bias: false }),
  }),
);
const objective = { model: words, loss: softmaxCrossEntropy };
const state = stateOf(words, 3);
/** Words 0 to 4: the last is never seen. */
const batch = {
  inputs: generate([10, 3], (i) => (3 * i + (i % 4)) % 5, 'i32'),
  targets: generate([10], (i) => i % 3, 'i32'),
};

const rules = ['whole', 'block', 'column'] as const;
const kinds = ['full', 'diagonal'] as const;
const cases = rules.flatMap((by) => kinds.map((kind) => [by, kind] as const));

const inUnits = (by: Equilibration, kind: ScaleShiftKind, of = objective) =>
  pipeline(curved(of, kfac({ scaleShift: kind })), equilibrate({ by }));

const gapBetween = (x: Params<Tensor>, y: Params<Tensor>): number =>
  Math.max(...Object.keys(y).map((path) => scaledError(x[path].data, y[path].data)));

describe.each(cases)('units by %s, second moments of gain and shift %s', (by, kind) => {
  it('law: what shares a unit has a mean curvature of 1, apart from what has none', async () => {
    const { operator, blocks, gradient } = await runStage(inUnits(by, kind), state, batch);
    const shapes = mapParams(toBlocks(ops, blocks, gradient), ({ shape }) => shape);
    expect(Object.keys(shapes)).toEqual(['words', 'gain', 'body', 'head', 'shift.b']);
    const M = materialiseBlocks(ops, operator, shapes);
    const [n] = M.shape;
    const column = generate([n, 1], (i) => M.data[i * n + i]);
    if (by === 'whole') {
      expect(ops.mean(column, [0, 1]).data[0]).toBeCloseTo(1, 12);
      return;
    }
    for (const [name, x] of Object.entries(unstack(ops, column, shapes))) {
      const means = ops.mean(x, [0]);
      const seen = name === 'words' ? 5 : means.data.length;
      const each = Array.from(means.data);
      if (by === 'column') {
        expect(
          scaledError(
            each.slice(0, seen),
            Array.from({ length: seen }, () => 1),
          ),
        ).toBeLessThan(1e-12);
        continue;
      }
      const biased = name === 'gain' || name === 'body';
      const weights = biased ? each.slice(0, -1) : each;
      expect(weights.reduce((sum, mean) => sum + mean, 0) / weights.length).toBeCloseTo(1, 12);
      if (biased) expect(each[each.length - 1]).toBeCloseTo(1, 12);
    }
  });

  it('law: by eigenvectors the direction is (F + λ D⁻²)⁻¹ ∇, by dense algebra', async () => {
    const { operator: F, gradient, blocks: plain } = await runStage(inUnits('none', kind), state, batch);
    const { blocks } = await runStage(inUnits(by, kind), state, batch);
    const b = toBlocks(ops, plain, gradient);
    const shapes = mapParams(b, ({ shape }) => shape);
    const ones = mapParams(shapes, (shape) => ops.full(shape, 1));
    const D = changeToBlocks(ops, blocks, fromBlocks(ops, plain, ones));
    const penalty = materialiseBlocks(
      ops,
      (on: typeof ops, v: Params<Tensor>) => mapParams(v, (x, name) => on.scale(0.3, on.mul(on.square(D[name]), x))),
      shapes,
    );
    const matrix = ops.add(materialiseBlocks(ops, F, shapes), penalty);
    const x = orThrow(await linearAlgebra.solve(matrix, stack(ops, b, Object.keys(b)))());
    const expected = fromBlocks(ops, plain, unstack(ops, x, shapes));
    const step = pipeline(inUnits(by, kind), damp(0.3), solve(preconditioned(eigen)));
    const { direction } = await runStage(step, state, batch);
    expect(gapBetween(direction, expected)).toBeLessThan(1e-9);
  });

  it('law: toBlocks and fromBlocks are transposes, and changeToBlocks inverts fromBlocks', async () => {
    const { blocks, gradient } = await runStage(inUnits(by, kind), state, batch);
    const y = mapParams(toBlocks(ops, blocks, gradient), ({ shape }) => gaussian(5, shape));
    const x = mapParams(gradient, ({ shape }) => gaussian(6, shape));
    const [left, right] = [
      innerProduct(ops, toBlocks(ops, blocks, x), y).data[0],
      innerProduct(ops, x, fromBlocks(ops, blocks, y)).data[0],
    ];
    expect(Math.abs(left - right)).toBeLessThan(1e-12 * (1 + Math.abs(left)));
    expect(gapBetween(changeToBlocks(ops, blocks, fromBlocks(ops, blocks, y)), y)).toBeLessThan(1e-14);
  });

  it.each([
    ['kroneckerInverse', kroneckerInverse],
    ['eigen', eigen],
    ['ekfac', ekfac()],
  ])('law: with %s the step is the same for the loss times anything, over three steps', async (_, inverse) => {
    const run = async (c: number): Promise<Params<Tensor>> => {
      const of = { ...objective, loss: multiplied(c, softmaxCrossEntropy) };
      const step = pipeline(inUnits(by, kind, of), damp(0.3), solve(preconditioned<'captured'>(inverse, { every: 2 })));
      const first = await runStage(step, state, batch);
      const second = await runStage(step, { ...first.state, step: 1 }, batch);
      return (await runStage(step, { ...second.state, step: 2 }, batch)).direction;
    };
    const one = await run(1);
    expect(innerProduct(ops, one, one).data[0]).toBeGreaterThan(0);
    for (const c of [1e-3, 1e3]) expect(gapBetween(await run(c), one)).toBeLessThan(1e-9);
  });
});
