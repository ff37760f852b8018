import fc from 'fast-check';

import { describeError } from '../../../src/core/errors.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { mapped } from '../../../src/pipelines/data/derived.ts';
import {
  standardisationOf,
  standardisationsOf,
  standardise,
  standardisedBy,
  unstandardise,
} from '../../../src/pipelines/data/standardisation.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const number = fc.integer({ min: -1000, max: 1000 }).map((n) => 0.1 * n);
const arrays: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([n, steps, width, rank]) => {
    const shape = rank === 1 ? [n] : rank === 2 ? [n, width] : [n, steps, width];
    const size = shape.reduce((product, extent) => product * extent, 1);
    return fc.array(number, { minLength: size, maxLength: size }).map((values) => tensor(values, shape));
  });

const columnOf = (x: Tensor, column: number): ReadonlyArray<number> => {
  const width = x.shape.length < 2 ? 1 : (x.shape.at(-1) ?? 1);
  return Array.from(x.data).filter((_, i) => i % width === column);
};

describe('standardisation', () => {
  it('law: unstandardise ∘ standardise = identity', () => {
    fc.assert(
      fc.property(arrays, (x) => {
        const by = standardisationOf(x);
        const back = orThrow(unstandardise(orThrow(standardise(x, by)), by));
        expect(back.shape).toEqual(x.shape);
        Array.from(back.data).forEach((value, i) => expect(Math.abs(value - x.data[i])).toBeLessThan(1e-8));
      }),
    );
  });

  it('law: each column of what it is taken from has a mean of 0, and a deviation of 1 unless it does not vary', () => {
    fc.assert(
      fc.property(arrays, (x) => {
        const by = standardisationOf(x);
        const standard = orThrow(standardise(x, by));
        expect(by.mean.data).toHaveLength(x.shape.length < 2 ? 1 : (x.shape.at(-1) ?? 0));
        Array.from(by.mean.data).forEach((_, column) => {
          const [values, given] = [columnOf(standard, column), columnOf(x, column)];
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
          expect(Math.abs(mean)).toBeLessThan(1e-9);
          expect(Math.abs(square - (given.every((value) => value === given[0]) ? 0 : 1))).toBeLessThan(1e-9);
        });
      }),
    );
  });

  it('a column of equal numbers is only shifted, even where their mean is rounded', () => {
    // The mean of ten times 0.1 is 0.09999999999999999.
    const by = standardisationOf(generate([10, 1], () => 0.1));
    expect([by.mean.data[0] === 0.1, by.deviation.data[0]]).toEqual([false, 1]);
    expect(orThrow(standardise(tensor([1.1], [1, 1]), by)).data[0]).toBeCloseTo(1);
  });

  it('law: of a data set in parts is that of its array', () => {
    const x = generate([1203, 2], (i) => 1e6 + Math.sin(i) * (1 + (i % 2)));
    const data = orThrow(datasetOf('waves', { inputs: x }));
    const [{ inputs }, whole] = [orThrow(standardisationsOf(data, ['inputs'])), standardisationOf(x)];
    // Sums of n numbers of size 10⁶ are rounded by at most n ε 10⁶.
    const bound = 1203 * Number.EPSILON * 1e6;
    Array.from(inputs.mean.data).forEach((mean, i) => expect(Math.abs(mean - whole.mean.data[i])).toBeLessThan(bound));
    Array.from(inputs.deviation.data).forEach((deviation, i) =>
      expect(Math.abs(deviation - whole.deviation.data[i])).toBeLessThan(bound),
    );
  });

  it('law: a data set gives what its array standardised does, other arrays as they are, and knows bounds that hold', () => {
    fc.assert(
      fc.property(arrays, (x) => {
        const n = x.shape[0];
        const data = orThrow(datasetOf('points', { inputs: x, targets: generate([n], (i) => i, 'i32') }));
        const by = orThrow(standardisationsOf(data, ['inputs']));
        const standard = orThrow(standardisedBy(data, by));
        const { inputs, targets } = standard.batch(range(0, n));
        expect(inputs).toEqual(orThrow(standardise(x, by['inputs'])));
        expect(targets).toEqual(data.batch(range(0, n))['targets']);
        const { least, most } = standard.batch.ranges?.['inputs'] ?? { least: NaN, most: NaN };
        expect(Array.from(inputs.data).every((value) => value >= least && value <= most)).toBe(true);
        expect(standard.batch.ranges?.['targets']).toEqual(data.batch.ranges?.['targets']);
        expect(Math.max(...Array.from(inputs.data, Math.abs))).toBeLessThanOrEqual(standard.batch.largest ?? NaN);
      }),
    );
  });

  it('vouches for no numbers that nobody vouches for', () => {
    const data = mapped(orThrow(datasetOf('points', { inputs: tensor([1, 2], [2]) })), (batch) => batch);
    const by = orThrow(standardisationsOf(data, ['inputs']));
    expect(orThrow(standardisedBy(data, by)).batch.largest).toBeUndefined();
  });

  it('says what is wrong: no such array, other columns', () => {
    const data = orThrow(datasetOf('points', { inputs: tensor([1, 2, 3, 4], [2, 2]) }));
    const saidOf = (result: Parameters<typeof errorOf>[0]): string => describeError(errorOf(result));
    expect(saidOf(standardisationsOf(data, ['targets']))).toContain('an array targets');
    const by = standardisationOf(tensor([1, 2, 3], [1, 3]));
    const other = tensor([1, 2, 3, 4], [2, 2]);
    const wrong = [standardisedBy(data, { inputs: by }), standardise(other, by), unstandardise(other, by)];
    for (const result of wrong) expect(saidOf(result)).toContain('3 numbers on the last axis');
  });
});
