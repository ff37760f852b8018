import fc from 'fast-check';

import { attempt } from '../../../src/core/errors.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
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

  it('law: of a given order the last ones are for the test, and both parts keep it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 60 }), fc.double({ min: 0.2, max: 0.8, noNaN: true }), (size, test) => {
        const { train, test: held } = orThrow(splitOf(numbers(size), { test, order: 'given' }));
        expect([...allOf(train), ...allOf(held)]).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(held.size).toBe(Math.round(test * size));
      }),
    );
  });

  it('law: stratified, a partition of as many, in which no class has one more or less than its share', () => {
    const classes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 60 });
    const order = fc.constantFrom('random' as const, 'given' as const);
    fc.assert(
      fc.property(classes, fc.double({ min: 0.2, max: 0.8, noNaN: true }), order, fc.nat(), (given, test, by, seed) => {
        const size = given.length;
        const arrays = { inputs: generate([size], (i) => i), targets: tensor(given, [size], 'i32') };
        const data = orThrow(datasetOf('classes', arrays));
        const parts = orThrow(splitOf(data, { test, order: by, seed, stratify: 'targets' }));
        const held = Math.round(test * size);
        expect(parts.test.size).toBe(held);
        expect([...allOf(parts.train), ...allOf(parts.test)].toSorted((a, b) => a - b)).toEqual([
          ...arrays.inputs.data,
        ]);
        const ofTest = Array.from(parts.test.batch(range(0, held))['targets'].data);
        for (const kind of new Set(given)) {
          const share = (held / size) * given.filter((other) => other === kind).length;
          expect(Math.abs(ofTest.filter((other) => other === kind).length - share)).toBeLessThan(1);
        }
      }),
    );
  });

  it.each([
    ['no such array', 'labels', { inputs: tensor([1, 2], [2]) }, 'a batch with an array labels'],
    ['numbers between', 'inputs', { inputs: tensor([1, 2.5], [2]) }, 'whole numbers'],
    ['more than one number', 'inputs', { inputs: tensor([1, 2, 3, 4], [2, 2]) }, 'a class for each example'],
  ])('refuses to stratify by %s', (_, stratify, arrays, expected) => {
    const data = orThrow(datasetOf('classes', arrays));
    expect(errorOf(splitOf(data, { test: 0.5, stratify }))).toMatchObject({ expected });
  });

  it.each([-1, 8, 0.5])('refuses to give an example at %p', (position) => {
    const { train } = orThrow(splitOf(numbers(10)));
    expect(attempt(() => train.batch(Float64Array.of(position)))._tag).toBe('Left');
  });

  it.each([0, 1, 0.001, -0.5, NaN])('refuses a part of %p', (test) => {
    expect(errorOf(splitOf(numbers(10), { test }))).toMatchObject({ _tag: 'BadConfig', path: 'test' });
  });
});
