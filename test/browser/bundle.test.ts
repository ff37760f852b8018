/**
 * The built package in a bundle for browsers. Needs `npm run build` first, as `npm test` does.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { resolve } from 'node:path';

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

describe('package.json', () => {
  it('replaces for browsers only files that were built', () => {
    const { browser } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      readonly browser: Readonly<Record<string, string>>;
    };
    const files = Object.entries(browser).flat();
    expect(files.length).toBe(10);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });
});
