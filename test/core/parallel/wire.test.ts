/**
 * Sums over ranks that travel as bfloat16: how they are rounded, and how far they are off.
 *
 * @module
 */
import fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { packed, unpacked } from '../../../src/core/parallel/spread/wire.ts';
import { generate } from '../../../src/core/tensor.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { orThrow } from '../../support/training.ts';
import { deepTask, trained } from './support.ts';

const throughWire = (numbers: ReadonlyArray<number>): ReadonlyArray<number> => {
  const out = new Float32Array(numbers.length);
  unpacked(packed(Float32Array.from(numbers)), out);
  return Array.from(out);
};

/** The sum over ranks of a row each. */
const summed = async (rows: ReadonlyArray<ReadonlyArray<number>>): Promise<ReadonlyArray<number>> => {
  const collective = simulated(rows.length);
  const backend = distributed(referenceBackend(), collective, { wire: 'bf16' });
  const [{ length }] = rows;
  const x = backend.batch?.(generate([rows.length, length], (i) => rows[Math.floor(i / length)][i % length]));
  if (x === undefined) throw new Error('no batch');
  return Array.from(orThrow(await backend.read(backend.ops.sum(x, [0]))()).data);
};

describe('numbers on the wire', () => {
  it('worked example: ties go to the even one, zeros keep their sign, infinities and what is no number stay', () => {
    const half = 2 ** -8; // of the last place at 1
    const numbers = [1 + half, 1 + 3 * half, 1 + 1.01 * half, -(1 + half), -0, 1 / 0, NaN, 3.5e38, 3];
    const found = throughWire(numbers);
    expect(found).toEqual([1, 1 + 4 * half, 1 + 2 * half, -1, -0, Infinity, NaN, Infinity, 3]);
  });

  it('worked example: what is no number stays none, whatever its bits', () => {
    const out = new Float32Array(1);
    unpacked(packed(new Float32Array(Uint32Array.of(0x7fffffff).buffer)), out);
    expect(out[0]).toBeNaN();
  });

  it('law: a number is off by at most 2⁻⁸ of itself', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true })), (numbers) => {
        throughWire(numbers).forEach((y, i) => {
          expect(Math.abs(y - numbers[i])).toBeLessThanOrEqual(Math.max(2 ** -8 * Math.abs(numbers[i]), 2 ** -126));
        });
      }),
    );
  });

  it('law: a sum is off by at most 2⁻⁸ of each addend, and of itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 256, max: 261 }),
        fc.array(fc.float({ min: Math.fround(-1e6), max: Math.fround(1e6), noNaN: true }), { minLength: 7 }),
        async (ranks, length, some) => {
          const rows = Array.from({ length: ranks }, (_, r) =>
            Array.from({ length }, (__, i) => some[(3 * i + 5 * r) % some.length]),
          );
          (await summed(rows)).forEach((sum, i) => {
            const addends = rows.map((row) => row[i]);
            const exact = addends.reduce((a, b) => a + b, 0);
            const sizes = addends.reduce((a, b) => a + Math.abs(b), 0);
            const bound = 2 ** -8 * (sizes + Math.abs(exact)) * (1 + 2 ** -7) + 2 ** -20 * sizes;
            expect(Math.abs(sum - exact)).toBeLessThanOrEqual(bound + 2 ** -120);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('what is small is sent as it is', async () => {
    const row = Array.from({ length: 255 }, (_, i) => 1 / (i + 3));
    expect(await summed([row, row])).toEqual(row.map((x) => 2 * x));
  });
});

it('half the bytes; a run comes to about the same', async () => {
  const runs = (['full', 'bf16'] as const).map(async (wire) => {
    const collective = simulated(2);
    const backend = distributed(referenceBackend(), collective, { wire });
    const result = await trained(backend, deepTask(20, 2), orThrow(optimizerOf('kfac')));
    return { loss: result.test.loss, bytes: collective.traffic().bytes };
  });
  const [full, narrow] = await Promise.all(runs);
  expect(narrow.loss / full.loss).toBeCloseTo(1, 1);
  expect(narrow.bytes).toBeLessThan(full.bytes);
});
