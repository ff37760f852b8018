import { jvp } from '../../src/core/autodiff/forward.ts';
import type { Program } from '../../src/core/autodiff/program.ts';
import { vjp } from '../../src/core/autodiff/reverse.ts';
import { affineOfLast, dense } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { scaleShift } from '../../src/core/nn/layers/scaleShift.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { model } from '../../src/core/nn/model.ts';
import type { Ops } from '../../src/core/ops/ops.ts';
import type { DenseSite, Site } from '../../src/core/ops/site.ts';
import { parametersOfSite } from '../../src/core/ops/site.ts';
import type { Params } from '../../src/core/params.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { blockSites } from '../../src/core/pipeline/blocks.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { siteBlock } from '../../src/curvature/sites/kinds.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { kfac as kfacPreset } from '../../src/solvers/presets/kfac.ts';
import { scaledError } from '../support/closeness.ts';
import { curved, fisherOf, indices } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

/** ∂u/∂x for u = W x + b: the derivative of a dense layer, which its site does not see. */
const slope = (features: number): Layer => {
  const inner = dense({ in: features, out: features });
  return leaf({
    kind: 'slope',
    label: 'slope',
    parameters: inner.parameters,
    apply: (on, params, path, x, at) => {
      const names = Object.keys(params);
      const u: Program = (with_, { x: point }, values) =>
        inner.apply(with_, Object.fromEntries(names.map((name, i) => [name, values[i]])), path, point, {
          ...at,
          arrays: {},
          running: {},
        });
      return jvp(on, u, { x }, { x: on.full(x.shape, 1) }, Object.values(params)).tangent;
    },
  });
};

describe('a layer whose output is a derivative', () => {
  const objective = { model: model('slope', [1], slope(1)), loss: squaredError };
  const batch = { inputs: gaussian(1, [8, 1]), targets: tensor(new Array<number>(8).fill(3), [8, 1]) };

  it('worked example: ½ (∂u/∂x − 3)² has a Hessian of 1 in w, and three steps of K-FAC end at 3', async () => {
    const plain = {
      estimator: 'exact',
      damping: 1e-3,
      equilibrated: 'none',
      lossBound: 1e9,
      learningRate: 1,
      momentum: 0,
    } as const;
    const step = pipeline(withObjective(objective), kfacPreset(plain).step);
    const start = { ...stateOf(objective.model, 1), params: { weight: tensor([1], [1, 1]), bias: tensor([0], [1]) } };
    const first = (await runStage(step, start, batch)).next;
    // w ← w − (w − 3) / (1 + λ).
    expect(first.params['weight'].data[0]).toBeCloseTo(3 - 2e-3 / 1.001, 5);
    const third = (await runStage(step, (await runStage(step, first, batch)).next, batch)).next;
    expect(third.params['weight'].data[0]).toBeCloseTo(3, 4);
  });

  it('is named in the coverage', () => {
    expect(orThrow(coverage(objective.model, kfac()))).toEqual([
      { parameter: 'weight', shape: [1, 1], site: null, curvature: 'diagonal, weight used outside its site' },
      { parameter: 'bias', shape: [1], site: null, curvature: 'diagonal, weight used outside its site' },
    ]);
  });

  it('is an error under a strict curvature', async () => {
    expect(await tryStage(curved(objective, kfac({ strict: true })), stateOf(objective.model, 1), batch)).toMatchObject(
      {
        left: {
          _tag: 'BadConfig',
          path: 'weight',
          actual: 'a parameter of a site that does not see every use of weight',
        },
      },
    );
  });

  it('law: its block is the diagonal of the Fisher', async () => {
    const wide = { model: model('slope', [2], slope(2)), loss: squaredError };
    const state = stateOf(wide.model, 2);
    const data = { inputs: gaussian(1, [5, 2]), targets: gaussian(2, [5, 2]) };
    const { operator, blocks } = await runStage(curved(wide, kfac()), state, data);
    expect(blocks.map(({ kind }) => kind)).toEqual(['parameter', 'parameter']);
    for (const block of blocks) {
      const F = fisherOf(ops, wide, state.params, data.inputs, { kind: 'parameter', name: block.name });
      const order = F.shape[0];
      const diagonal = Array.from({ length: order }, (_, i) => F.data[i * order + i]);
      const found = 'blocks' in operator ? operator.blocks[block.name] : undefined;
      if (found?._tag !== 'diagonal') throw new Error('expected a diagonal');
      // fisherOf stacks columns.
      const stacked = found.values.shape.length === 2 ? ops.transposed(found.values) : found.values;
      expect(scaledError(stacked.data, diagonal)).toBeLessThan(1e-12);
    }
  });
});

const site: DenseSite = { kind: 'dense', path: 'l', weight: 'l.weight', bias: 'l.bias' };
const gain: Site = { ...site, kind: 'scaleShift' };
const table: Site = { kind: 'embedding', path: 'l', weight: 'l.weight', bias: null, vocabulary: 3 };

