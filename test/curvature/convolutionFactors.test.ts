/**
 * Factors of convolutions against curvlinops; `test/fixtures/images/factors.py` made the fixtures, and says where its
 * convention differs.
 */
import { readFileSync } from 'node:fs';

import { activation } from '../../src/core/nn/layers/activation.ts';
import type { Conv2dOptions } from '../../src/core/nn/layers/convolution.ts';
import { conv2d } from '../../src/core/nn/layers/convolution.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { flatten } from '../../src/core/nn/layers/reshape.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { Sharing } from '../../src/curvature/statistics/sharing.ts';
import { scaledError } from '../support/closeness.ts';
import { curved, indices } from '../support/sequences.ts';
import { runStage, stateOf } from '../support/training.ts';

interface Stored {
  readonly shape: Shape;
  readonly data: ReadonlyArray<number>;
}

interface Fixture {
  readonly options: Conv2dOptions;
  readonly sharing: Sharing;
  readonly params: Readonly<Record<string, Stored>>;
  readonly inputs: Stored;
  readonly factors: ReadonlyArray<Readonly<Record<'A' | 'G', Stored>>>;
}

const restored = ({ data, shape }: Stored): Tensor => tensor(data, shape);

const fixtures = JSON.parse(readFileSync('test/fixtures/images/factors.json', 'utf8')) as ReadonlyArray<Fixture>;

it.each(fixtures.map((fixture) => [`${fixture.sharing} ${JSON.stringify(fixture.options)}`, fixture] as const))(
  'factors of convolutions, against curvlinops: %s',
  async (_, { options, sharing, params, inputs, factors }) => {
    const x = restored(inputs);
    const layer = sequential({
      body: conv2d(options),
      tanh: activation('tanh'),
      flat: flatten(),
      head: dense({ in: params['head.weight'].shape[1], out: 3 }),
    });
    const objective = { model: model('net', x.shape.slice(1), layer), loss: softmaxCrossEntropy };
    const state = { ...stateOf(objective.model, 1), params: mapParams(params, restored) };
    const batch = { inputs: x, targets: indices(1, [x.shape[0]], 3) };
    const { averages } = (await runStage(curved(objective, kfac({ sharing })), state, batch)).state.curvature;
    factors.forEach((each, i) => {
      for (const name of ['A', 'G'] as const) {
        const found = averages['body'][factors.length === 1 ? name : `${name}:${i}`];
        expect(found.shape).toEqual(each[name].shape);
        expect(scaledError(found.data, each[name].data)).toBeLessThan(1e-9);
      }
    });
  },
);
