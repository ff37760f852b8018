/**
 * The quick start of the page for one's own data, word for word, in a fresh project that installs the packed package. Needs
 * `npm run build` first, as `npm test` does.
 */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import type { Registry } from '../support/localRegistry.ts';
import { localRegistry } from '../support/localRegistry.ts';
import { blocksOf } from '../support/snippets.ts';

const document = 'docs/train-on-your-own-data.md';
const [, quickStart] = readFileSync(document, 'utf8').split(/^## /m);

/** Blocks of the quick start in a language. */
const blocks = (language: string): ReadonlyArray<string> =>
  [...quickStart.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, block]) => block);

/** The files that it says to save, by name. */
const files = [...quickStart.matchAll(/as `([^`]+)`:\n\n```\w+\n([^]*?)```/g)].map(
  ([, name, content]) => [name, content] as const,
);

describe('the quick start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kfac-fresh-'));
  const project = join(folder, 'flowers');
  let registry: Registry;
  const shell = async (script: string, cwd: string): Promise<string> => {
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'))),
      HOME: folder,
      npm_config_registry: registry.address,
      npm_config_cache: join(folder, 'cache'),
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
    };
    const { stdout } = await promisify(execFile)('sh', ['-ec', script], { cwd, env });
    return stdout;
  };

  beforeAll(async () => {
    if (!existsSync('dist/esm/index.js')) throw new Error('Build first: npm run build');
    registry = await localRegistry(resolve('.'));
  });
  afterAll(() => {
    registry.close();
    rmSync(folder, { recursive: true });
  });

  it('has commands to begin with, two files, a command to run and what it prints', () => {
    expect(blocks('sh')).toHaveLength(2);
    expect(files.map(([name]) => name)).toEqual(['flowers.csv', 'train.js']);
    expect(blocks('text')).toHaveLength(1);
  });

  it('prints what it says', async () => {
    await shell(blocks('sh')[0], folder);
    for (const [name, content] of files) writeFileSync(join(project, name), content);
    expect(await shell(blocks('sh')[1], project)).toBe(blocks('text')[0]);
  }, 300_000);

  it('installs at most 120 MB', () => {
    const installed = readdirSync(join(project, 'node_modules'), { recursive: true, encoding: 'utf8' });
    const sizes = installed.map((name) => lstatSync(join(project, 'node_modules', name)));
    const bytes = sizes.reduce((sum, entry) => (entry.isFile() ? sum + entry.size : sum), 0);
    expect(bytes / 2 ** 20).toBeGreaterThan(10);
    expect(bytes / 2 ** 20).toBeLessThan(120);
  });

  it('goes on with the rest of the page, which the types of the installed package allow', async () => {
    const [{ code }] = blocksOf(document);
    writeFileSync(join(project, 'page.ts'), `${code}\nexport {};\n`);
    const tsc = [process.execPath, resolve('node_modules/typescript/bin/tsc')];
    const options = '--noEmit --strict --target es2022 --module nodenext --lib es2023,dom --types --skipLibCheck';
    await expect(shell(`${tsc.join(' ')} ${options} page.ts`, project)).resolves.toBe('');
  }, 120_000);
});
