/**
 * Sizes that the suite of all backends does not reach: extents beyond a launch, many operands, halves of products.
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { DeviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import type { KfacError } from '../../../../../src/core/errors.ts';
import type { Ops } from '../../../../../src/core/ops/ops.ts';
import type { Shaped, Tensor } from '../../../../../src/core/tensor.ts';
import { generate } from '../../../../../src/core/tensor.ts';
import { epsilonOf, readFrom, reference } from '../../../../support/conformance/trial.ts';
import { scaledError } from '../../../../support/closeness.ts';
import { orThrow } from '../../../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../../../support/webgpu.ts';
import { memoryBackend } from './support.ts';

const waves = (shape: ReadonlyArray<number>): Tensor => generate(shape, (i) => Math.fround(Math.sin(i)), 'f32');

type Program = <T extends Shaped>(ops: Ops<T>, x: T) => T;

const cases: ReadonlyArray<readonly [string, Tensor, Program]> = [
  ['a transpose with 600 000 rows', waves([3, 600_000]), (ops, x) => ops.transpose(x, [1, 0])],
  [
    'a concatenation of more arrays than a kernel takes',
    waves([4, 3]),
    (ops, x) => ops.concat([x, ops.neg(x), x, x, ops.neg(x), x, x, x, ops.neg(x), x, x, x, ops.neg(x)], 1),
  ],
  ['a sum of 100 000 terms', waves([100_000]), (ops, x) => ops.sum(x, [0])],
  ['a sum over many rows', waves([3000, 7]), (ops, x) => ops.sum(x, [0])],
  ['a maximum over many columns', waves([7, 3000]), (ops, x) => ops.max(x, [1])],
  ['xᵀx of an order that is a multiple of four', waves([9, 132]), (ops, x) => ops.gram(x)],
  ['xᵀx of an order that is not', waves([9, 131]), (ops, x) => ops.gram(x)],
];

const agree = (open: TE.TaskEither<KfacError, DeviceBackend>): void => {
  it.each(cases)('%s', async (_, x, program) => {
    const backend = orThrow(await open());
    const { data, shape } = await readFrom(backend, program(backend.ops, backend.ops.constant(x)));
    const expected = program(reference, reference.constant(x));
    expect(shape).toEqual(expected.shape);
    expect(scaledError(data, expected.data)).toBeLessThan(64 * epsilonOf.f32);
    orThrow(await backend.dispose());
  });
};

describe('in JavaScript', () => agree(TE.fromIO(() => memoryBackend('cpu'))));

describe('on WebGPU', () => {
  withWebgpu(() => agree(webgpuBackend()));
});