type On = <T extends Shaped>(ops: Ops<T>, at: { readonly W: T; readonly b: T; readonly x: T; readonly words: T }) => T;

/** A program, and the parameters of its site that the site does not account for. W is 3 × 3, or 3 for a gain. */
interface Case {
  readonly name: string;
  readonly program: On;
  readonly elsewhere: ReadonlyArray<string>;
  readonly gain?: boolean;
}

const normalised = <T extends Shaped>(on: Ops<T>, W: T): T => on.div(W, on.sqrt(on.sum(on.square(W), [0, 1])));
const mask = tensor([1, 0, 1, 0, 1, 0, 1, 1, 1], [3, 3]);
const both = ['l.weight', 'l.bias'];

const cases: ReadonlyArray<Case> = [
  { name: 'affine', program: (on, { W, b, x }) => on.site(site, x, on.affine(x, W, b)), elsewhere: [] },
  {
    name: 'product and sum',
    program: (on, { W, b, x }) => on.site(site, x, on.add(on.matmul(x, W, { transposeB: true }), b)),
    elsewhere: [],
  },
  {
    name: 'product with the transpose, by columns, joined again',
    program: (on, { W, b, x }) => {
      const V = on.transposed(W);
      const column = (i: number) => on.matmul(x, on.slice(V, [0, i], [3, 1]));
      return on.site(site, x, on.add(on.concat([column(0), column(1), column(2)], 1), b));
    },
    elsewhere: [],
  },
  {
    name: 'broadcast, multiplied, summed',
    program: (on, { W, b, x }) => {
      const terms = on.mul(on.reshape(x, [x.shape[0], 1, 3]), on.reshape(W, [1, 3, 3]));
      return on.site(site, x, on.add(on.sum(terms, [2]), b));
    },
    elsewhere: [],
  },
  {
    name: 'positions',
    program: (on, { W, b, x }) =>
      on.site(site, on.reshape(x, [2, 2, 3]), affineOfLast(on, on.reshape(x, [2, 2, 3]), W, b)),
    elsewhere: [],
  },
  {
    name: 'twice in a row',
    program: (on, { W, b, x }) => {
      const s = on.tanh(on.site(site, x, on.affine(x, W, b)));
      return on.site(site, s, on.affine(s, W, b));
    },
    elsewhere: [],
  },
  { name: 'look-up', program: (on, { W, words }) => on.site(table, words, on.gather(W, words)), elsewhere: [] },
  {
    name: 'gain',
    gain: true,
    program: (on, { W, b, x }) => on.site(gain, x, on.add(on.mul(x, W), b)),
    elsewhere: [],
  },
  {
    name: 'also used without a gradient',
    program: (on, { W, b, x }) => on.add(on.site(site, x, on.affine(x, W, b)), on.sum(on.stopGradient(W), [0])),
    elsewhere: [],
  },
  {
    name: 'also added to the outputs',
    program: (on, { W, b, x }) => on.add(on.site(site, x, on.affine(x, W, b)), b),
    elsewhere: ['l.bias'],
  },
  {
    name: 'a second use without a site',
    program: (on, { W, b, x }) => on.affine(on.site(site, x, on.affine(x, W, b)), W, null),
    elsewhere: ['l.weight'],
  },
  {
    name: 'what the site was shown is not what is used',
    program: (on, { W, b, x }) => {
      const s = on.affine(x, W, b);
      on.site(site, x, s);
      return s;
    },
    elsewhere: both,
  },
  {
    name: 'a penalty on the weight',
    program: (on, { W, b, x }) =>
      on.add(on.site(site, x, on.affine(x, W, b)), on.mul(on.full([], 0.3), on.sum(on.square(W), [0, 1]))),
    elsewhere: ['l.weight'],
  },
  {
    name: 'a normalised weight',
    program: (on, { W, b, x }) => on.site(site, x, on.affine(x, normalised(on, W), b)),
    elsewhere: ['l.weight'],
  },
  {
    name: 'a masked weight',
    program: (on, { W, b, x }) => on.site(site, x, on.affine(x, on.mul(W, on.constant(mask)), b)),
    elsewhere: ['l.weight'],
  },
  {
    name: 'a product with a factor',
    program: (on, { W, b, x }) => on.site(site, x, on.add(on.mul(on.full([], 2), on.affine(x, W, null)), b)),
    elsewhere: ['l.weight'],
  },
  {
    name: 'a bias that is subtracted',
    program: (on, { W, b, x }) => on.site(site, x, on.sub(on.affine(x, W, null), b)),
    elsewhere: ['l.bias'],
  },
  {
    name: 'two inputs of which the site sees one',
    program: (on, { W, b, x }) => on.site(site, x, on.add(on.affine(x, W, b), on.affine(on.square(x), W, null))),
    elsewhere: ['l.weight'],
  },
  {
    name: 'an activation before the site',
    program: (on, { W, b, x }) => on.site(site, x, on.tanh(on.affine(x, W, b))),
    elsewhere: both,
  },
  {
    name: 'chosen outputs',
    program: (on, { W, b, x }) =>
      on.site(site, x, on.select(on.greater(x, on.full([], 0)), on.affine(x, W, b), on.full([], 0))),
    elsewhere: both,
  },
  {
    name: 'a gain twice',
    gain: true,
    program: (on, { W, b, x }) => on.site(gain, x, on.add(on.mul(on.mul(x, W), W), b)),
    elsewhere: ['l.weight'],
  },
];

