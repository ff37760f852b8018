/**
 * As much of jest as the shared suites use, for pages: tests are collected, run one after another, and their outcome
 * is data, which jest asserts on outside. A matcher that is missing here fails the test that uses it.
 *
 * @module
 */

/** What came of a test. */
export interface Outcome {
  /** Names of the groups that it is in, and its own. */
  readonly name: string;
  /** What is wrong; `null` where nothing is. */
  readonly fault: string | null;
}

type Body = () => unknown;

interface Collected {
  readonly name: string;
  readonly body: Body;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const entriesOf = (value: Readonly<Record<string, unknown>>): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(value).filter(([, field]) => field !== undefined);

/** Whether a value has all that a pattern has; with `exact`, nothing else. */
const matches = (value: unknown, pattern: unknown, exact: boolean): boolean => {
  if (Object.is(value, pattern)) return true;
  if (!isObject(value) || !isObject(pattern)) return false;
  if (Array.isArray(value) !== Array.isArray(pattern)) return false;
  const [own, wanted] = [entriesOf(value), entriesOf(pattern)];
  if ((exact || Array.isArray(pattern)) && own.length !== wanted.length) return false;
  return wanted.every(([name, field]) => name in value && matches(value[name], field, exact));
};

const shown = (value: unknown): string => {
  const text = value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value));
  return text.length > 400 ? `${text.slice(0, 400)} …` : text;
};

type Test = (actual: unknown, expected: unknown) => boolean;

const matchers: Readonly<Record<string, Test>> = {
  toBe: (a, b) => Object.is(a, b),
  toEqual: (a, b) => matches(a, b, true),
  toMatchObject: (a, b) => matches(a, b, false),
  toContain: (a, b) => (typeof a === 'string' ? a.includes(String(b)) : Array.isArray(a) && a.includes(b)),
  toBeUndefined: (a) => a === undefined,
  toBeNull: (a) => a === null,
  toBeLessThan: (a, b) => Number(a) < Number(b),
  toBeLessThanOrEqual: (a, b) => Number(a) <= Number(b),
  toBeGreaterThan: (a, b) => Number(a) > Number(b),
  toBeGreaterThanOrEqual: (a, b) => Number(a) >= Number(b),
};

const expectations = (actual: unknown, negated: boolean): Readonly<Record<string, (expected?: unknown) => void>> =>
  Object.fromEntries(
    Object.entries(matchers).map(([name, test]) => [
      name,
      (expected) => {
        if (test(actual, expected) !== negated) return;
        throw new Error(`expected ${shown(actual)} ${negated ? 'not ' : ''}${name} ${shown(expected)}`);
      },
    ]),
  );

/** `%s` and `%p` in a name, replaced by the row's first values. */
const titled = (name: string, row: ReadonlyArray<unknown>): string =>
  row.reduce(
    (text: string, value) => text.replace(/%[sp]/, () => (typeof value === 'string' ? value : shown(value))),
    name,
  );

/**
 * Collects the tests that a function defines, and runs them.
 *
 * @param define - calls `describe` and `it`, which it finds among the globals
 * @returns what came of each, in order
 */
export const runTests = async (define: () => void): Promise<ReadonlyArray<Outcome>> => {
  const tests: Array<Collected> = [];
  const endings: Array<Body> = [];
  const path: Array<string> = [];
  const it = (name: string, body: Body): void => void tests.push({ name: [...path, name].join(' › '), body });
  const describe = (name: string, group: () => void): void => {
    path.push(name);
    group();
    path.pop();
  };
  const each =
    (rows: ReadonlyArray<unknown>) =>
    (name: string, body: (...row: ReadonlyArray<unknown>) => unknown): void =>
      rows.forEach((given) => {
        const row: ReadonlyArray<unknown> = Array.isArray(given) ? given : [given];
        it(titled(name, row), () => body(...row));
      });
  const expect = (actual: unknown): unknown => ({ ...expectations(actual, false), not: expectations(actual, true) });
  const globals = {
    describe,
    it: Object.assign(it, { each }),
    expect,
    beforeAll: (body: Body) => it('beforeAll', body), // tests run in order
    afterAll: (body: Body) => void endings.push(body),
  };
  const before = Object.fromEntries(
    Object.keys(globals).map((name) => [name, Reflect.get(globalThis, name) as unknown]),
  );
  Object.assign(globalThis, globals);
  define();

  const outcomes: Array<Outcome> = [];
  for (const { name, body } of [...tests, ...endings.map((body) => ({ name: 'afterAll', body }))]) {
    try {
      await body();
      outcomes.push({ name, fault: null });
    } catch (thrown) {
      outcomes.push({ name, fault: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }
  Object.assign(globalThis, before);
  return outcomes;
};
