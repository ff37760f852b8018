/** The guides: every block of code runs as it stands, and every line gives what it says. */
import { blocksOf, run } from '../support/snippets.ts';

const guides = [
  'quick-start',
  'which-preset',
  'damping',
  'compose',
  'extend',
  'names',
  'performance',
  'troubleshooting',
].map((name) => `docs/${name}.md`);

const blocks = guides.flatMap(blocksOf).filter(({ onlyCompiled }) => !onlyCompiled);

describe('guides', () => {
  beforeAll(() => void jest.spyOn(console, 'log').mockImplementation(() => undefined));
  afterAll(() => jest.restoreAllMocks());

  it.each(blocks)('$name runs and gives what it says', async (block) => {
    await run(block, (actual, expected, line) => expect({ line, actual }).toEqual({ line, actual: expected }));
  });

  it('each has some', () => {
    expect(guides.filter((page) => !blocks.some(({ name }) => name.startsWith(page)))).toEqual([]);
  });
});
