import { filesBelow } from '../support/comments.ts';
import type { Snippet } from '../support/snippets.ts';
import { barrels, blocksOf, complaintsOf, functionsOf, run } from '../support/snippets.ts';

const documents = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs', '.md')].flatMap(blocksOf);
const functions = barrels.map((barrel) => ({ barrel, documented: functionsOf(barrel) }));
const examples = functions.flatMap(({ documented }) => documented.flatMap((each) => each.examples));

const snippet = (code: string): Snippet => ({ name: 'here', code, onlyCompiled: false });

describe('what readers copy', () => {
  it('is checked: code that does not compile is found, with its line', () => {
    const good = snippet("import { sizeOf } from 'kfac-ts/core';\nconst n: number = sizeOf([2, 3]);");
    const bad = snippet("import { sizeOf } from 'kfac-ts/core';\nconst n: string = sizeOf([2, 3]);");
    const unknown = snippet("import { nothing } from 'kfac-ts/core';");
    const complaints = complaintsOf([good, bad, unknown]);
    expect(complaints).toHaveLength(2);
    expect(complaints[0]).toContain('here, line 2:');
    expect(complaints[1]).toContain('nothing');
  });

  it('is checked: a line that gives something else than it says is found', async () => {
    const seen: Array<readonly [unknown, unknown]> = [];
    const code = [
      "import { sizeOf, tensor } from 'kfac-ts/core';",
      'sizeOf([2, 3]); // => 6',
      'tensor([1, 2], [2]).data; // => [1, 2]',
    ];
    await run(snippet(code.join('\n')), (actual, expected) => seen.push([actual, expected]));
    expect(seen).toEqual([
      [6, 6],
      [
        [1, 2],
        [1, 2],
      ],
    ]);
  });

  it('compiles: every TypeScript block of the documents and every example of a public function', () => {
    expect(documents.length).toBeGreaterThan(4);
    expect(complaintsOf([...documents, ...examples])).toEqual([]);
  });
});

describe.each(functions)('$barrel', ({ documented }) => {
  beforeAll(() => void jest.spyOn(console, 'log').mockImplementation(() => undefined));
  afterAll(() => jest.restoreAllMocks());

  it('has an example for every function', () => {
    expect(documented.filter((each) => each.examples.length === 0).map(({ name }) => name)).toEqual([]);
  });

  const runnable = documented.flatMap((each) => each.examples).filter(({ onlyCompiled }) => !onlyCompiled);
  it.each(runnable.length === 0 ? [snippet('')] : runnable)(
    '$name: the example runs and gives what it says',
    async (example) => {
      await run(example, (actual, expected) => expect(actual).toEqual(expected));
    },
  );
});
