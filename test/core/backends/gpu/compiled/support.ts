/**
 * What the tests of compiled programs share.
 *
 * @module
 */
import { programOf } from '../../../../support/programOf.ts';
import type { TreeProgram } from '../../../../../src/core/autodiff/program.ts';
import { vjp } from '../../../../../src/core/autodiff/reverse.ts';
import type { ProgramArguments } from '../../../../../src/core/backends/gpu/compiled/arguments.ts';
import type { DeviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import { activation } from '../../../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../../../src/core/nn/layers/dense.ts';
import { softmaxCrossEntropy } from '../../../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { initialParams, model } from '../../../../../src/core/nn/model.ts';
import { sequential } from '../../../../../src/core/nn/layers/sequential.ts';
import type { Params } from '../../../../../src/core/params.ts';
import { mapParams } from '../../../../../src/core/params.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import { uniform } from '../../../../../src/core/random/uniform.ts';
import type { Tensor } from '../../../../../src/core/tensor.ts';
import { generate } from '../../../../../src/core/tensor.ts';
import { readFrom } from '../../../../support/conformance/trial.ts';

const perceptron = model(
  'perceptron',
  [9],
  sequential([dense({ in: 9, out: 7 }), activation('tanh'), dense({ in: 7, out: 4 })]),
);

/** Loss, gradient and Kronecker factors of a perceptron: inputs are images `[n, 9]` and targets `[n, 4]`. */
export const stage: TreeProgram = (ops, params, [x, y]) => {
  const share = 1 / x.shape[0];
  const { outputs, sites, pullback } = vjp(ops, programOf(perceptron), params, [x]);
  const back = pullback(softmaxCrossEntropy.gradient(ops, outputs, y));
  return {
    loss: ops.mean(softmaxCrossEntropy.value(ops, outputs, y), [0]),
    ...Object.fromEntries(Object.entries(back.params).map(([path, g]) => [`gradient ${path}`, ops.scale(share, g)])),
    ...Object.fromEntries(
      sites.map(({ site, input }) => [`A ${site.path}`, ops.scale(share, ops.gram(ops.withOnes(input)))]),
    ),
    ...Object.fromEntries(sites.map(({ site }, i) => [`G ${site.path}`, ops.scale(share, ops.gram(back.sites[i]))])),
  };
};

/** A point and a batch for {@link stage}. */
export const stageArguments = (seed: number, batch: number): ProgramArguments<Tensor> => ({
  params: initialParams(perceptron, keyOf(seed), 'f32'),
  inputs: [
    uniform(keyOf(seed + 1), [batch, 9], 'f32'),
    generate([batch, 4], (i) => (i % 4 === Math.floor(i / 4) % 4 ? 1 : 0), 'f32'),
  ],
});

/** The program an operation at a time. */
export const eagerly = async (
  backend: DeviceBackend,
  program: TreeProgram,
  { params, inputs }: ProgramArguments<Tensor>,
): Promise<Params<Tensor>> => {
  const scope = backend.scope();
  const { ops } = scope.backend;
  const results = program(ops, mapParams(params, ops.constant), inputs.map(ops.constant));
  const read: Array<readonly [string, Tensor]> = [];
  for (const [path, result] of Object.entries(results)) read.push([path, await readFrom(scope.backend, result)]);
  scope.close([]);
  return Object.fromEntries(read);
};
