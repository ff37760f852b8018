/**
 * Documents whose code runs from the first line to the last.
 */
import { readFileSync } from 'node:fs';

import { blocksOf, run } from '../support/snippets.ts';

beforeAll(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterAll(() => jest.restoreAllMocks());

const documents = [
  'quick-start',
  'data',
  'fit',
  'optimizer-object',
  'tfjs',
  'which-preset',
  'damping',
  'compose',
  'extend',
  'names',
  'performance',
  'troubleshooting',
].map((page) => `docs/${page}.md`);
const snippets = documents.flatMap(blocksOf).filter(({ onlyCompiled }) => !onlyCompiled);

it('there are some in each', () => {
  const found = documents.filter((document) => snippets.some(({ name }) => name.startsWith(document)));
  expect(found).toEqual(documents);
});

it.each(snippets)('$name: runs and gives what it says', async (snippet) => {
  await run(snippet, (actual, expected) => expect(actual).toEqual(expected));
});

it('docs/quick-start.md: its program prints what the page says', async () => {
  const [, printed] = /\n```text\n([^]*?)\n```/.exec(readFileSync('docs/quick-start.md', 'utf8')) ?? [];
  jest.mocked(console.log).mockClear();
  for (const snippet of blocksOf('docs/quick-start.md')) await run(snippet, () => undefined);
  expect(jest.mocked(console.log).mock.calls.flat()).toEqual([printed]);
});
