import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { blocksTimes, mapColumns, mapRows, timesBlocks } from '../../../src/core/operators/parts.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian } from '../../support/training.ts';

const { ops } = referenceBackend();

describe('parts', () => {
  const one = tensor([2], [1, 1]);
  const swap = tensor([0, 1, 0, 0], [2, 2]);
  const v = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);

  it('worked example: 2 ⊕ [[0, 1], [0, 0]] on rows, on columns, and transposed', () => {
    expect(Array.from(blocksTimes(ops, [one, swap], v).data)).toEqual([2, 4, 6, 7, 8, 9, 0, 0, 0]);
    expect(Array.from(blocksTimes(ops, [one, swap], v, true).data)).toEqual([2, 4, 6, 0, 0, 0, 4, 5, 6]);
    expect(Array.from(timesBlocks(ops, v, [one, swap]).data)).toEqual([2, 0, 2, 8, 0, 5, 14, 0, 8]);
    expect(Array.from(timesBlocks(ops, v, [one, swap], true).data)).toEqual([2, 3, 0, 8, 6, 0, 14, 9, 0]);
  });

  it('law: columns are the rows of the transpose, V (⊕ B) = ((⊕ Bᵀ) Vᵀ)ᵀ', () => {
    const blocks = [gaussian(1, [2, 2]), gaussian(2, [3, 3])];
    const x = gaussian(3, [4, 5]);
    const rows = ops.transposed(blocksTimes(ops, blocks, ops.transposed(x), true));
    expect(scaledError(timesBlocks(ops, x, blocks).data, rows.data)).toBeLessThan(1e-14);
  });

  it('each part is changed by itself, in order', () => {
    const scaled = (part: typeof v, i: number) => ops.scale(i, part);
    expect(Array.from(mapRows(ops, [1, 2], v, scaled).data)).toEqual([0, 0, 0, 4, 5, 6, 7, 8, 9]);
    expect(Array.from(mapColumns(ops, [2, 1], v, scaled).data)).toEqual([0, 0, 3, 0, 0, 6, 0, 0, 9]);
  });
});
