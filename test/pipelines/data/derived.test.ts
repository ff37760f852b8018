import fc from 'fast-check';

import { attempt, describeError } from '../../../src/core/errors.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { mapped, shuffled, subset } from '../../../src/pipelines/data/derived.ts';
import { joined } from '../../../src/pipelines/data/joined.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const numbers = (size: number, from = 0): Dataset =>
  orThrow(
    datasetOf(`numbers from ${from}`, {
      inputs: generate([size, 2], (i) => from + i),
      targets: generate([size], (i) => i % 3, 'i32'),
    }),
  );

/** What two data sets give, wherever they are asked. */
const same = (a: Dataset, b: Dataset): void => {
  expect(a.size).toBe(b.size);
  const all = range(0, a.size);
  expect(a.batch(all)).toEqual(b.batch(all));
  const some = Int32Array.from([...all].toReversed().slice(0, 3));
  expect(a.batch(some)).toEqual(b.batch(some));
};

const positions = fc.array(fc.nat(11), { minLength: 1, maxLength: 15 });

describe('subset', () => {
  it('law: of all is the whole; of a subset is one subset', () => {
    const data = numbers(12);
    same(orThrow(subset(data, range(0, 12))), data);
    fc.assert(
      fc.property(positions, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), (outer, picks) => {
        const inner = picks.map((pick) => pick % outer.length);
        const twice = orThrow(subset(orThrow(subset(data, outer)), inner));
        same(
          twice,
          orThrow(
            subset(
              data,
              inner.map((i) => outer[i]),
            ),
          ),
        );
      }),
    );
  });

  it('law: lengths, what is known of the numbers and how many are judged at a time go with the examples', () => {
    const data: Dataset = { ...numbers(4), lengths: Int32Array.of(5, 6, 7, 8), chunk: 2 };
    const some = orThrow(subset(data, [3, 1], 'two of them'));
    expect([some.name, some.size, some.chunk, [...(some.lengths ?? [])]]).toEqual(['two of them', 2, 2, [8, 6]]);
    expect(some.batch.ranges).toEqual(data.batch.ranges);
  });

  it.each([[[]], [[4]], [[-1]], [[0.5]], [[NaN]]])('refuses positions %p of four', (given) => {
    expect(describeError(errorOf(subset(numbers(4), given)))).toContain('at least one whole number from 0 to 3');
  });
});

describe('shuffled', () => {
  it('law: a permutation, which the seed decides', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (size, seed) => {
        const data = numbers(size);
        const mixed = shuffled(data, seed).batch(range(0, size))['inputs'].data;
        const sorted = Float64Array.from(mixed).sort();
        expect([...sorted]).toEqual([...data.batch(range(0, size))['inputs'].data]);
        same(shuffled(data, seed), shuffled(data, seed));
      }),
    );
    expect(shuffled(numbers(20), 1).batch(range(0, 20))).not.toEqual(shuffled(numbers(20), 2).batch(range(0, 20)));
  });
});

describe('mapped', () => {
  const twice: Parameters<typeof mapped>[1] = ({ inputs, ...rest }) => ({
    ...rest,
    inputs: generate(inputs.shape, (i) => 2 * inputs.data[i]),
  });

  it('law: by the identity changes nothing; before or after a subset comes to the same', () => {
    const data = numbers(12);
    same(
      mapped(data, (batch) => batch),
      data,
    );
    fc.assert(
      fc.property(positions, (some) => {
        same(mapped(orThrow(subset(data, some)), twice), orThrow(subset(mapped(data, twice), some)));
      }),
    );
  });

  it('vouches for nothing, since anything may come of it', () => {
    expect(mapped(numbers(3), twice).batch.largest).toBeUndefined();
  });
});

describe('joined', () => {
  it('law: the parts of a data set put together are that data set', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 11 }), (at) => {
        const data = numbers(12);
        const [head, tail] = [range(0, at), range(at, 12 - at)].map((part) => orThrow(subset(data, part)));
        same(joined(head, tail), data);
      }),
    );
  });

  it('law: associative', () => {
    const [a, b, c] = [numbers(2), numbers(3, 100), numbers(1, 200)];
    same(joined(joined(a, b), c), joined(a, joined(b, c)));
  });

  it('knows of the numbers what holds for both, and lengths where both have some', () => {
    const both = joined(
      { ...numbers(2), lengths: Int32Array.of(1, 2), chunk: 7 },
      { ...numbers(1, 50), lengths: Int32Array.of(3) },
    );
    expect(both.batch.ranges?.['inputs']).toEqual({ least: 0, most: 51, isWhole: false });
    expect([both.batch.largest, both.chunk, [...(both.lengths ?? [])]]).toEqual([51, 7, [1, 2, 3]]);
    expect(
      joined(
        numbers(2),
        mapped(numbers(2), (batch) => batch),
      ).batch.largest,
    ).toBeUndefined();
  });

  it.each([
    ['other arrays', { inputs: generate([1, 2], () => 0) }],
    ['arrays of another type', { inputs: tensor([1, 2], [1, 2], 'i32'), targets: tensor([0], [1], 'i32') }],
    ['rows of another shape', { inputs: tensor([1], [1, 1]), targets: tensor([0], [1], 'i32') }],
  ])('a batch of both says what is wrong with %s', (_, arrays) => {
    const both = joined(numbers(2), orThrow(datasetOf('other', arrays)));
    expect(attempt(() => both.batch(range(0, 1)))._tag).toBe('Right');
    expect(attempt(() => both.batch(range(0, 3)))._tag).toBe('Left');
  });
});
