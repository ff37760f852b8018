import fc from 'fast-check';

import { append, entries, logOf } from '../../../src/pipelines/trainer/log.ts';

describe('log', () => {
  it('law: entries come back in the order in which they were appended', () => {
    fc.assert(fc.property(fc.array(fc.integer()), (xs) => expect(entries(logOf(xs))).toEqual(xs)));
  });

  it('law: appending leaves the log as it was', () => {
    const log = logOf([1, 2]);
    append(log, 3);
    expect(entries(log)).toEqual([1, 2]);
  });

  it('holds a hundred thousand entries', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => i);
    expect(entries(logOf(many))).toHaveLength(100_000);
  });
});
