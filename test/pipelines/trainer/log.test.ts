import fc from 'fast-check';

import { append, beforeStep, entries, logOf } from '../../../src/pipelines/trainer/log.ts';

describe('log', () => {
  it('law: entries come back in the order in which they were appended', () => {
    fc.assert(fc.property(fc.array(fc.integer()), (xs) => expect(entries(logOf(xs))).toEqual(xs)));
  });

  it('law: appending leaves the log as it was', () => {
    const log = logOf([1, 2]);
    append(log, 3);
    expect(entries(log)).toEqual([1, 2]);
  });

  it('law: before a step it is what was appended until then, itself where that is all', () => {
    const log = logOf([1, 1, 2, 4].map((step) => ({ step })));
    expect(entries(beforeStep(log, 2))).toEqual([{ step: 1 }, { step: 1 }]);
    expect(entries(beforeStep(log, 1))).toEqual([]);
    expect(beforeStep(log, 5)).toBe(log);
  });

  it('holds a hundred thousand entries', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => i);
    expect(entries(logOf(many))).toHaveLength(100_000);
  });
});
