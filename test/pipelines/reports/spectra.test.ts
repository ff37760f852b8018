/** Eigenvalues of averaged factors. */
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { spectraOf } from '../../../src/pipelines/reports/spectra.ts';
import { orThrow } from '../../support/training.ts';

const diagonal = (values: ReadonlyArray<number>): Tensor =>
  generate([values.length, values.length], (at) => {
    const [row, column] = [Math.floor(at / values.length), at % values.length];
    return row === column ? values[row] : 0;
  });

describe('spectraOf', () => {
  it('has every square factor of every block and group, from the largest eigenvalue to the smallest', async () => {
    const state = initialState<Tensor>({}, keyOf(1));
    const ofBlocks = (averages: Readonly<Record<string, Readonly<Record<string, Tensor>>>>) => ({
      ...state,
      curvature: { averages, updates: 1 },
    });
    const head = ofBlocks({ last: { G: diagonal([2, 5]), second: generate([1, 4], () => 1), count: diagonal([3]) } });
    const memory = { ...ofBlocks({ first: { A: diagonal([1, 4, 2]) } }), groups: { head } };
    const spectra = orThrow(await spectraOf(memory)());
    expect(spectra.map(({ block, factor }) => [block, factor])).toEqual([
      ['first', 'A'],
      ['head: last', 'G'],
    ]);
    const rounded = spectra.map(({ eigenvalues }) => eigenvalues.map((value) => Number(value.toPrecision(6))));
    expect(rounded).toEqual([
      [4, 2, 1],
      [5, 2],
    ]);
  });
});
