/** Pages whose programs need nothing besides the library: each runs, and every line gives what it says. */
import { blocksOf, run } from '../support/snippets.ts';

const pages = [
  ['docs/fit.md', 2],
  ['docs/data.md', 5],
] as const;

describe.each(pages)('%s', (page, claimed) => {
  it('runs as it stands', async () => {
    const claims: Array<string> = [];
    for (const snippet of blocksOf(page).filter(({ onlyCompiled }) => !onlyCompiled)) {
      await run(snippet, (actual, expected, line) => {
        claims.push(line);
        expect({ line, actual }).toEqual({ line, actual: expected });
      });
    }
    expect(claims.length).toBeGreaterThanOrEqual(claimed);
  }, 30_000);
});
