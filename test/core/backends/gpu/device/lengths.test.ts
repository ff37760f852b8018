/** Kernels of gpu.js are made for arrays of one length: what reads a part of an array has one for each length. */
import { tensor } from '../../../../../src/core/tensor.ts';
import { readFrom } from '../../../../support/conformance/trial.ts';
import { orThrow } from '../../../../support/training.ts';
import { memoryBackend } from './support.ts';

it.each(['cpu', 'webasm'] as const)('the same slice is taken of arrays of different lengths (%s)', async (mode) => {
  const backend = memoryBackend(mode);
  const { ops } = backend;
  const second = (count: number) => {
    const x = ops.constant(
      tensor(
        Array.from({ length: count }, (_, i) => 10 * count + i),
        [count],
      ),
    );
    return readFrom(backend, ops.slice(x, [1], [1]));
  };
  for (const count of [5, 7, 3, 5]) expect(Array.from((await second(count)).data)).toEqual([10 * count + 1]);
  orThrow(await backend.dispose());
});
