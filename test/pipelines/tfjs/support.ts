/**
 * A network of TensorFlow.js and the same network of this library, trained on the same batch.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { LayersModel } from '@tensorflow/tfjs-layers';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { orRaise } from '../../../src/core/errors.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { model } from '../../../src/core/nn/model.ts';
import type { Params } from '../../../src/core/params.ts';
import { takeStep } from '../../../src/core/pipeline/takeStep.ts';
import { placeState, readState } from '../../../src/core/pipeline/transfer.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { learn } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import type { GradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';

/** Draws that are the same in both libraries. */
export const drawn = (seed: number, shape: Shape): Tensor => normal(keyOf(seed), shape, 'f32');

/** Classes, in turns. */
export const classes = (count: number, of: number): Tensor => generate([count], (i) => i % of, 'i32');

/** Whole numbers below another, spread. */
export const indices = (seed: number, shape: Shape, below: number): Tensor => {
  const { data } = drawn(seed, shape);
  return generate(shape, (i) => Math.floor(Math.abs(data[i]) * 1000) % below, 'i32');
};

/** A tensor of TF.js. */
export const lent = ({ data, shape, dtype }: Tensor): tf.Tensor =>
  tf.tensor(Array.from(data), [...shape], dtype === 'i32' ? 'int32' : 'float32');

/** Weights that are the same in each run: TF.js draws others each time. Gains are about 1. */
export const settle = (of: LayersModel): void =>
  of.trainableWeights.forEach((weight, i) => {
    const shape = weight.shape.map(Number);
    const fanIn = shape.length < 2 ? 10 : weight.read().size / shape[shape.length - 1];
    const values = tf.mul(lent(drawn(100 + i, shape)), 1 / Math.sqrt(fanIn));
    weight.write(weight.originalName.endsWith('gamma') ? tf.add(values, 1) : values);
  });

/** A weight of TF.js as this library has it. */
export type Layout = 'kernel' | 'same';

/** How a weight of this library is called there. */
export interface Counterpart {
  readonly path: string;
  readonly layout: Layout;
}

const transposed = ({ data, shape: [rows, columns] }: Tensor): Tensor =>
  generate([columns, rows], (i) => data[(i % rows) * columns + Math.floor(i / rows)], 'f32');

/** Values in the layout of this library. */
export const arrived = (values: tf.Tensor, layout: Layout, outputs: number): Tensor => {
  const found: Tensor = { shape: values.shape, dtype: 'f32', data: values.dataSync<'float32'>() };
  return layout === 'same' ? found : transposed({ ...found, shape: [values.size / outputs, outputs] });
};

/** The parameters of a network of TF.js, by the names that this library has for them, in its order. */
export const parametersOf = (
  of: LayersModel,
  counterparts: ReadonlyArray<Counterpart>,
  shapes: Readonly<Record<string, Shape>>,
): Params<Tensor> =>
  Object.fromEntries(
    of.trainableWeights.map((weight, i) => {
      const { path, layout } = counterparts[i];
      return [path, arrived(weight.read(), layout, shapes[path][0])] as const;
    }),
  );

/** Parameters after so many steps of this library, in 64 bits. */
export const ours = async (
  layer: Layer,
  inputs: Shape,
  loss: Loss,
  optimizer: GradientOptimizer,
  params: Params<Tensor>,
  batches: ReadonlyArray<Params<Tensor>>,
): Promise<Params<Tensor>> => {
  const backend = referenceBackend();
  const objective = { model: model('network', inputs, layer), loss };
  const start = placeState(backend.ops, initialState(params, keyOf(1)));
  const step = learn(objective, optimizer.step);
  const end = await batches.reduce(async (before, batch) => {
    const stepped = await takeStep({ backend, clock: () => 0 }, step, await before, batch)();
    return orRaise(stepped).state;
  }, Promise.resolve(start));
  return orRaise(await readState(backend, end)()).params;
};

/** The largest difference. */
export const distance = (a: Params<Tensor>, b: Params<Tensor>): number =>
  Math.max(
    ...Object.entries(a).flatMap(([path, { data }]) => Array.from(data, (x, i) => Math.abs(x - b[path].data[i]))),
  );
