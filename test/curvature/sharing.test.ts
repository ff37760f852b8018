import { programOf } from '../support/programOf.ts';
import fc from 'fast-check';

import { vjp } from '../../src/core/autodiff/reverse.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense as denseLayer } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { materialise, materialiseBlocks } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { kronecker, kroneckerOf } from '../../src/core/operators/blockOperator.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Params } from '../../src/core/params.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import type { Block } from '../../src/core/pipeline/blocks.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { denseStatistics } from '../../src/curvature/sites/dense.ts';
import { blockEigenMoments } from '../../src/curvature/sites/eigenMoments.ts';
import type { Sharing } from '../../src/curvature/statistics/sharing.ts';
import { sharings } from '../../src/curvature/statistics/sharing.ts';
import { combine, means } from '../../src/curvature/statistics/statistics.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { eigenOf } from '../../src/solvers/inverses/eigen.ts';
import { optimizerOf } from '../../src/solvers/presets/registry.ts';
import { scaledError } from '../support/closeness.ts';
import { curved, examplesOf, fisherOf, indices } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const site = { kind: 'dense', path: 'l', weight: 'l.weight', bias: 'l.bias' } as const;

const averages = (input: Tensor, g: Tensor, sharing: Sharing): Params<Tensor> =>
  means(ops, denseStatistics(ops, { site, input, cotangents: [g] }, sharing));

const product = ({ A, G }: Params<Tensor>): Tensor => materialise(ops, kroneckerOf(A, G), [G.shape[0], A.shape[0]]);

/** The positions of each example r times over. */
const stretched = (x: Tensor, r: number): Tensor =>
  ops.concat(
    Array.from({ length: r }, () => x),
    1,
  );

const drawn = fc.record({
  seed: fc.nat(),
  n: fc.integer({ min: 1, max: 4 }),
  t: fc.integer({ min: 1, max: 4 }),
});

