/** Event files, byte for byte those of TensorBoard's own writer. */
import fc from 'fast-check';

import { crc32c } from '../../../src/pipelines/tensorboard/crc32c.ts';
import { fileVersion, histograms, image, restart, scalars } from '../../../src/pipelines/tensorboard/events.ts';
import { histogramOf } from '../../../src/pipelines/tensorboard/histogram.ts';
import fixture from '../../fixtures/tensorboard/records.json' with { type: 'json' };
import { eventsIn } from './eventFile.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('checksums', () => {
  it.each([
    ['', 0],
    ['123456789', 0xe3069283], // the check value of the catalogue of CRCs
    ['\0'.repeat(32), 0x8a9136aa], // RFC 3720, B.4
  ])('worked example: %j', (text, expected) => {
    expect(crc32c(Buffer.from(text, 'latin1'))).toBe(expected);
  });
});

describe('records are those of the fixture', () => {
  const cases: ReadonlyArray<readonly [keyof typeof fixture.records, Uint8Array]> = [
    ['version', fileVersion(1764400000.25)],
    ['restart', restart({ time: 2.5, step: 300 })],
    [
      'scalars',
      scalars({ time: 0.125, step: 2 ** 40 + 1 }, { 'train/loss': 0.1, 'train/ratio of λ': 0, b: -Infinity }),
    ],
    [
      'histogram',
      histograms(
        { time: 7, step: 12 },
        {
          'eigenvalues/0/A': {
            ...{ min: -1.5, max: 4, count: 3, sum: 0, sumOfSquares: 18.5 },
            ...{ limits: [-2, 0, 5], counts: [0, 1, 2] },
          },
        },
      ),
    ],
    ['image', image({ time: 1, step: 1 }, 'loss', Buffer.from(fixture.png, 'hex'))],
  ];

  it.each(cases)('%s', (name, ours) => {
    expect(hex(ours)).toBe(fixture.records[name]);
  });
});

describe('histogramOf', () => {
  it('law: counts every finite number once, in an interval that holds it, a tenth wide', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 30 }), (values) => {
        const finite = values.filter(Number.isFinite);
        const found = histogramOf(values);
        if (found === null) {
          expect(finite).toEqual([]);
          return;
        }
        const { limits, counts, count, min, max } = found;
        expect([count, counts.reduce((a, b) => a + b)]).toEqual([finite.length, finite.length]);
        expect([min, max]).toEqual([Math.min(...finite), Math.max(...finite)]);
        limits.forEach((end, i) => {
          if (i > 0) expect(end).toBeGreaterThan(limits[i - 1]);
          if (counts[i] === 0) return;
          const begin = limits[i - 1];
          const slack = 1e-6 * Math.abs(end);
          const inside = finite.filter((x) => x > begin - slack && x <= end + slack);
          expect(inside.length).toBeGreaterThanOrEqual(counts[i]);
          if (begin > 0 && end < Number.MAX_VALUE) expect(end / begin).toBeCloseTo(1.1, 6);
        });
      }),
    );
  });

  it('worked example: two numbers far from each other have nothing between them', () => {
    const found = histogramOf([1, 1, -100]);
    expect(found?.counts).toEqual([0, 1, 0, 2]);
    expect(found?.limits.map((end) => Math.sign(end))).toEqual([-1, -1, 1, 1]);
    expect(found).toMatchObject({ min: -100, max: 1, count: 3, sum: -98, sumOfSquares: 10002 });
  });
});

it('law: what was written is read back, one record after another', () => {
  const one = scalars({ time: 1, step: 3 }, { a: 0.5, b: -2 });
  expect(eventsIn(Buffer.concat([fileVersion(1), one]))).toEqual([
    { step: 0, isRestart: false, values: [] },
    {
      step: 3,
      isRestart: false,
      values: [
        { tag: 'a', kind: 'scalar', value: 0.5 },
        { tag: 'b', kind: 'scalar', value: -2 },
      ],
    },
  ]);
});
