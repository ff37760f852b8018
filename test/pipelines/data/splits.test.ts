import fc from 'fast-check';

import { attempt } from '../../../src/core/errors.ts';
import { generate } from '../../../src/core/tensor.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { splitOf } from '../../../src/pipelines/data/splits.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const numbers = (size: number): Dataset => {
  const x = generate([size], (i) => i);
  return orThrow(datasetOf('numbers', x, x));
};

const allOf = (data: Dataset): ReadonlyArray<number> => Array.from(data.batch(range(0, data.size))['inputs'].data);

describe('splitOf', () => {
  it('law: every example is on one side, as many as are asked for, at random', () => {
    const part = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 60 }), part, fc.nat(), (size, test, seed) => {
        const splits = orThrow(splitOf(numbers(size), { test, seed }));
        const [train, held] = [allOf(splits.train), allOf(splits.test)];
        expect(held).toHaveLength(Math.round(test * size));
        expect([...train, ...held].toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(orThrow(splitOf(numbers(size), { test, seed })).test.batch(range(0, 1))).toEqual(
          splits.test.batch(range(0, 1)),
        );
      }),
    );
    expect(allOf(orThrow(splitOf(numbers(50), { seed: 2 })).test)).not.toEqual(
      allOf(orThrow(splitOf(numbers(50), { seed: 3 })).test),
    );
  });

  it('law: what is known of the numbers stays known, and no more than that', () => {
    const whole = numbers(10);
    const { train } = orThrow(splitOf(whole));
    expect([train.batch.largest, train.batch.ranges]).toEqual([whole.batch.largest, whole.batch.ranges]);
    const own: Dataset = { ...whole, batch: (indices) => whole.batch(indices) };
    expect(orThrow(splitOf(own)).train.batch.largest).toBeUndefined();
  });

  it('law: lengths go with their examples, and so does how many are judged at a time', () => {
    const lengths = Int32Array.from({ length: 30 }, (_, i) => 100 + i);
    const { train, test } = orThrow(splitOf({ ...numbers(30), lengths, chunk: 7 }));
    for (const part of [train, test]) {
      expect(Array.from(part.lengths ?? [])).toEqual(allOf(part).map((number) => 100 + number));
      expect(part.chunk).toBe(7);
    }
    expect(orThrow(splitOf(numbers(30))).train).not.toHaveProperty('lengths');
  });

  it.each([-1, 8, 0.5])('refuses to give an example at %p', (position) => {
    const { train } = orThrow(splitOf(numbers(10)));
    expect(attempt(() => train.batch(Float64Array.of(position)))._tag).toBe('Left');
  });

  it.each([0, 1, 0.001, -0.5, NaN])('refuses a part of %p', (test) => {
    expect(errorOf(splitOf(numbers(10), { test }))).toMatchObject({ _tag: 'BadConfig', path: 'test' });
  });
});