describe('scale of shared weights', () => {
  it.each(sharings)('law: one position is no position. %s of [n, 1, d] is A ⊗ G of [n, d]', (sharing) => {
    const [a, g] = [gaussian(1, [5, 3]), gaussian(2, [5, 2])];
    const flat = means(ops, denseStatistics(ops, { site, input: a, cotangents: [g] }));
    expect(averages(ops.reshape(a, [5, 1, 3]), ops.reshape(g, [5, 1, 2]), sharing)).toEqual(flat);
    expect(averages(a, g, sharing)).toEqual(flat);
  });

  it('law: expand is t times A ⊗ G of the positions as examples, the sum over positions', () => {
    fc.assert(
      fc.property(drawn, ({ seed, n, t }) => {
        const [a, g] = [gaussian(seed, [n, t, 3]), gaussian(seed + 1, [n, t, 2])];
        const rows = averages(ops.reshape(a, [n * t, 3]), ops.reshape(g, [n * t, 2]), 'expand');
        const expected = ops.scale(t, product(rows));
        expect(scaledError(product(averages(a, g, 'expand')).data, expected.data)).toBeLessThan(1e-13);
      }),
    );
  });

  it('law: reduce is A ⊗ G of mean inputs and summed cotangents', () => {
    fc.assert(
      fc.property(drawn, ({ seed, n, t }) => {
        const [a, g] = [gaussian(seed, [n, t, 3]), gaussian(seed + 1, [n, t, 2])];
        const expected = averages(ops.mean(a, [1]), ops.sum(g, [1]), 'expand');
        expect(scaledError(product(averages(a, g, 'reduce')).data, product(expected).data)).toBeLessThan(1e-13);
      }),
    );
  });

  it.each([
    ['expand', 3],
    ['reduce', 9],
  ] as const)(
    'law: repetition. %s of positions repeated 3 times with the same cotangents is %d times the block',
    (sharing, factor) => {
      const [a, g] = [gaussian(1, [4, 2, 3]), gaussian(2, [4, 2, 2])];
      const once = product(averages(a, g, sharing));
      const thrice = product(averages(stretched(a, 3), stretched(g, 3), sharing));
      expect(scaledError(thrice.data, ops.scale(factor, once).data)).toBeLessThan(1e-13);
    },
  );

  it('law: reduce does not change with the length of a sequence that is averaged, g / r at r times as many positions', () => {
    const [a, g] = [gaussian(1, [4, 2, 3]), gaussian(2, [4, 2, 2])];
    const once = product(averages(a, g, 'reduce'));
    const thrice = product(averages(stretched(a, 3), ops.scale(1 / 3, stretched(g, 3)), 'reduce'));
    expect(scaledError(thrice.data, once.data)).toBeLessThan(1e-13);
  });

  it.each(sharings)('law: a repeated batch, and a batch in parts, have the same means (%s)', (sharing) => {
    const [a, g] = [gaussian(1, [4, 2, 3]), gaussian(2, [4, 2, 2])];
    const of = (from: number, count: number) =>
      denseStatistics(
        ops,
        { site, input: examplesOf(ops, a, from, count), cotangents: [examplesOf(ops, g, from, count)] },
        sharing,
      );
    const whole = means(ops, of(0, 4));
    for (const parts of [combine(ops, of(0, 4), of(0, 4)), combine(ops, of(0, 1), of(1, 3))]) {
      const found = means(ops, parts);
      for (const name of ['A', 'G']) expect(scaledError(found[name].data, whole[name].data)).toBeLessThan(1e-14);
    }
  });

  it('law: sequences of different lengths add up: E[Σ_t a aᵀ] ⊗ E[mean_t g gᵀ] over all examples', () => {
    const of = (t: number) => ({ a: gaussian(t, [2, t, 3]), g: gaussian(t + 9, [2, t, 2]) });
    const [short, long] = [of(1), of(3)];
    const statistics = [short, long].map(({ a, g }) => denseStatistics(ops, { site, input: a, cotangents: [g] }));
    const { A, G } = means(ops, combine(ops, statistics[0], statistics[1]));
    const rows = (x: Tensor): Tensor => ops.reshape(x, [x.shape[0] * x.shape[1], x.shape[2]]);
    const gramA = (x: Tensor): Tensor => ops.gram(ops.withOnes(rows(x)));
    expect(scaledError(A.data, ops.scale(1 / 4, ops.add(gramA(short.a), gramA(long.a))).data)).toBeLessThan(1e-14);
    const gramG = ops.linearCombination(1 / 4, ops.gram(rows(short.g)), 1 / 12, ops.gram(rows(long.g)));
    expect(scaledError(G.data, gramG.data)).toBeLessThan(1e-14);
  });
});

const stepOf = async (
  objective: Parameters<typeof curved>[0],
  curvature: Curvature,
  inputs: Tensor,
  targets: Tensor,
) => {
  const found = await runStage(curved(objective, curvature), stateOf(objective.model, 3), { inputs, targets });
  return { ...found, blocks: blocksOf(found.sites, Object.keys(found.state.params)) };
};

const operatorsOf = async (
  objective: Parameters<typeof curved>[0],
  curvature: Curvature,
  inputs: Tensor,
  targets: Tensor,
): Promise<Readonly<Record<string, BlockOperator<Tensor>>>> => {
  const { operator } = await stepOf(objective, curvature, inputs, targets);
  if (!('blocks' in operator)) throw new Error('expected blocks');
  return operator.blocks;
};

const shapesOf = (m: Model, blocks: ReadonlyArray<Block>): Params<ReadonlyArray<number>> =>
  mapParams(toBlocks(ops, blocks, stateOf(m, 3).params), ({ shape }) => shape);

/** Gap of two curvatures over all blocks, on the scale of the second. */
const gapOf = async (
  objective: Parameters<typeof curved>[0],
  curvature: Curvature,
  inputs: Tensor,
  targets: Tensor,
): Promise<number> => {
  const [found, truth] = [
    await stepOf(objective, curvature, inputs, targets),
    await stepOf(objective, dense(), inputs, targets),
  ];
  const shapes = shapesOf(objective.model, truth.blocks);
  return scaledError(
    materialiseBlocks(ops, found.operator, shapes).data,
    materialiseBlocks(ops, truth.operator, shapes).data,
  );
};

