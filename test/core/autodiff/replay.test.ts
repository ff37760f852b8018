import fc from 'fast-check';

import { recording, replaying } from '../../../src/core/autodiff/replay.ts';
import { completeOps } from '../../../src/core/ops/complete.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { derivedCases } from './derivedCases.ts';
import { elementwiseCases } from './elementwiseCases.ts';
import { matrixCases } from './matrixCases.ts';
import { structuralCases } from './structuralCases.ts';
import { ops } from './support.ts';

const cases = [...structuralCases, ...matrixCases, ...elementwiseCases, ...derivedCases];

describe.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
  it('law: a program run on its own recorded values gives its result, whatever it is given', () => {
    fc.assert(
      fc.property(entry.settings('smooth'), ({ params, inputs, program }) => {
        const values: Array<Tensor> = [];
        const recorded = completeOps(
          recording(ops, (value) => {
            values.push(value);
            return value;
          }),
        );
        const result = program(recorded, params, inputs);
        expect(program(completeOps(replaying(values)), params, inputs)).toBe(result);
      }),
      { numRuns: 10 },
    );
  });
});

it('worked example: 2 + 3, then · 4, are given back in that order', () => {
  const values: Array<Tensor> = [];
  const recorded = recording(ops, (value) => {
    values.push(value);
    return value;
  });
  const [two, three, four] = [2, 3, 4].map((x) => tensor([x], []));
  recorded.binary('mul', recorded.binary('add', two, three), four);
  expect(values.map(({ data }) => data[0])).toEqual([5, 20]);
  const replayed = replaying(values);
  expect(replayed.binary('add', four, four).data[0]).toBe(5);
  expect(replayed.unary('exp', four).data[0]).toBe(20);
});
