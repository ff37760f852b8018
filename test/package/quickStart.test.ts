/**
 * The quick starts, that of the page for one's own data and the page of its own, word for word in a fresh project that installs
 * the packed package; and every other way to use what is installed there. Needs `npm run build` first, as `npm test` does.
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
const page = readFileSync('docs/quick-start.md', 'utf8');

/** Blocks of the quick start in a language. */
const blocks = (language: string, text = quickStart): ReadonlyArray<string> =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, block]) => block);

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
    const { stdout } = await promisify(execFile)('sh', ['-ec', script], { cwd, env, maxBuffer: 2 ** 26 });
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

  it('prints what its own page says, after the same commands', async () => {
    const [begin, start] = blocks('sh', page);
    expect(begin).toBe(blocks('sh')[0].replaceAll('flowers', 'first'));
    writeFileSync(join(project, 'first.js'), blocks('ts', page)[0]);
    expect(await shell(start, project)).toBe(blocks('text', page)[0]);
  });

  it('installs at most 120 MB', () => {
    const installed = readdirSync(join(project, 'node_modules'), { recursive: true, encoding: 'utf8' });
    const sizes = installed.map((name) => lstatSync(join(project, 'node_modules', name)));
    const bytes = sizes.reduce((sum, entry) => (entry.isFile() ? sum + entry.size : sum), 0);
    expect(bytes / 2 ** 20).toBeGreaterThan(10);
    expect(bytes / 2 ** 20).toBeLessThan(120);
  });

  const subpaths = ['kfac-ts', 'kfac-ts/core', 'kfac-ts/curvature', 'kfac-ts/solvers', 'kfac-ts/pipelines'];
  const tsc = `${process.execPath} ${resolve('node_modules/typescript/bin/tsc')}`;

  it('installs what CommonJS requires, with what ES modules import', async () => {
    const named = (load: string): string =>
      `const all = [${subpaths.map((path) => `${load}(${JSON.stringify(path)})`).join(', ')}];`;
    const shown =
      "console.log(JSON.stringify(all.map((names) => Object.keys(names).filter((name) => name !== 'default').sort())));";
    writeFileSync(join(project, 'all.cjs'), `${named('require')}\n${shown}\n`);
    writeFileSync(
      join(project, 'all.mjs'),
      `${named('await import')}\n${shown.replace("'default'", "'default' && name !== 'module.exports'")}\n`,
    );
    const [required, imported] = [await shell('node all.cjs', project), await shell('node all.mjs', project)];
    expect(JSON.parse(required)).toEqual(JSON.parse(imported));
    expect(JSON.parse(required)).toContainEqual(['core', 'curvature', 'pipelines', 'solvers']);
    const program = `const { dense, squaredError } = require('kfac-ts/core');
      const { fit } = require('kfac-ts/pipelines');
      const data = { inputs: [[0], [1], [2], [3], [4]], targets: [1, 3, 5, 7, 9] };
      fit(dense({ in: 1, out: 1 }), data, { loss: squaredError, epochs: 30, backend: { backend: 'portable' } })
        .then(({ predict }) => predict([[10]]))
        .then(({ data: [y] }) => console.log(Math.round(y)));`;
    writeFileSync(join(project, 'line.cjs'), program);
    expect(await shell('node line.cjs', project)).toBe('21\n');
  });

  it.each([
    ['node16', 'node16', ['cts', 'mts']],
    ['bundler', 'preserve', ['ts']],
  ])(
    'installs types that TypeScript finds as %s resolves them',
    async (resolution, module, endings) => {
      const program = `import { dense, squaredError } from 'kfac-ts/core';
        import { fit } from 'kfac-ts/pipelines';
        import type { Fitted } from 'kfac-ts/pipelines';
        ${subpaths.map((path, i) => `import * as p${i} from '${path}';`).join('\n')}
        const data = { inputs: [[1]], targets: [2] };
        export const fitted = (): Promise<Fitted> => fit(dense({ in: 1, out: 1 }), data, { loss: squaredError });
        // @ts-expect-error: a layer has a number of inputs
        export const wrong = () => dense({ in: 'one', out: 1 });
        export const all = [${subpaths.map((_, i) => `p${i}`).join(', ')}];\n`;
      const files = endings.map((ending) => `typed.${ending}`);
      files.forEach((file) => writeFileSync(join(project, file), program));
      const options = `--module ${module} --moduleResolution ${resolution} --lib es2023,dom --types --skipLibCheck`;
      const command = `${tsc} ${files.join(' ')} --noEmit --strict --target es2022 ${options}`;
      await expect(shell(command, project)).resolves.toBe('');
    },
    120_000,
  );

  it('installs what vite bundles, without a warning and with nothing left to import', async () => {
    writeFileSync(join(project, 'page.js'), readFileSync('test/browser/support/perceptron.mjs', 'utf8'));
    const bundle = resolve('test/browser/support/bundle.mjs');
    const built = JSON.parse(await shell(`${process.execPath} ${bundle} page.js`, project)) as {
      readonly warnings: ReadonlyArray<string>;
      readonly imports: ReadonlyArray<string>;
      readonly code: string;
    };
    expect([built.warnings, built.imports]).toEqual([[], []]);
    writeFileSync(join(project, 'bundled.mjs'), built.code);
    expect(await shell('node bundled.mjs', project)).toBe('true\n');
  });

  it('goes on with the rest of the page, which the types of the installed package allow', async () => {
    const [{ code }] = blocksOf(document);
    writeFileSync(join(project, 'page.ts'), `${code}\nexport {};\n`);
    const options = '--noEmit --strict --target es2022 --module nodenext --lib es2023,dom --types --skipLibCheck';
    await expect(shell(`${tsc} ${options} page.ts`, project)).resolves.toBe('');
  });
});
