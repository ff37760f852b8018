/**
 * Puts gpu.js into dist/vendor, as it was published, and lets the built modules import it from there.
 *
 * gpu.js depends on `webgpu` and `gl`, a hundred megabytes that nothing here loads, and the `overrides` of this repository do
 * not reach those who install the package. What does load is copied: its sources, its build for browsers, and the two
 * packages that it requires, with their licences.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const vendor = join(dist, 'vendor', 'gpu.js');
const entry = join(vendor, 'src', 'index.js');

/** Packages that gpu.js requires: the file that does, and what it is called here. */
const required = { acorn: 'acorn.js', 'gpu-mock.js': 'gpu-mock.js' };
/** What it requires if it is there. */
const guarded = ['gl', 'os', 'worker_threads', 'fs'];

const folderOf = (name, from) => dirname(createRequire(from).resolve(`${name}/package.json`));
const source = folderOf('gpu.js', import.meta.url);
const folders = Object.keys(required).map((name) => [name, folderOf(name, join(source, 'package.json'))]);

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const scriptsIn = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(folder, name));

/** The path of a file as a specifier in another. */
const specifier = (from, to) => relative(dirname(from), to).replaceAll('\\', '/');

/** The script with its requirements of packages replaced by paths; one that is not known is an error. */
const linked = (path, text) =>
  text.replace(/require\((['"])([^.'"][^'"]*)\1\)/g, (whole, _, name) => {
    if (guarded.includes(name)) return whole;
    if (!(name in required)) throw new Error(`gpu.js requires ${name} now, in ${path}: see scripts/vendor.mjs`);
    return `require('${specifier(path, join(vendor, required[name]))}')`;
  });

rmSync(vendor, { recursive: true, force: true });
mkdirSync(vendor, { recursive: true });
cpSync(join(source, 'src'), join(vendor, 'src'), {
  recursive: true,
  filter: (path) => !/\.(ts|txt|md)$/.test(path),
});
cpSync(join(source, 'dist', 'gpu-browser.js'), join(vendor, 'gpu-browser.js'));
for (const [name, folder] of folders) cpSync(join(folder, manifestOf(folder).main), join(vendor, required[name]));
for (const path of scriptsIn(join(vendor, 'src'))) writeFileSync(path, linked(path, readFileSync(path, 'utf8')));

const licences = [['gpu.js', source], ...folders].map(([name, folder]) => {
  const rule = '-'.repeat(72);
  return `${name} ${manifestOf(folder).version}\n${rule}\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
});
writeFileSync(join(vendor, 'LICENSES.txt'), licences.join('\n\n'));
// Bundlers look for what a browser takes instead in the nearest package.json, which is this one.
const manifest = { type: 'commonjs', browser: { './src/index.js': './gpu-browser.js' } };
writeFileSync(join(vendor, 'package.json'), `${JSON.stringify(manifest)}\n`);

const imports = /((?:from |require\())(['"])gpu\.js\2/g;
const importers = ['esm', 'cjs'].map((format) =>
  scriptsIn(join(dist, format)).filter((path) => {
    const before = readFileSync(path, 'utf8');
    const after = before.replace(imports, (_, start, quote) => `${start}${quote}${specifier(path, entry)}${quote}`);
    if (after !== before) writeFileSync(path, after);
    return after !== before;
  }),
);
if (importers.some((paths) => paths.length !== 1))
  throw new Error(`gpu.js is imported by ${importers.flat().join(', ')}`);
