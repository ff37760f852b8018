import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { readFrom } from '../../support/conformance/trial.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';

describe('standardised', () => {
  onEveryBackend((name, use) => {
    it(`law: a row of one number is standardised to 0 (${name})`, () =>
      use(async (backend) => {
        for (const features of [2, 6, 7, 100, 768]) {
          for (const value of [100.3, -1e-3, 0.1, 1e6, 12345.678]) {
            const x = backend.ops.full([2, features], value);
            const { data } = await readFrom(backend, backend.ops.standardised(x, [1], 1e-5).values);
            expect(Array.from(data).filter((v) => v !== 0)).toEqual([]);
          }
        }
      }));

    it(`law: numbers near each other keep their differences, however large they are (${name})`, () =>
      use(async (backend) => {
        // 4096 + k / 2048 has 24 bits for whole k.
        const steps = [0, 1, 2, 5];
        const x = backend.ops.constant(
          tensor(
            steps.map((k) => 4096 + k / 2048),
            [1, 4],
          ),
        );
        const { data } = await readFrom(backend, backend.ops.standardised(x, [1], 1e-12).values);
        const expected = steps.map((k) => (k - 2) / Math.sqrt(3.5));
        expect(scaledError(data, expected)).toBeLessThan(1e-5);
      }));
  });
});
