/** The page that newcomers follow: all of its code runs, one block after another, on the file that it shows. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { blocksOf, run } from '../support/snippets.ts';

const page = 'docs/train-on-your-own-data.md';
const blocks = blocksOf(page);
const blockOf = (language: string): string =>
  new RegExp(`\n\`\`\`${language}\n([^]*?)\n\`\`\``).exec(readFileSync(page, 'utf8'))?.[1] ?? '';
const [csv, printed] = [blockOf('csv'), blockOf('text')];

describe(page, () => {
  const home = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'kfac-page-'));
  beforeAll(() => {
    writeFileSync(join(folder, 'flowers.csv'), csv);
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });

  it('is one program', () => {
    expect(blocks).toHaveLength(1);
    expect(readFileSync(join(home, page), 'utf8').match(/^```ts/gm)?.length).toBeGreaterThan(10);
  });

  it('runs as it stands, and every line gives what it says', async () => {
    const said: Array<string> = [];
    jest.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    const claims: Array<string> = [];
    await run(blocks[0], (actual, expected, line) => {
      claims.push(line);
      expect({ line, actual }).toEqual({ line, actual: expected });
    });
    jest.restoreAllMocks();
    expect(claims.length).toBeGreaterThan(8);
    expect(said).toEqual([printed]);
  });
});
