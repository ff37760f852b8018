/** Factors of the projections of attention against those of curvlinops. */
import { readFileSync } from 'node:fs';

import { multiHeadAttention } from '../../src/core/nn/layers/attention/multiHeadAttention.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { mapParams } from '../../src/core/params.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { initialState } from '../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../src/core/random/key.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { Sharing } from '../../src/curvature/statistics/sharing.ts';
import { scaledError } from '../support/closeness.ts';
import { referenceEnv, runStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

interface Stored {
  readonly shape: Shape;
  readonly data: ReadonlyArray<number>;
}

interface Fixture {
  readonly label: string;
  readonly causal: boolean;
  readonly sharing: Sharing;
  readonly params: Readonly<Record<string, Stored>>;
  readonly inputs: Stored;
  readonly targets: Stored;
  /** Over their traces, with the trace of A ⊗ G. */
  readonly factors: Readonly<Record<string, { readonly A: Stored; readonly G?: Stored; readonly trace: number }>>;
}

const fixtures = JSON.parse(readFileSync('test/fixtures/sequences/factors.json', 'utf8')) as ReadonlyArray<Fixture>;

const asTensor = ({ data, shape }: Stored): Tensor => tensor(data, shape);

it.each(fixtures.map((fixture) => [fixture.label, fixture] as const))(
  'factors of all projections are those of curvlinops: %s',
  async (_, { causal, sharing, params, inputs, targets, factors }) => {
    const attention = multiHeadAttention({ features: 4, heads: 2, causal });
    const head = dense({ in: 4, out: 3 });
    const layers = sequential(sharing === 'reduce' ? { attention, pool: meanPool(), head } : { attention, head });
    const objective = { model: model('attending', [3, 4], layers), loss: softmaxCrossEntropy };
    const step = pipeline(
      ...([withObjective(objective), forward, backward, capture(exact()), updateFactors(kfac({ sharing }))] as const),
    );
    const state = initialState(mapParams(params, asTensor), keyOf(1));
    const batch = { inputs: asTensor(inputs), targets: tensor(targets.data, targets.shape, 'i32') };
    const { averages } = (await runStage(step, state, batch)).state.curvature;
    expect(Object.keys(averages)).toEqual(Object.keys(factors));
    for (const [path, expected] of Object.entries(factors)) {
      const { A, G } = averages[path];
      const [traceA, traceG] = [ops.trace(A).data[0], ops.trace(G).data[0]];
      expect(scaledError(ops.scale(1 / traceA, A).data, expected.A.data)).toBeLessThan(1e-9);
      if (expected.G !== undefined) {
        expect(scaledError(ops.scale(1 / traceG, G).data, expected.G.data)).toBeLessThan(1e-9);
      }
      expect([path, traceA * traceG]).toEqual([path, expect.closeTo(expected.trace, 9)]);
    }
  },
);
