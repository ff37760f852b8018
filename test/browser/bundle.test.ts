/**
 * The built package in a bundle for browsers. Needs `npm run build` first, as `npm test` does.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

interface Bundle {
  readonly warnings: ReadonlyArray<string>;
  readonly code: string;
  readonly imports: ReadonlyArray<string>;
  readonly modules: ReadonlyArray<string>;
}

const bundle = (...parts: ReadonlyArray<string>): Bundle => {
  if (!existsSync('dist/esm/index.js')) throw new Error('Build first: npm run build');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('test/browser/support/bundle.mjs'), ...parts],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Bundle;
};

/** How code loads a module: statically, on demand, or by `require`. */
const loads = (name: string): RegExp => new RegExp(`(?:from|import|require)\\s*\\(?\\s*["'\`]${name}["'\`]`);

/** gpu.js carries the text of a worker that asks for this where there is no `self`; nothing resolves it. */
const inText = ['worker_threads'];

describe('a bundle for browsers', () => {
  const whole = ['kfac-ts/core', 'kfac-ts/curvature', 'kfac-ts/solvers', 'kfac-ts/pipelines'];

  it.each([[whole], [['kfac-ts']]])('of %p imports nothing, warns of nothing and knows no native library', (parts) => {
    const { warnings, imports, code, modules } = bundle(...parts);
    expect(warnings).toEqual([]);
    expect(imports).toEqual([]);
    expect(builtinModules.filter((name) => !inText.includes(name) && loads(`(?:node:)?${name}`).test(code))).toEqual(
      [],
    );
    expect(code).not.toMatch(/koffi|openblas|createRequire/);
    expect(code).not.toContain('__vite-browser-external');
    expect(
      modules.filter((path) => /\/pipelines\/(cli|world)|native\/(backend|library)|node_modules\/vega/.test(path)),
    ).toEqual([]);
  });

  it('of the curvature and the solvers alone leaves gpu.js out', () => {
    const { modules } = bundle('kfac-ts/curvature', 'kfac-ts/solvers');
    expect(modules.filter((path) => path.includes('gpu.js'))).toEqual([]);
    expect(modules.length).toBeGreaterThan(50);
  });
});

describe('a bundle of a program that trains a network', () => {
  it('trains, imports nothing, and is as small as was written down', () => {
    const { warnings, imports, code } = bundle('test/browser/support/perceptron.mjs');
    expect([warnings, imports]).toEqual([[], []]);
    const folder = mkdtempSync(join(tmpdir(), 'kfac-bundle-'));
    const program = join(folder, 'program.mjs');
    writeFileSync(program, code);
    const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect([stdout.trim(), stderr]).toEqual(['true', '']);
    const sizes = [Buffer.byteLength(code), gzipSync(code).length].map((bytes) => Math.ceil(bytes / 1000));
    // Kilobytes of a minified bundle, as they are and compressed: docs/package.md says so too.
    const documented = /(\d+) kB minified, (\d+) kB with gzip/.exec(readFileSync('docs/package.md', 'utf8'))?.slice(1);
    const [plain, packed] = (documented ?? []).map(Number);
    expect(sizes[0]).toBeLessThanOrEqual(plain);
    expect(sizes[1]).toBeLessThanOrEqual(packed);
    expect(sizes[0]).toBeGreaterThan(0.95 * plain);
  });
});

describe('package.json', () => {
  it('replaces for browsers only files that were built', () => {
    const { browser } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      readonly browser: Readonly<Record<string, string>>;
    };
    const files = Object.entries(browser).flat();
    expect(files.length).toBe(12);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });
});
