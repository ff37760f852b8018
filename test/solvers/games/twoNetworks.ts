/**
 * Two networks that play: a generator turns noise into numbers, a discriminator tells them from data.
 *
 * @module
 */
import type { Circumstances } from '../../../src/core/nn/layers/circumstances.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { leaf } from '../../../src/core/nn/layers/layer.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Params } from '../../../src/core/params.ts';
import { joinPath } from '../../../src/core/params.ts';
import type { Batch } from '../../../src/core/pipeline/context.ts';
import type { Objective } from '../../../src/core/pipeline/objective.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import type { TurnPlayer } from '../../../src/solvers/games/turns.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { discriminator, generator } from '../../pipelines/publicSpine/networks.ts';

type Apply = <T extends Shaped>(ops: Ops<T>, made: (x: T) => T, judged: (x: T) => T, x: T) => T;

/** Both networks as one layer. */
const both = (kind: string, apply: Apply): Layer =>
  leaf({
    kind,
    label: kind,
    parameters: (path) => [
      ...generator.parameters(joinPath(path, 'generator')),
      ...discriminator.parameters(joinPath(path, 'discriminator')),
    ],
    apply: <T extends Shaped>(ops: Ops<T>, params: Params<T>, path: string, x: T, at: Circumstances<T>) =>
      apply(
        ops,
        (from) => generator.apply(ops, params, joinPath(path, 'generator'), from, at),
        (from) => discriminator.apply(ops, params, joinPath(path, 'discriminator'), from, at),
        x,
      ),
  });

/** Logits `[n, 2]` of data and of what the generator makes. */
const telling = both('telling', (ops, made, judged, x) =>
  ops.concat([judged(x), judged(ops.stopGradient(made(x)))], 1),
);

/** Logits `[n, 1]` of what the generator makes. */
const fooling = both('fooling', (_ops, made, judged, x) => judged(made(x)));

/** The discriminator's objective: 1 for data, 0 for what is made. */
export const toTell: Objective = { model: model('telling', [1], telling), loss: sigmoidCrossEntropy, targets: 'told' };

/** The generator's objective: what it makes is taken for data. */
export const toFool: Objective = {
  model: model('fooling', [1], fooling),
  loss: sigmoidCrossEntropy,
  targets: 'fooled',
};

const examples = 64;

/** Mean and width of the data. */
export const truth = { mean: 2, width: 0.5 };

/** Data of a step. */
export const gameBatch = (step: number): Batch<Tensor> => {
  const { data } = normal(keyOf(1000 + step), [examples, 1], 'f64');
  return {
    inputs: generate([examples, 1], (i) => truth.mean + truth.width * data[i], 'f64'),
    told: generate([examples, 2], (i) => 1 - (i % 2), 'f64'),
    fooled: generate([examples, 1], () => 1, 'f64'),
  };
};

/** Both networks before the first step. */
export const gameStart = (): TrainState<Tensor> => initialState(initialParams(toTell.model, keyOf(3), 'f64'), keyOf(5));

/** Discriminator, then generator. */
export const playersOf = (telling: Optimizer, fooling: Optimizer): readonly [TurnPlayer, TurnPlayer] => [
  { name: 'discriminator', parameters: ['discriminator'], objective: toTell, optimizer: telling },
  { name: 'generator', parameters: ['generator'], objective: toFool, optimizer: fooling },
];

/** Mean and width of what the generator makes. */
export const madeBy = ({ params }: TrainState<Tensor>): typeof truth => ({
  mean: params['generator.1.bias'].data[0],
  width: Math.abs(params['generator.1.weight'].data[0]),
});
