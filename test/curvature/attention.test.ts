/** Curvature of attention: heads, halves of a batch, and a step on every backend. */
import type { Backend } from '../../src/core/backends/backend.ts';
import { gaussian as normal } from '../../src/core/nn/initialisers/gaussian.ts';
import { multiHeadAttention } from '../../src/core/nn/layers/attention/multiHeadAttention.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { model } from '../../src/core/nn/model.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { placeState, readState } from '../../src/core/pipeline/transfer.ts';
import { takeStep } from '../../src/core/pipeline/takeStep.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { learn, withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { optimizerOf } from '../../src/solvers/presets/registry.ts';
import { scaledError } from '../support/closeness.ts';
import { onEveryBackend } from '../support/everyBackend.ts';
import { examplesOf } from '../support/sequences.ts';
import { gaussian, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';
import { gpt, gptBatch } from '../support/sentences.ts';

const { ops } = referenceEnv().backend;

const agree = (ours: Params<Tensor>, theirs: Params<Tensor>, tolerance = 1e-10): void => {
  expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  for (const [path, x] of Object.entries(theirs)) expect(scaledError(ours[path].data, x.data)).toBeLessThan(tolerance);
};

const perHead = blockKfac({ blocks: { inputs: { count: 1 }, outputs: { count: 1 }, perHead: true } });

describe('heads', () => {
  const features = 6;
  const attending = (heads: number): Objective => ({
    model: model('attending', [3, features], multiHeadAttention({ features, heads, initialiser: normal(0.7) })),
    loss: squaredError,
  });
  const batch = { inputs: gaussian(1, [4, 3, features]), targets: gaussian(2, [4, 3, features]) };
  const blocksOf = async (
    heads: number,
    curvature: Curvature,
  ): Promise<Readonly<Record<string, BlockOperator<Tensor>>>> => {
    const objective = attending(heads);
    const step = pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature));
    const { operator } = await runStage(step, stateOf(objective.model, 3), batch);
    if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
    return operator.blocks;
  };
  const factorsOf = (block: BlockOperator<Tensor>): readonly [Tensor, Tensor] => {
    if (block._tag !== 'kronecker') throw new Error('expected a product');
    const order = (factor: BlockOperator<Tensor>, size: number): Tensor => materialise(ops, factor, [size]);
    const [A, G] = [block.A, block.G];
    return [order(A, features + 1), order(G, features)];
  };
  /** m within runs that end where these do, 0 elsewhere. */
  const within = (m: Tensor, ends: ReadonlyArray<number>): Tensor => {
    const [size] = m.shape;
    const runOf = (i: number): number => ends.findIndex((end) => i < end);
    const same = Float64Array.from(m.data, (_, k) => (runOf(Math.floor(k / size)) === runOf(k % size) ? 1 : 0));
    return ops.mul(m, { ...m, data: same });
  };

  it('law: Q, K and V have a block of G for each head, the output one of A, the bias with the last; the rest is whole', async () => {
    const [whole, parts] = [await blocksOf(3, kfac()), await blocksOf(3, perHead)];
    for (const name of ['query', 'key', 'value', 'output']) {
      const [A, G] = factorsOf(whole[name]);
      const [partA, partG] = factorsOf(parts[name]);
      const isOutput = name === 'output';
      expect(scaledError(partA.data, isOutput ? within(A, [2, 4, 7]).data : A.data)).toBeLessThan(1e-14);
      expect(scaledError(partG.data, isOutput ? G.data : within(G, [2, 4, 6]).data)).toBeLessThan(1e-14);
    }
  });

  it('law: of one head there is nothing to cut', async () => {
    const [whole, parts] = [await blocksOf(1, kfac()), await blocksOf(1, perHead)];
    for (const name of Object.keys(whole)) {
      const [expected, found] = [whole, parts].map((blocks) =>
        materialise(ops, blocks[name], [features, features + 1]),
      );
      expect(scaledError(found.data, expected.data)).toBeLessThan(1e-13);
    }
  });

  it('the preset has it as a setting', () => {
    const optimizer = orThrow(optimizerOf('block-kfac', { perHead: true }));
    expect(optimizer.hyperparameters['perHead']).toBe(true);
  });
});

describe('halves of a batch', () => {
  it('law: the averages of a batch are those of its halves, for every site of a GPT', async () => {
    const objective = gpt(3);
    const { inputs, targets } = gptBatch(3);
    const batch = { inputs, targets };
    const half = (begin: number) => mapParams(batch, (x) => examplesOf(ops, x, begin, 3));
    const of = async (part: Batch<Tensor>) => {
      const step = pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(kfac()));
      return (await runStage(step, stateOf(objective.model, 4), part)).state.curvature.averages;
    };
    const [whole, first, second] = [await of(batch), await of(half(0)), await of(half(3))];
    expect(Object.keys(whole)).toContain('block0.self.attention.query');
    for (const [name, averages] of Object.entries(whole)) {
      const mean = mapParams(averages, (_, key) => ops.scale(0.5, ops.add(first[name][key], second[name][key])));
      agree(averages, mean, 1e-13);
    }
  });
});

describe('a GPT step', () => {
  const objective = gpt(4, 2);
  const batch = gptBatch(4);
  const settings = { estimator: 'empirical', inverseEvery: 2 };

  onEveryBackend((name, use) => {
    it.each(['kfac', 'ekfac', 'block-kfac', 'adam'])(
      `law: three steps of %s on ${name} are those of the reference`,
      (optimizer) =>
        use(async (backend) => {
          // Of equal eigenvalues 32 bits do not say which basis is theirs, and EKFAC's moments depend on it.
          if (optimizer === 'ekfac' && backend.dtype === 'f32') return;
          const { step } = orThrow(optimizerOf(optimizer, optimizer === 'adam' ? {} : settings));
          const learning = learn(objective, step);
          const start = stateOf(objective.model, 4);
          const trained = async <S extends Shaped>(on: Backend<S>): Promise<TrainState<Tensor>> => {
            let state = placeState(on.ops, start);
            for (let i = 0; i < 3; i += 1) {
              state = orThrow(await takeStep({ backend: on, clock: () => 0 }, learning, state, batch)()).state;
            }
            return orThrow(await readState(on, state)());
          };
          const [found, expected] = [await trained(backend), await trained(referenceEnv().backend)];
          agree(found.params, expected.params, backend.dtype === 'f32' ? 2e-3 : 1e-9);
        }),
    );
  });
});