describe('where sharing is exact', () => {
  const linear = sequential([denseLayer({ in: 3, out: 4 }), denseLayer({ in: 4, out: 2 })]);

  it('law: expand is the Fisher of a linear network with a squared error at every position', async () => {
    const objective = { model: model('positions', [3, 3], linear), loss: squaredError };
    const [x, y] = [gaussian(1, [4, 3, 3]), gaussian(2, [4, 3, 2])];
    expect(await gapOf(objective, kfac({ sharing: 'expand' }), x, y)).toBeLessThan(1e-12);
    expect(await gapOf(objective, kfac({ sharing: 'reduce' }), x, y)).toBeGreaterThan(1e-2);
  });

  it('law: reduce is the Fisher of a linear network whose positions are averaged', async () => {
    const pooled = sequential([
      denseLayer({ in: 3, out: 4 }),
      denseLayer({ in: 4, out: 4 }),
      meanPool(),
      denseLayer({ in: 4, out: 2 }),
    ]);
    const objective = { model: model('pooled', [3, 3], pooled), loss: squaredError };
    const [x, y] = [gaussian(1, [4, 3, 3]), gaussian(2, [4, 2])];
    expect(await gapOf(objective, kfac({ sharing: 'reduce' }), x, y)).toBeLessThan(1e-12);
    expect(await gapOf(objective, kfac({ sharing: 'expand' }), x, y)).toBeGreaterThan(1e-2);
  });

  it('law: an embedding with a squared error at every position has its Fisher, diag(a) ⊗ G', async () => {
    const layers = sequential([embedding({ vocabulary: 4, out: 3 }), denseLayer({ in: 3, out: 2 })]);
    const objective = { model: model('words', [3], layers), loss: squaredError };
    expect(await gapOf(objective, kfac(), indices(1, [5, 3], 4), gaussian(2, [5, 3, 2]))).toBeLessThan(1e-12);
  });

  it('law: block-tridiagonal and reduced, the blocks beside the diagonal are E[vec(V_i) vec(V_j)ᵀ] of a linear network', async () => {
    const layers = sequential([denseLayer({ in: 3, out: 4 }), meanPool(), denseLayer({ in: 4, out: 2 })]);
    const objective = { model: model('pooled', [3, 3], layers), loss: squaredError };
    const [x, y] = [gaussian(1, [4, 3, 3]), gaussian(2, [4, 2])];
    const { operator, blocks } = await stepOf(objective, tridiagonalKfac({ sharing: 'reduce' }), x, y);
    const shapes = shapesOf(objective.model, blocks);
    const M = materialiseBlocks(ops, operator, shapes);
    // Of both sites together: rows of all parameters.
    const together = fisherOfAll(objective, x, blocks);
    expect(scaledError(M.data, together.data)).toBeLessThan(1e-12);
  });

  /** The Fisher of all blocks at once, from the gradients of single examples. */
  const fisherOfAll = (objective: Parameters<typeof curved>[0], x: Tensor, blocks: ReadonlyArray<Block>): Tensor => {
    const { params } = stateOf(objective.model, 3);
    const n = x.shape[0];
    const rows = Array.from({ length: n }, (_, i) => {
      const { outputs, pullback } = vjp(ops, programOf(objective.model), params, [examplesOf(ops, x, i, 1)]);
      const out = outputs.data.length;
      return Array.from({ length: out }, (__, c) => {
        const unit = tensor(
          Array.from({ length: out }, (___, j) => (j === c ? 1 : 0)),
          outputs.shape,
        );
        const v = toBlocks(ops, blocks, pullback(unit).params);
        return ops.concat(
          blocks.map(({ name }) => ops.reshape(ops.transposed(v[name]), [1, v[name].data.length])),
          1,
        );
      });
    }).flat();
    return ops.scale(1 / n, ops.gram(ops.concat(rows, 0)));
  };

  it.each([
    [
      'expand',
      squaredError,
      sequential([denseLayer({ in: 3, out: 4 }), activation('tanh'), denseLayer({ in: 4, out: 2 })]),
      [2],
    ],
    [
      'reduce',
      squaredError,
      sequential([denseLayer({ in: 3, out: 4 }), meanPool(), activation('tanh'), denseLayer({ in: 4, out: 2 })]),
      [],
    ],
  ] as const)(
    'law: EKFAC, %s: S is the diagonal of the Fisher in the basis, whether positions are by themselves or averaged',
    async (sharing, loss, layers, perPosition) => {
      const objective = { model: model('m', [2, 3], layers), loss };
      const [x, y] = [gaussian(1, [4, 2, 3]), gaussian(2, [4, ...perPosition, 2])];
      const { captured, state, blocks } = await stepOf(objective, kfac({ sharing }), x, y);
      if (captured === null) throw new Error('expected a capture');
      const { A, G } = state.curvature.averages['0'];
      const basis = orThrow(await eigenOf(backend, kroneckerOf(A, G))());
      const { S } = means(ops, blockEigenMoments(ops, captured, { '0': basis })['0']);
      const F = fisherOf(ops, objective, state.params, x, blocks[0]);
      const rotation = materialise(ops, kronecker(basis.UA, basis.UG), S.shape);
      const inBasis = ops.matmul(ops.matmul(rotation, F, { transposeA: true }), rotation);
      const order = inBasis.shape[0];
      const expected = Array.from({ length: order }, (_, i) => inBasis.data[i * order + i]);
      expect(scaledError(ops.transposed(S).data, expected)).toBeLessThan(1e-12);
    },
  );
});

