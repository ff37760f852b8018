import * as E from 'fp-ts/lib/Either.js';
import * as fc from 'fast-check';

import { orRaise } from '../../../src/core/errors.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { keptStandardisation, standardisationIn } from '../../../src/pipelines/data/keptStandardisation.ts';
import { standardisationOf } from '../../../src/pipelines/data/standardisation.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true });

it('law: what is kept is read back, bit for bit', () => {
  const column = fc.record({
    mean: number,
    deviation: fc.double({ min: 5e-324, noNaN: true, noDefaultInfinity: true }),
  });
  const names = fc.string().filter((name) => name !== '__proto__');
  fc.assert(
    fc.property(fc.dictionary(names, fc.array(column, { minLength: 1, maxLength: 4 })), (arrays) => {
      const units = Object.fromEntries(
        Object.entries(arrays).map(([name, columns]) => {
          // Zero has no sign in JSON.
          const mean = columns.map((each) => each.mean + 0);
          const deviation = columns.map((each) => each.deviation);
          return [
            name,
            { mean: tensor(mean, [mean.length], 'f64'), deviation: tensor(deviation, [mean.length], 'f64') },
          ];
        }),
      );
      expect(orRaise(standardisationIn(keptStandardisation(units)))).toEqual(units);
    }),
  );
});

it('keeps mean and deviation by column', () => {
  const units = { inputs: standardisationOf(tensor([1, 7, 3, 7], [2, 2])) };
  expect(keptStandardisation(units)).toEqual({
    'standardisation.json': '{"inputs":{"mean":[2,7],"deviation":[1,1]}}',
  });
});

it.each([
  [{}, 'no such file'],
  [{ 'standardisation.json': '{' }, 'text that is no JSON'],
  [{ 'standardisation.json': '{"inputs":{"mean":[1]}}' }, 'something else'],
  [{ 'standardisation.json': '{"inputs":{"mean":[1],"deviation":[0]}}' }, 'something else'],
  [{ 'standardisation.json': '{"inputs":{"mean":[1,2],"deviation":[1]}}' }, 'different numbers of columns'],
])('law: %j is refused: %s', (kept, words) => {
  const found = standardisationIn(kept);
  expect(E.isLeft(found) ? found.left : null).toMatchObject({
    _tag: 'BadCheckpoint',
    source: 'standardisation.json',
    actual: expect.stringContaining(words) as string,
  });
});
