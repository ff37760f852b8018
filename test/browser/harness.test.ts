/**
 * The stand-in for jest that pages use must fail where jest would.
 */
import { runTests } from './page/harness.ts';

const define = (): void => {
  describe('group', () => {
    it('passes', () => {
      expect({ a: 1, b: { c: 2, d: 3 } }).toMatchObject({ b: { c: 2 } });
      expect([1, { a: NaN }]).toEqual([1, { a: NaN, b: undefined }]);
      expect('text').toContain('ex');
      expect(1).not.toBe(2);
    });
    it('fails later', async () => {
      await Promise.resolve();
      expect([1, 2]).toEqual([1, 3]);
    });
    it.each([
      ['one', 1],
      ['two', 2],
    ])('row %s', (_, value) => {
      expect(value).toBeLessThanOrEqual(1);
    });
    it('throws', () => {
      throw new Error('thrown');
    });
  });
  it.each([
    [[1], [1, 2]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [Float32Array.of(1), Float32Array.of(2)],
    [null, {}],
    [[], {}],
  ])('%p is not %p', (a, b) => {
    expect(a).not.toEqual(b);
    expect(a).not.toMatchObject(b);
  });
  it('misses a matcher', () => {
    expect(1).toBeCloseTo(1);
  });
  afterAll(() => {
    throw new Error('not disposed of');
  });
};

it('tells what passed, what failed and why, in order, and leaves jest as it was', async () => {
  const jests = expect;
  const outcomes = await runTests(define);
  expect(expect).toBe(jests);
  expect(outcomes.map(({ name, fault }) => `${name}: ${fault ?? 'passed'}`)).toEqual([
    'group › passes: passed',
    'group › fails later: expected [1,2] toEqual [1,3]',
    'group › row one: passed',
    'group › row two: expected 2 toBeLessThanOrEqual 1',
    'group › throws: thrown',
    '[1] is not [1,2]: passed',
    '{"a":1} is not {"a":1,"b":2}: passed',
    '{"0":1} is not {"0":2}: passed',
    'null is not {}: passed',
    '[] is not {}: passed',
    expect.stringContaining('misses a matcher: ') as string,
    'afterAll: not disposed of',
  ]);
  expect(outcomes[10].fault).not.toBeNull();
});
