import { evaluating } from '../../src/core/nn/layers/circumstances.ts';
import { programOf } from '../support/programOf.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { vjp } from '../../src/core/autodiff/reverse.ts';
import { dense as denseLayer } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import { tensor } from '../../src/core/tensor.ts';
import { blocksOf, blockSites } from '../../src/core/pipeline/blocks.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfac as kfacPreset } from '../../src/solvers/presets/kfac.ts';
import { scaledError } from '../support/closeness.ts';
import { curved, indices } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

/** Logits from the table of the embedding at `words`: W h for every word, with a bias of its own. */
const tiedHead = (vocabulary: number): Layer =>
  leaf({
    kind: 'tied',
    label: 'tied head',
    parameters: (path) => denseLayer({ in: 3, out: vocabulary }).parameters(path).slice(1),
    apply: (on, params, path, x) => {
      const [weight, bias] = ['words.weight', `${path}.bias`];
      return on.site({ kind: 'dense', path, weight, bias }, x, on.affine(x, params[weight], params[bias]));
    },
  });

const tied = model(
  'tied',
  [2],
  sequential({
    words: embedding({ vocabulary: 4, out: 3 }),
    pool: meanPool(),
    mix: denseLayer({ in: 3, out: 3 }),
    head: tiedHead(4),
  }),
);
const objective = { model: tied, loss: softmaxCrossEntropy };
const batch = { inputs: indices(1, [5, 2], 4), targets: indices(2, [5], 4) };

describe('a table tied to the weight of the output layer', () => {
  it('gives each of its parameters a block of its own, which the coverage report says with the sites', () => {
    expect(
      orThrow(coverage(tied, kfac())).map(({ parameter, site, curvature }) => [parameter, site, curvature]),
    ).toEqual([
      ['mix.weight', 'mix', 'A ⊗ G'],
      ['mix.bias', 'mix', 'A ⊗ G'],
      ['words.weight', null, 'diagonal, tied at words, head'],
      ['head.bias', null, 'diagonal, tied at head'],
    ]);
  });

  it('a strict curvature refuses it and says which sites share', async () => {
    expect(await tryStage(curved(objective, kfac({ strict: true })), stateOf(tied, 1), batch)).toMatchObject({
      left: {
        _tag: 'BadConfig',
        path: 'words.weight',
        actual: 'a parameter of sites that share parameters: words, head',
      },
    });
  });

  it('law: the gradient is the sum of both uses, by central differences', async () => {
    const state = stateOf(tied, 1);
    const { gradient } = await runStage(curved(objective, kfac()), state, batch);
    const v = gaussian(7, [4, 3]);
    const lossAt = (t: number): number => {
      const params = { ...state.params, 'words.weight': ops.linearCombination(1, state.params['words.weight'], t, v) };
      return ops.mean(
        softmaxCrossEntropy.value(ops, tied.program(ops, params, evaluating({ inputs: batch.inputs })), batch.targets),
        [0],
      ).data[0];
    };
    const slope = (lossAt(1e-5) - lossAt(-1e-5)) / 2e-5;
    // Truncation is of order h² = 10⁻¹⁰, rounding of order ε / h.
    expect(ops.dot(gradient['words.weight'], v).data[0]).toBeCloseTo(slope, 8);
  });

  it('law: of one example the block is the diagonal of the Fisher, cross terms of the uses included', async () => {
    const one = { inputs: tensor([0, 1], [1, 2], 'i32'), targets: tensor([2], [1], 'i32') };
    const state = stateOf(tied, 1);
    const { operator, outputs } = await runStage(curved(objective, kfac()), state, one);
    const { pullback } = vjp(ops, programOf(tied), state.params, [one.inputs]);
    const root = softmaxCrossEntropy.squareRoot(ops, outputs);
    const squares = [0, 1, 2, 3]
      .map(
        (c) =>
          pullback(
            root(
              tensor(
                [0, 1, 2, 3].map((j) => (j === c ? 1 : 0)),
                [4],
              ),
            ),
          ).params['words.weight'],
      )
      .map((g) => ops.square(g))
      .reduce((a, b) => ops.add(a, b));
    const block = 'blocks' in operator ? operator.blocks['words.weight'] : undefined;
    if (block?._tag !== 'diagonal') throw new Error('expected a diagonal');
    expect(scaledError(block.values.data, squares.data)).toBeLessThan(1e-14);
  });

  it('a step moves every parameter', async () => {
    const state = stateOf(tied, 1);
    const { next } = await runStage(
      pipeline(withObjective(objective), kfacPreset({ damping: 0.1 }).step),
      state,
      batch,
    );
    for (const [path, before] of Object.entries(state.params)) expect(next.params[path].data).not.toEqual(before.data);
  });
});

describe('one site at two paths', () => {
  it('law: sites of one kind with the same parameters are one, whatever their paths', async () => {
    const inner = denseLayer({ in: 3, out: 3 });
    const borrowed: Layer = leaf({
      kind: 'borrowed',
      label: 'borrowed',
      parameters: () => [],
      apply: (on, params, path, x) => {
        const [weight, bias] = ['a.weight', 'a.bias'];
        return on.site({ kind: 'dense', path, weight, bias }, x, on.affine(x, params[weight], params[bias]));
      },
    });
    const both = { model: model('both', [3], sequential({ a: inner, b: borrowed })), loss: softmaxCrossEntropy };
    const twice = sequential({ a: inner });
    const again = {
      model: model(
        'again',
        [3],
        leaf({
          kind: 'twice',
          label: 'twice',
          parameters: twice.parameters,
          apply: (on, params, path, x, at) => twice.apply(on, params, path, twice.apply(on, params, path, x, at), at),
        }),
      ),
      loss: softmaxCrossEntropy,
    };
    const data = { inputs: gaussian(1, [5, 3]), targets: indices(2, [5], 3) };
    const [one, other] = [
      await runStage(curved(both, kfac()), stateOf(both.model, 1), data),
      await runStage(curved(again, kfac()), stateOf(again.model, 1), data),
    ];
    const at = ({ operator }: typeof one) => {
      if (!('blocks' in operator)) throw new Error('expected blocks');
      expect(Object.keys(operator.blocks)).toEqual(['a']);
      return materialise(ops, operator.blocks['a'], [3, 4]);
    };
    expect(at(one)).toEqual(at(other));
  });

  it('by hand: which sites have a block', () => {
    const dense = (path: string, weight: string, bias: string | null) => ({
      site: { kind: 'dense', path, weight, bias } as const,
    });
    const sites = [
      dense('a', 'W', 'b'),
      dense('b', 'W', 'b'),
      dense('c', 'V', 'c'),
      dense('d', 'V', 'd'),
      dense('e', 'U', null),
    ];
    expect(blockSites(sites).map(({ path }) => path)).toEqual(['a', 'e']);
    expect(blocksOf(sites, ['W', 'b', 'V', 'c', 'd', 'U', 'x'])).toEqual([
      { kind: 'site', name: 'a', site: sites[0].site },
      { kind: 'site', name: 'e', site: sites[4].site },
      { kind: 'parameter', name: 'V', tied: ['c', 'd'] },
      { kind: 'parameter', name: 'c', tied: ['c'] },
      { kind: 'parameter', name: 'd', tied: ['d'] },
      { kind: 'parameter', name: 'x' },
    ]);
  });
});
