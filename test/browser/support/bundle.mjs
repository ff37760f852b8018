/**
 * Bundles parts of the built package for a browser, as a user's vite would, and prints what came of it as JSON. A
 * program of its own because vite is an ES module, which jest's CommonJS mode cannot load. It bundles for the package or project
 * that it is started in.
 *
 * Usage: node bundle.mjs kfac-ts/core …     all that parts of the package export
 *        node bundle.mjs program.mjs        a program
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { build, createLogger } from 'vite';

const root = resolve('.');
mkdirSync(join(root, '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, '.cache', 'bundle-')); // inside the package, which may then import itself
const entry = join(folder, 'entry.js');
const warnings = [];
const note = (message) => warnings.push(message);

try {
  const parts = process.argv.slice(2);
  writeFileSync(
    entry,
    parts[0].endsWith('js')
      ? readFileSync(parts[0], 'utf8')
      : parts.map((part, i) => `import * as p${i} from '${part}';\nconsole.log(Object.keys(p${i}));\n`).join(''),
  );
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent', // or its reporter writes to standard output, whatever the logger does
    publicDir: false,
    customLogger: { ...createLogger('silent'), warn: note, warnOnce: note, error: note },
    build: { write: false, minify: true, rolldownOptions: { input: entry, onwarn: ({ message }) => note(message) } },
  });
  const chunks = [built].flat().flatMap(({ output }) => output.filter(({ type }) => type === 'chunk'));
  const report = {
    warnings,
    code: chunks.map(({ code }) => code).join('\n'),
    imports: chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]),
    modules: chunks.flatMap(({ modules }) => Object.keys(modules).map((path) => path.replace(root, ''))),
  };
  process.stdout.write(JSON.stringify(report));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
