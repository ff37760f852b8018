/**
 * Layers of images against PyTorch; `test/fixtures/images/layers.py` made the fixtures.
 */
import { readFileSync } from 'node:fs';

import { hessianProduct } from '../../../../src/core/autodiff/products.ts';
import type { Program } from '../../../../src/core/autodiff/program.ts';
import { vjp } from '../../../../src/core/autodiff/reverse.ts';
import { batchNorm } from '../../../../src/core/nn/layers/batchNorm.ts';
import type { Conv1dOptions, Conv2dOptions } from '../../../../src/core/nn/layers/convolution.ts';
import { conv1d, conv2d } from '../../../../src/core/nn/layers/convolution.ts';
import { groupNorm } from '../../../../src/core/nn/layers/groupNorm.ts';
import type { Layer } from '../../../../src/core/nn/layers/layer.ts';
import type { PoolOptions } from '../../../../src/core/nn/layers/pooling.ts';
import { averagePool, globalAveragePool, maxPool, upsample } from '../../../../src/core/nn/layers/pooling.ts';
import { rmsNorm } from '../../../../src/core/nn/layers/rmsNorm.ts';
import type { ConvTranspose2dOptions } from '../../../../src/core/nn/layers/transposedConvolution.ts';
import { convTranspose2d } from '../../../../src/core/nn/layers/transposedConvolution.ts';
import { mapParams } from '../../../../src/core/params.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { scaledError } from '../../../support/closeness.ts';
import type { LayerFixture } from '../../../support/layerFixtures.ts';
import { agreesWith, layerFixtures } from '../../../support/layerFixtures.ts';
import { ops } from '../support.ts';

/** What all layers of the fixtures are told between them. */
type Options = Conv2dOptions &
  Conv1dOptions &
  ConvTranspose2dOptions &
  PoolOptions & { readonly features: number; readonly groups: number; readonly factor: number };

const makers: Readonly<Record<string, (options: Options) => Layer>> = {
  conv2d,
  conv1d,
  convTranspose2d,
  maxPool,
  averagePool,
  globalAveragePool,
  upsample: ({ factor }) => upsample(factor),
  groupNorm,
  rmsNorm,
};

type Fixture = LayerFixture<Options> & { readonly kind: string };

describe('values, gradients and a second derivative, against PyTorch', () => {
  const fixtures = layerFixtures<Options>('images/layers.json') as ReadonlyArray<Fixture>;

  it('every layer is there', () => {
    expect(new Set(fixtures.map(({ kind }) => kind))).toEqual(new Set(Object.keys(makers)));
  });

  it.each(fixtures.map((fixture) => [fixture.label, fixture] as const))('%s', (_, fixture) => {
    agreesWith(makers[fixture.kind](fixture.options), fixture, 1e-10);
  });
});

describe('batch norm over three batches and one in evaluation, against PyTorch', () => {
  type Averages = Readonly<Record<'mean' | 'variance', ReadonlyArray<number>>>;
  type Step = LayerFixture<{ readonly features: number }> & { readonly before: Averages; readonly after: Averages };
  const steps = JSON.parse(readFileSync('test/fixtures/images/batchNorm.json', 'utf8')) as ReadonlyArray<Step>;

  it.each(steps.map((step, i) => [`${i}, ${step.label}`, step] as const))('%s', (_, step) => {
    const layer = batchNorm(step.options);
    const restored = ({ data, shape }: Step['output']): Tensor => tensor(data, shape);
    const [leaves, v] = [mapParams(step.leaves, restored), mapParams(step.v, restored)];
    const running = mapParams(step.before, (values) => tensor(values, [values.length]));
    const key = step.label === 'training' ? keyOf(1) : null;
    const f: Program = (on, params) =>
      layer.apply(on, params, '', params['x'], { arrays: {}, key, running: mapParams(running, on.constant) });
    const seen = vjp(ops, f, leaves, []);
    expect(scaledError(seen.outputs.data, step.output.data)).toBeLessThan(1e-10);
    const { params: gradient } = seen.pullback(restored(step.c));
    const judged: Program = (on, params, given) => on.dot(on.constant(restored(step.c)), f(on, params, given));
    const second = hessianProduct(ops, judged, leaves, v, []);
    for (const path of Object.keys(leaves)) {
      expect(scaledError(gradient[path].data, step.gradient[path].data)).toBeLessThan(1e-10);
      expect(scaledError(second[path].data, step.second[path].data)).toBeLessThan(1e-10);
    }
    // In evaluation nothing is kept.
    const after = { ...running, ...seen.kept };
    for (const name of ['mean', 'variance'] as const) {
      expect(scaledError(after[name].data, step.after[name])).toBeLessThan(1e-12);
    }
  });
});
