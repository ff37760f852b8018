/**
 * This library's backends without a BLAS, portable and gpu in its WebAssembly mode, and the same interpreter on the kernel that one would write first.
 *
 * @module
 */
import { programOf } from '../../test/support/programOf.ts';
import { GPU, Input } from 'gpu.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { vjp } from '../../src/core/autodiff/reverse.ts';
import type { Backend } from '../../src/core/backends/backend.ts';
import { hostKernelBackend } from '../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { hostBackend } from '../../src/core/backends/host/backend.ts';
import type { Factorisations } from '../../src/core/backends/host/linearAlgebra.ts';
import type { Products } from '../../src/core/backends/host/kernels/products.ts';
import { portableBackend } from '../../src/core/backends/portable/backend.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { succeed } from '../succeed.ts';
import type { Contender, StageCase } from './contender.ts';

const matrix = (data: Float32Array, shape: Shape): Tensor => ({ data, shape, dtype: 'f32' });

const stageOn = (backend: Backend<Tensor>, { batch, widths, x, y, weights }: StageCase): Float32Array => {
  const [input, hidden, output] = widths;
  const layers = [dense({ in: input, out: hidden }), activation('relu'), dense({ in: hidden, out: output })];
  const network = model('stage', [input], sequential(layers));
  const params = {
    '0.weight': matrix(weights[0], [hidden, input]),
    '0.bias': matrix(new Float32Array(hidden), [hidden]),
    '2.weight': matrix(weights[1], [output, hidden]),
    '2.bias': matrix(new Float32Array(output), [output]),
  };
  const { backend: scoped, close } = backend.scope();
  const { ops } = scoped;
  const { outputs, pullback } = vjp(ops, programOf(network), params, [matrix(x, [batch, input])]);
  const targets = matrix(y, [batch, output]);
  const loss = ops.mean(softmaxCrossEntropy.value(ops, outputs, targets), [0]);
  pullback(softmaxCrossEntropy.gradient(ops, outputs, targets));
  const value = Float32Array.of(loss.data[0]);
  close([]);
  return value;
};

const onBackend = (name: string, backend: Backend<Tensor>): Contender => {
  // As in a step: products in a scope, whose buffers the next scope takes over.
  const inScope = (compute: (on: Backend<Tensor>) => Tensor) => (): Float32Array => {
    const { backend: scoped, close } = backend.scope();
    const { data } = compute(scoped);
    close([]);
    return data as Float32Array;
  };
  return {
    name,
    product: (a, b, { m, n, k, transposeA, transposeB }) => {
      const left = backend.ops.constant(matrix(a, transposeA ? [k, m] : [m, k]));
      const right = backend.ops.constant(matrix(b, transposeB ? [n, k] : [k, n]));
      return [inScope(({ ops }) => ops.matmul(left, right, { transposeA, transposeB }))];
    },
    gram: (x, rows, columns) => {
      const operand = backend.ops.constant(matrix(x, [rows, columns]));
      return [inScope(({ ops }) => ops.gram(operand))];
    },
    stage: (stage) => () => stageOn(backend, stage),
  };
};

/** The portable backend. */
export const portable = (threads?: number, fused?: boolean): Contender => {
  const options = { ...(threads === undefined ? {} : { threads }), ...(fused === undefined ? {} : { fused }) };
  const backend = succeed(portableBackend(options));
  const { library, threads: used } = backend.report();
  return onBackend(`portable, ${library}, threads: ${used}`, backend);
};

/** The gpu backend in WebAssembly, as it comes. */
export const ours = (threads?: number): Contender => {
  const backend = succeed(hostKernelBackend('webasm', threads === undefined ? {} : { threads }));
  return onBackend(`gpu.js in WebAssembly, threads: ${backend.report().threads}`, backend);
};

/** Products on `Σ a[y][k] b[k][x]`, with whatever indices the transposes ask for. */
const naiveProducts = (): Products => {
  const gpu = new GPU({ mode: 'webasm' });
  const kernels = new Map<string, (...args: ReadonlyArray<Input>) => ReadonlyArray<Float32Array>>();
  const input = (values: ArrayLike<number>, width: number): Input =>
    new Input(values as unknown as Array<number>, [width, values.length / width]);
  const run: Products['matmul'] = (a, b, { m, n, k, transposeA, transposeB }, out) => {
    const key = [m, n, k, transposeA, transposeB].join();
    const left = transposeA ? 'a[k][this.thread.y]' : 'a[this.thread.y][k]';
    const right = transposeB ? 'b[this.thread.x][k]' : 'b[k][this.thread.x]';
    const text = `function(a, b) { let sum = 0; for (let k = 0; k < ${k}; k++) { sum += ${left} * ${right}; } return sum; }`;
    const kernel =
      kernels.get(key) ??
      (gpu.createKernel(text, { output: [n, m], precision: 'single' }) as unknown as NonNullable<
        ReturnType<typeof kernels.get>
      >);
    kernels.set(key, kernel);
    const rows = kernel(input(a, transposeA ? m : k), input(b, transposeB ? k : n));
    out.set(new Float32Array(rows[0].buffer, rows[0].byteOffset, m * n));
  };
  return {
    matmul: run,
    batchedMatmul: () => undefined, // not measured
    affine: (x, weight, bias, m, n, k, out) => {
      run(x, weight, { m, n, k, transposeA: false, transposeB: true }, out);
      for (let i = 0; i < out.length; i += 1) out[i] += bias[i % n];
    },
    gram: (x, rows, columns, out) =>
      run(x, x, { m: columns, n: columns, k: rows, transposeA: true, transposeB: false }, out),
  };
};

/** The host interpreter on the kernel that one would write first. */
export const naiveBackend = (): Backend<Tensor> =>
  hostBackend({
    name: 'naive',
    dtype: 'f32',
    products: naiveProducts(),
    factorisations: {} as Factorisations, // not measured
    report: () => ({ backend: 'naive', library: 'gpu.js', threads: 1, factorisations: '', warnings: [] }),
    dispose: TE.right(undefined),
  });

/** What the kernel that one would write first makes of it. */
export const naive = (): Contender => onBackend('naive gpu.js', naiveBackend());