/** The same dense layer at each position in turn, with the results side by side: several uses of one site. */
const inTurn = (inner: Layer, positions: number): Layer =>
  leaf({
    kind: 'inTurn',
    label: 'in turn',
    parameters: inner.parameters,
    apply: (on, params, path, x, at) => {
      const [n, , d] = x.shape;
      const parts = Array.from({ length: positions }, (_, t) => {
        const y = inner.apply(on, params, path, on.reshape(on.slice(x, [0, t, 0], [n, 1, d]), [n, d]), at);
        return on.reshape(y, [n, 1, y.shape[1]]);
      });
      return on.concat(parts, 1);
    },
  });

/** h ← tanh(W h + b), several times: a recurrent use. */
const recurrent = (times: number): Layer => {
  const step = sequential([denseLayer({ in: 3, out: 3 }), activation('tanh')]);
  return leaf({
    kind: 'recurrent',
    label: 'recurrent',
    parameters: step.parameters,
    apply: (on, params, path, x, at) =>
      Array.from({ length: times }).reduce((h: typeof x) => step.apply(on, params, path, h, at), x),
  });
};

describe('a site that is used several times', () => {
  const head = denseLayer({ in: 3, out: 2 });
  const side = {
    model: model('side', [3, 2], sequential({ body: denseLayer({ in: 2, out: 3 }), pool: meanPool(), head })),
    loss: softmaxCrossEntropy,
  };
  const turn = {
    model: model(
      'turn',
      [3, 2],
      sequential({ body: inTurn(denseLayer({ in: 2, out: 3 }), 3), pool: meanPool(), head }),
    ),
    loss: softmaxCrossEntropy,
  };
  const [x, y] = [gaussian(1, [4, 3, 2]), indices(2, [4], 2)];

  it.each(sharings)(
    'law: uses are positions. Three uses have the block of a sequence of three (%s)',
    async (sharing) => {
      const [a, b] = [
        await operatorsOf(side, kfac({ sharing }), x, y),
        await operatorsOf(turn, kfac({ sharing }), x, y),
      ];
      expect(Object.keys(b)).toEqual(['body', 'head']);
      const shape = [3, 3];
      expect(
        scaledError(materialise(ops, b['body'], shape).data, materialise(ops, a['body'], shape).data),
      ).toBeLessThan(1e-13);
    },
  );

  it('law: the average moves once per step, not once per use, X₂ = ρ X₁ + (1 − ρ) X̂', async () => {
    const step = curved(turn, kfac({ decay: 0.25 }));
    const first = await runStage(step, stateOf(turn.model, 3), { inputs: x, targets: y });
    const second = await runStage(step, first.state, { inputs: gaussian(5, [4, 3, 2]), targets: y });
    const alone = await runStage(step, stateOf(turn.model, 3), { inputs: gaussian(5, [4, 3, 2]), targets: y });
    for (const name of ['A', 'G']) {
      const at = (found: typeof first): Tensor => found.state.curvature.averages['body'][name];
      expect(scaledError(at(second).data, ops.linearCombination(0.25, at(first), 0.75, at(alone)).data)).toBeLessThan(
        1e-13,
      );
    }
    expect(second.state.curvature.updates).toBe(2);
  });

  it('law: dense curvature sums the uses before it squares, also where uses depend on each other', async () => {
    const objective = { model: model('recurrent', [3], recurrent(3)), loss: squaredError };
    const inputs = gaussian(1, [4, 3]);
    const { operator, blocks, state } = await stepOf(objective, dense(), inputs, gaussian(2, [4, 3]));
    const expected = fisherOf(ops, objective, state.params, inputs, blocks[0]);
    expect(
      scaledError(materialiseBlocks(ops, operator, shapesOf(objective.model, blocks)).data, expected.data),
    ).toBeLessThan(1e-12);
    expect(blocks.length).toBe(1);
  });

  it('block-tridiagonal curvature refuses it by name', async () => {
    expect(
      await tryStage(curved(turn, tridiagonalKfac()), stateOf(turn.model, 3), { inputs: x, targets: y }),
    ).toMatchObject({
      left: { _tag: 'BadConfig', path: 'body', actual: 'a site that is passed several times' },
    });
  });
});

