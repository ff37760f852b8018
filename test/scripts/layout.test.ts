import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

type Tree = Readonly<Record<string, string>>;

/** Runs the script on a tree of files, and gives its exit code and what it printed, with paths from the tree's root. */
const look = (tree: Tree): { readonly code: number | null; readonly text: string } => {
  const root = mkdtempSync(join(tmpdir(), 'kfac-layout-'));
  Object.entries(tree).forEach(([path, source]) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/layout.mjs', root], { encoding: 'utf8' });
  rmSync(root, { recursive: true });
  return { code: status, text: `${stdout}${stderr}`.replaceAll(`${root}/`, '') };
};

/** Every form in which TypeScript lets a file name another. */
const forms: Tree = {
  'a value': "import { x } from './b.ts';",
  'a type': "import type { X } from './b.ts';",
  'a type in a type': "export type Y = import('./b.ts').X;",
  'an export': "export { x } from './b.ts';",
  'an export of a type': "export type { X } from './b.ts';",
  'on demand': "export const load = () => import('./b.ts');",
  'for its effects': "import './b.ts';",
};

describe('npm run layout', () => {
  it.each(Object.entries(forms))('finds a circle of two files: %s', (_, source) => {
    const { code, text } = look({ 'a.ts': source, 'b.ts': "import { y } from './a.ts';", 'c.ts': "import './a.ts';" });
    expect(code).toBe(1);
    expect(text).toContain(
      'A circle of files:\n  a.ts\n  → b.ts    (a.ts imports b.ts)\n  → a.ts    (b.ts imports a.ts)',
    );
    expect(text).not.toContain('folders');
  });

  it('shows a longer circle by its shortest way', () => {
    const { code, text } = look({
      'a.ts': "import './b.ts';",
      'b.ts': "import './c.ts'; import './d.ts';",
      'c.ts': "import './d.ts';",
      'd.ts': "import './a.ts';",
    });
    expect(code).toBe(1);
    expect(text.match(/→ \S+/g)).toEqual(['→ b.ts', '→ d.ts', '→ a.ts']);
  });

  it('finds folders that import each other although no files do, a folder and one below it as well', () => {
    const beside = look({
      'x/one.ts': "import '../y/two.ts';",
      'y/two.ts': '',
      'y/three.ts': "import type { F } from '../x/four.ts';",
      'x/four.ts': '',
    });
    expect(beside.code).toBe(1);
    expect(beside.text).toContain('A circle of folders:');
    expect(beside.text).toContain('(x/one.ts imports y/two.ts)');
    expect(beside.text).toContain('(y/three.ts imports x/four.ts)');
    const below = look({
      'x/a.ts': "import './y/b.ts';",
      'x/y/b.ts': '',
      'x/y/c.ts': "import '../d.ts';",
      'x/d.ts': '',
    });
    expect(below.code).toBe(1);
    expect(below.text).toContain('A circle of folders:');
  });

  it('passes a tree without circles, whatever its barrels list', () => {
    const { code, text } = look({
      'index.ts': "export { x } from './x/a.ts'; export { y } from './b.ts';",
      'x/a.ts': "import '../b.ts';",
      'x/browser.ts': "export { y } from '../b.ts'; export { x } from './a.ts';",
      'b.ts': "// import './x/a.ts'; in a comment\nexport const y = \"import './x/a.ts'\";",
    });
    expect(code).toBe(0);
    expect(text).toContain('2 files');
  });
});