const inputs = { x: gaussian(3, [4, 3]), words: indices(4, [4], 3) };
const linearisedAt = ({ program, gain: isGain = false }: Case) => {
  const params = { 'l.weight': gaussian(1, isGain ? [3] : [3, 3]), 'l.bias': gaussian(2, [3]) };
  const whole: Program = (on, at, [x, words]) => program(on, { W: at['l.weight'], b: at['l.bias'], x, words });
  return { params, ...vjp(ops, whole, params, [inputs.x, inputs.words]) };
};

/** Σ_n V_n of all uses of the site: what its inputs and cotangents say of the gradient. */
const explained = ({
  sites,
  cotangents,
}: {
  sites: ReadonlyArray<{ site: Site; input: Tensor }>;
  cotangents: ReadonlyArray<Tensor>;
}): Params<Tensor> => {
  const block = siteBlock(sites[0].site);
  const sums = sites.flatMap(({ input }, i) =>
    block.gradients(ops, { input, cotangents: [cotangents[i]] }).map((rows) => ops.sum(rows, [0])),
  );
  const total = sums.reduce((a, b) => ops.add(a, b));
  // Rows are vec(V)ᵀ, column by column.
  const columns = total.data.length / 3;
  return block.split(ops, ops.transposed(ops.reshape(total, [columns, 3])));
};

describe('what a site does not account for', () => {
  it.each(cases)('$name', (row) => {
    const { sites } = linearisedAt(row);
    expect(sites[0].elsewhere ?? []).toEqual(row.elsewhere);
    expect(blockSites(sites)).toHaveLength(row.elsewhere.length === 0 ? 1 : 0);
  });

  it.each(cases)('law: Σ_n of the site’s gradients is the cotangent, but for what is named ($name)', (row) => {
    const { sites, outputs, params, pullback } = linearisedAt(row);
    const { params: cotangents, sites: siteCotangents } = pullback(gaussian(9, outputs.shape));
    const found = explained({ sites, cotangents: siteCotangents });
    const differs = parametersOfSite(sites[0].site).filter(
      (path) => scaledError(found[path].data, cotangents[path].data) > 1e-10,
    );
    expect(differs).toEqual(row.elsewhere);
    expect(Object.keys(params)).toEqual(both);
  });

  it('every layer of ours is accounted for', () => {
    const all: Model = model(
      'all',
      [2],
      sequential({
        words: embedding({ vocabulary: 5, out: 3 }),
        gain: scaleShift({ features: 3 }),
        body: dense({ in: 3, out: 2 }),
        bare: dense({ in: 2, out: 2, bias: false }),
      }),
    );
    const rows = orThrow(coverage(all, kfac({ strict: true })));
    expect(rows.map((row) => row.site)).toEqual(['words', 'gain', 'gain', 'body', 'body', 'bare']);
  });
});

describe('neighbours', () => {
  it('a site without a block has none, in the coverage as in the operator', async () => {
    const penalised: Layer = leaf({
      kind: 'penalised',
      label: 'penalised',
      parameters: (path) => dense({ in: 3, out: 3 }).parameters(path),
      apply: (on, params, path, x, at) => {
        const b = params[`${path}.bias`];
        return on.add(dense({ in: 3, out: 3 }).apply(on, params, path, x, at), on.square(b));
      },
    });
    const chain = model(
      'chain',
      [3],
      sequential({ a: dense({ in: 3, out: 3 }), b: penalised, c: dense({ in: 3, out: 3 }) }),
    );
    const words = orThrow(coverage(chain, tridiagonalKfac())).map(({ parameter, curvature }) => [parameter, curvature]);
    expect(words).toEqual([
      ['a.weight', 'A ⊗ G, with neighbours'],
      ['a.bias', 'A ⊗ G, with neighbours'],
      ['c.weight', 'A ⊗ G, with neighbours'],
      ['c.bias', 'A ⊗ G, with neighbours'],
      ['b.weight', 'diagonal, b.bias used outside its site'],
      ['b.bias', 'diagonal, b.bias used outside its site'],
    ]);
    const objective = { model: chain, loss: squaredError };
    const data = { inputs: gaussian(1, [5, 3]), targets: gaussian(2, [5, 3]) };
    const { state } = await runStage(curved(objective, tridiagonalKfac()), stateOf(chain, 1), data);
    expect(Object.keys(state.curvature.averages).sort()).toEqual(['a', 'a→c', 'b.bias', 'b.weight', 'c']);
  });
});
