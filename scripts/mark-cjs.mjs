/**
 * Finishes dist/cjs after tsc.
 *
 * 1. The folder inherits "type": "module" from the package root; a package.json of its own overrides that, for Node and
 *    for TypeScript.
 * 2. tsc turns `import('package')` into `require('package')`. Packages that are loaded on demand because they are ES
 *    modules with top-level await (vega) cannot be required, so their `import()` is put back.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../dist/cjs', import.meta.url));
const lowered =
  /Promise\.resolve\(\)\.then\(\(\) => (?:__importStar\(require\((['"][^.'"][^'"]*['"])\)\)|require\((['"][^.'"][^'"]*['"])\))\)/g;

writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);

const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
for (const name of scripts) {
  const path = join(folder, name);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(lowered, (_, starred, plain) => `import(${starred ?? plain})`);
  if (after !== before) writeFileSync(path, after);
}
