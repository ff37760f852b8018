/** The page on tasks of one's own: its program trains on the file of the other page, and judges what came of it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { blocksOf, run } from '../support/snippets.ts';

const [program] = blocksOf('docs/your-own-task.md');
const csv = /\n```csv\n([^]*?)\n```/.exec(readFileSync('docs/train-on-your-own-data.md', 'utf8'))?.[1] ?? '';

describe('docs/your-own-task.md', () => {
  const [home, argv, code] = [process.cwd(), process.argv, process.exitCode];
  const folder = mkdtempSync(join(tmpdir(), 'kfac-task-'));
  const said: Array<string> = [];
  const written = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;

  beforeAll(() => {
    writeFileSync(join(folder, 'flowers.csv'), csv);
    process.chdir(folder);
    jest.spyOn(process.stdout, 'write').mockImplementation(written);
    jest.spyOn(process.stderr, 'write').mockImplementation(written);
  });
  afterAll(() => {
    jest.restoreAllMocks();
    process.chdir(home);
    process.argv = argv;
    process.exitCode = code;
    rmSync(folder, { recursive: true });
  });

  /** The program as it would run on a command line. */
  const flowers = async (...args: ReadonlyArray<string>) => {
    said.length = 0;
    process.argv = ['node', 'flowers.ts', ...args];
    await run(program, () => undefined);
    return { code: process.exitCode, said: said.join('') };
  };
  const where = ['--backend', 'reference'];

  it('trains with its own setting, and judges the run again', async () => {
    const out = ['--out', 'runs/flowers'];
    const trained = await flowers('train', 'flowers', '--with', 'width=4', '--set', 'damping=0.1', ...out, ...where);
    expect(trained.code).toBe(0);
    expect(existsSync('runs/flowers/kfac.safetensors')).toBe(true);
    expect(JSON.parse(readFileSync('runs/flowers/config.json', 'utf8'))).toMatchObject({ with: { width: 4 } });
    const judged = await flowers('evaluate', 'runs/flowers', '--json', ...where);
    expect(judged.code).toBe(0);
    const test = JSON.parse(judged.said.trimEnd().split('\n')[1]) as Record<string, unknown>;
    expect(test).toMatchObject({ optimizer: 'kfac', on: 'test', examples: 9, accuracy: 1 });
  });

  it('measures other flowers by those that it was trained on', async () => {
    const [head, ...rows] = csv.trim().split('\n');
    const kept = JSON.parse(readFileSync('runs/flowers/standardisation.json', 'utf8')) as Record<string, unknown>;
    expect(Object.keys(kept)).toEqual(['inputs']);
    // One kind alone, with a giant of it: by their own mean and deviation all would be about alike.
    const largest = rows.filter((row) => row.endsWith('virginica'));
    const others = [...largest, ...largest, largest[0].replace(/^[^;,]*/, '60')];
    writeFileSync('other.csv', [head, ...others].join('\n'));
    const judged = await flowers('evaluate', 'runs/flowers', '--data', 'other.csv', '--json', ...where);
    expect(judged.code).toBe(0);
    const found = judged.said
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map(({ on }) => on)).toEqual(['train', 'test']);
    for (const { accuracy } of found) expect(accuracy).toBeGreaterThan(0.9);
  });

  it('says what is wrong', async () => {
    const width = await flowers('train', 'flowers', '--with', 'width=0', ...where);
    expect(width).toMatchObject({
      code: 1,
      said: expect.stringContaining('--with width: expected a whole number') as string,
    });
    writeFileSync('bad.csv', 'length,width,kind\n1,2,a\n1,x,b\n');
    const cell = await flowers('train', 'flowers', '--data', 'bad.csv', ...where);
    expect(cell).toMatchObject({ code: 1, said: expect.stringContaining('bad.csv') as string });
  });
});