describe('class-wise statistics on sequences', () => {
  it('law: A_c and G_c are those of the examples of class c', async () => {
    const objective = {
      model: model(
        'classes',
        [3, 2],
        sequential({ body: denseLayer({ in: 2, out: 3 }), pool: meanPool(), head: denseLayer({ in: 3, out: 2 }) }),
      ),
      loss: softmaxCrossEntropy,
    };
    const x = gaussian(1, [5, 3, 2]);
    for (const sharing of sharings) {
      const whole = await operatorsOf(
        objective,
        classKfac({ classes: 2, sharing }),
        x,
        tensor([0, 0, 1, 1, 1], [5], 'i32'),
      );
      const [zero, one] = [
        await operatorsOf(objective, kfac({ sharing }), examplesOf(ops, x, 0, 2), tensor([0, 0], [2], 'i32')),
        await operatorsOf(objective, kfac({ sharing }), examplesOf(ops, x, 2, 3), tensor([1, 1, 1], [3], 'i32')),
      ];
      const at = (found: typeof whole): Tensor => materialise(ops, found['body'], [3, 3]);
      const expected = ops.linearCombination(2 / 5, at(zero), 3 / 5, at(one));
      expect(scaledError(at(whole).data, expected.data)).toBeLessThan(1e-13);
    }
  });
});

describe('what cannot be', () => {
  it('a site whose first axis does not count examples is an error that names it', async () => {
    const flat = leaf({
      kind: 'rows',
      label: 'rows',
      parameters: denseLayer({ in: 2, out: 3 }).parameters,
      apply: (on, params, path, x, at) => {
        const [n, t, d] = x.shape;
        const y = denseLayer({ in: 2, out: 3 }).apply(on, params, path, on.reshape(x, [n * t, d]), at);
        return on.reshape(y, [n, t, 3]);
      },
    });
    const objective = {
      model: model('rows', [3, 2], sequential({ flat, pool: meanPool() })),
      loss: softmaxCrossEntropy,
    };
    const batch = { inputs: gaussian(1, [4, 3, 2]), targets: indices(2, [4], 3) };
    expect(await tryStage(curved(objective, kfac()), stateOf(objective.model, 3), batch)).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'site flat', actual: '[12, 2]' },
    });
  });

  it.each([
    ['sharing', 'sum'],
    ['scaleShift', 'half'],
  ])('a preset with an unknown %s is an error with the path of the setting', (path, value) => {
    expect(optimizerOf('kfac', { [path]: value })).toMatchObject({
      left: { _tag: 'BadConfig', path: `kfac.${path}`, actual: `"${value}"` },
    });
  });
});
