/**
 * Documents whose code runs from the first line to the last.
 */
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
