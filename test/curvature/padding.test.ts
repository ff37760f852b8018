/** Padding is not there: in no loss, gradient, factor or direction of a network that reads sentences of different lengths. */
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
import { softmaxCrossEntropyWith } from '../../src/core/nn/losses/softmaxCrossEntropyWith.ts';
import { meanOverPositions } from '../../src/core/nn/losses/meanOverPositions.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { empirical, exact, forwardOnly } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { kfacCg } from '../../src/solvers/iterative/kfacCg.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { referenceEnv, runStage, stateOf } from '../support/training.ts';
import {
  gpt,
  gptBatch,
  listener,
  listenerBatch,
  reader,
  readerBatch,
  tagger,
  taggerBatch,
} from '../support/sentences.ts';

const { ops } = referenceEnv().backend;

const agree = (ours: Params<Tensor>, theirs: Params<Tensor>, tolerance = 1e-10): void => {
  expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  for (const [path, x] of Object.entries(theirs)) expect(scaledError(ours[path].data, x.data)).toBeLessThan(tolerance);
};

const perHead = blockKfac({ blocks: { inputs: { count: 1 }, outputs: { count: 1 }, perHead: true } });

/** Loss, gradient and whole operator. */
const seen = async (objective: Objective, curvature: Curvature, batch: Batch<Tensor>, estimator = exact()) => {
  const step = pipeline(withObjective(objective), forward, backward, capture(estimator), updateFactors(curvature));
  const { loss, gradient, operator, blocks } = await runStage(step, stateOf(objective.model, 4), batch);
  const shapes = mapParams(toBlocks(ops, blocks, gradient), ({ shape }) => shape);
  return { loss, gradient, matrix: materialiseBlocks(ops, operator, shapes) };
};

const perWord = (room: number): Objective => ({ ...gpt(room), loss: meanOverPositions(gpt(room).loss) });

const sides = [
  ['a language model', gpt, gptBatch],
  ['a language model, its loss per word', perWord, gptBatch],
  ['a reader with a mask', reader, readerBatch],
  ['an LSTM in both directions, two layers, its last states', listener, listenerBatch],
  ['a GRU in both directions, at every word', tagger, taggerBatch],
] as const;

describe.each(sides)('padding of %s', (_, network, batchOf) => {
  it.each([
    ['kfac', kfac()],
    ['kfac, reduced', kfac({ sharing: 'reduce' })],
    ['blockKfac per head', perHead],
    ['diagonal', diagonal()],
    ['dense', dense()],
  ] as const)('law: longer padding changes no loss, gradient or factor. %s', async (__, curvature) => {
    for (const estimator of [exact(), empirical()]) {
      const [short, long] = [
        await seen(network(3), curvature, batchOf(3), estimator),
        await seen(network(6), curvature, batchOf(6), estimator),
      ];
      expect(scaledError(long.loss.data, short.loss.data)).toBeLessThan(1e-12);
      agree(long.gradient, short.gradient);
      // Rows of the table of positions that nobody was at are the same, too: zeros.
      expect(scaledError(long.matrix.data, short.matrix.data)).toBeLessThan(1e-10);
    }
  });

  it.each([
    ['kroneckerInverse', preconditioned(kroneckerInverse)],
    ['ekfac', preconditioned(ekfac())],
    ['kfacCg', kfacCg({ tolerance: 1e-13, martens: null, maxIterations: 400 })],
  ] as const)('law: longer padding changes no direction. %s', async (__, solver) => {
    const directionIn = async (room: number) => {
      const step = pipeline(
        ...([withObjective(network(room)), forward, backward, capture(exact()), updateFactors(kfac())] as const),
        ...([damp(0.1), solve(solver)] as const),
      );
      return (await runStage(step, stateOf(network(room).model, 4), batchOf(room))).direction;
    };
    agree(await directionIn(6), await directionIn(3), 1e-8);
  });
});

it.each(sides)('law: longer padding changes no factor of the inputs alone. %s', async (_, network, batchOf) => {
  const [short, long] = [
    await seen(network(3), kfac(), batchOf(3), forwardOnly()),
    await seen(network(6), kfac(), batchOf(6), forwardOnly()),
  ];
  expect(scaledError(long.matrix.data, short.matrix.data)).toBeLessThan(1e-10);
});

describe('an index to ignore', () => {
  it.each([
    ['kfac', kfac()],
    ['dense', dense()],
  ] as const)(
    'law: it is a weight of 0, in loss, gradient and factors, with weights of examples too. %s',
    async (_, curvature) => {
      const masked = gpt(5);
      const ignoring: Objective = { ...masked, loss: softmaxCrossEntropyWith({ ignore: -1 }) };
      const { inputs, targets, weights } = gptBatch(5);
      const unlabelled = {
        ...targets,
        data: Int32Array.from(targets.data, (y, i) => (weights.data[i] === 0 ? -1 : y)),
      };
      const ofExamples = tensor([1, 2, 0, 1, 3, 1], [6]);
      const both = ops.mul(weights, ops.reshape(ofExamples, [6, 1]));
      for (const [given, expected] of [
        [
          { inputs, targets: unlabelled },
          { inputs, targets, weights },
        ],
        [
          { inputs, targets: unlabelled, weights: ofExamples },
          { inputs, targets, weights: both },
        ],
      ] as const) {
        const [one, other] = [await seen(ignoring, curvature, given), await seen(masked, curvature, expected)];
        expect(scaledError(one.loss.data, other.loss.data)).toBeLessThan(1e-14);
        agree(one.gradient, other.gradient, 1e-13);
        expect(scaledError(one.matrix.data, other.matrix.data)).toBeLessThan(1e-12);
      }
    },
  );
});
