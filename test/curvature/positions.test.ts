/** Statistics of a random part of the positions. */
import { shapeInterpreter } from '../../src/core/autodiff/shape.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { ConvolutionSite, DenseSite } from '../../src/core/ops/site.ts';
import type { Params } from '../../src/core/params.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { Seen } from '../../src/curvature/sites/kind.ts';
import { siteBlock } from '../../src/curvature/sites/kinds.ts';
import { expectUnbiased } from '../support/closeness.ts';
import { classifier, curved, imageClassifier, indices } from '../support/sequences.ts';
import { gaussian, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { ops } = referenceEnv().backend;

const settings: ReadonlyArray<readonly [string, Objective, Params<Tensor>]> = [
  [
    'words',
    { model: classifier(5), loss: softmaxCrossEntropy },
    { inputs: indices(1, [4, 5]), targets: indices(2, [4], 3) },
  ],
  [
    'words of other weights',
    { model: classifier(5), loss: softmaxCrossEntropy },
    {
      inputs: indices(1, [4, 5]),
      targets: indices(2, [4], 3),
      weights: ops.square(gaussian(7, [4])),
    },
  ],
  [
    'pictures',
    { model: imageClassifier(), loss: softmaxCrossEntropy },
    { inputs: gaussian(1, [3, 4, 3, 2]), targets: indices(2, [3], 3) },
  ],
];

const averagesOf = async (objective: Objective, batch: Params<Tensor>, curvature: Curvature, step: number, lo = 0) => {
  const start = { ...stateOf(objective.model, 3), step, key: { hi: 9, lo } };
  const { state } = await runStage(curved(objective, curvature), start, batch);
  return state.curvature.averages;
};

const blocks = { inputs: { count: 2 }, outputs: { count: 2 } };

const curvatures: ReadonlyArray<readonly [string, (positionsFraction: number) => Curvature]> = [
  ['kfac', (positionsFraction) => kfac({ positionsFraction })],
  ['kfac of uncorrelated pixels', (positionsFraction) => kfac({ positionsFraction, uncorrelated: true })],
  ['kfac of diagonals', (positionsFraction) => kfac({ positionsFraction, maxFactor: 1 })],
  ['blockKfac', (positionsFraction) => blockKfac({ blocks, positionsFraction })],
];

describe.each(settings)('a random part of the positions: %s', (_, objective, batch) => {
  it.each(curvatures)('law: the statistics of %s are unbiased', async (__, of) => {
    const whole = await averagesOf(objective, batch, of(1), 0);
    const draws = await Promise.all(
      Array.from({ length: 200 }, (___, lo) => averagesOf(objective, batch, of(0.4), 0, lo)),
    );
    for (const [block, arrays] of Object.entries(whole)) {
      for (const [name, expected] of Object.entries(arrays)) {
        expectUnbiased(
          draws.map((found) => found[block][name]),
          expected,
        );
      }
    }
  });

  it('law: another part in another step, and the same again in the same', async () => {
    const [a, again, b] = await Promise.all(
      [1, 1, 2].map((step) => averagesOf(objective, batch, kfac({ positionsFraction: 0.4 }), step)),
    );
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
  });

  it('reduce needs all positions, and takes them', async () => {
    const [whole, part] = await Promise.all(
      [1, 0.4].map((positionsFraction) =>
        averagesOf(objective, batch, kfac({ sharing: 'reduce', positionsFraction }), 0),
      ),
    );
    for (const name of Object.keys(whole).filter((at) => !at.includes('words'))) {
      expect(part[name]).toEqual(whole[name]);
    }
  });
});

it('law: a quarter of the positions costs little more than a quarter of the operations', () => {
  const filters: ConvolutionSite = {
    kind: 'convolution',
    path: '',
    weight: 'weight',
    bias: 'bias',
    window: { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [1, 1, 1, 1] },
    groups: 1,
  };
  const sequence: DenseSite = { kind: 'dense', path: '', weight: 'weight', bias: 'bias' };
  const seen = (...shapes: ReadonlyArray<ReadonlyArray<number>>): Seen<Shaped> => ({
    input: { shape: shapes[0] },
    cotangents: [{ shape: shapes[1] }],
  });
  for (const [site, saw] of [
    [filters, seen([32, 32, 32, 16], [32, 32, 32, 16])],
    [sequence, seen([32, 64, 128], [32, 64, 128])],
  ] as const) {
    const flopsOf = (positionsFraction: number): number => {
      const { ops: shapes, tally } = shapeInterpreter();
      siteBlock(site).statistics(shapes, saw, { positionsFraction });
      return tally().flops;
    };
    expect(flopsOf(0.25)).toBeLessThan(0.3 * flopsOf(1));
  }
});
