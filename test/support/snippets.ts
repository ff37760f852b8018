/**
 * Code that readers copy: TypeScript blocks of documents and `@example`s of public functions, compiled and run as if they
 * stood in a project that has the package installed.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

import * as core from '../../src/core/index.ts';
import * as curvature from '../../src/curvature/index.ts';
import * as whole from '../../src/index.ts';
import * as pipelines from '../../src/pipelines/index.ts';
import * as tfjs from '../../src/pipelines/tfjs/index.ts';
import * as solvers from '../../src/solvers/index.ts';

/** The package by the names of its entries, and where each is. */
const entries: Readonly<Record<string, { readonly file: string; readonly module: object }>> = {
  'kfac-ts': { file: 'src/index.ts', module: whole },
  'kfac-ts/core': { file: 'src/core/index.ts', module: core },
  'kfac-ts/curvature': { file: 'src/curvature/index.ts', module: curvature },
  'kfac-ts/solvers': { file: 'src/solvers/index.ts', module: solvers },
  'kfac-ts/pipelines': { file: 'src/pipelines/index.ts', module: pipelines },
  'kfac-ts/tfjs': { file: 'src/pipelines/tfjs/index.ts', module: tfjs },
};

/** The entries that hold functions; `kfac-ts` itself holds these. */
export const barrels = [
  'kfac-ts/core',
  'kfac-ts/curvature',
  'kfac-ts/solvers',
  'kfac-ts/pipelines',
  'kfac-ts/tfjs',
] as const;

/** A piece of code, a module of its own. */
export interface Snippet {
  /** Where it stands, for example `README.md:44` or `kfac-ts/core: tensor`. */
  readonly name: string;
  readonly code: string;
  /** Whether it is for reading only: it needs files, a network or time. */
  readonly onlyCompiled: boolean;
}

/** A public function with the examples of its comment. */
export interface Documented {
  readonly name: string;
  readonly examples: ReadonlyArray<Snippet>;
}

const fence = /^([ \t]*)```ts\b([^\n]*)\n([\s\S]*?)^\1```$/gm;

interface Found extends Snippet {
  /** Line of its fence. */
  readonly line: number;
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/**
 * Blocks of code; one that `continues` is a part of the snippet before it, so many lines below as it is in the text.
 */
const snippetsIn = (text: string, nameOf: (line: number) => string): ReadonlyArray<Snippet> =>
  [...text.matchAll(fence)].reduce((all: ReadonlyArray<Found>, match) => {
    const [, indent, words, block] = match;
    const line = lineAt(text, match.index);
    const code = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const last = all.at(-1);
    if (last === undefined || !words.includes('continues')) {
      return [...all, { name: nameOf(line), line, code, onlyCompiled: words.includes('no-run') }];
    }
    const gap = '\n'.repeat(line - last.line - (last.code.split('\n').length - 1));
    return [...all.slice(0, -1), { ...last, code: `${last.code}${gap}${code}` }];
  }, []);

/**
 * The TypeScript blocks of a document.
 *
 * @param file - Markdown
 */
export const blocksOf = (file: string): ReadonlyArray<Snippet> =>
  snippetsIn(readFileSync(file, 'utf8'), (line) => `${file}:${line}`);

const ours = ts.parseJsonConfigFileContent(
  ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config,
  ts.sys,
  '.',
);

/** The project's settings but for two of taste, with what browsers have, and the package's names in place of a
 * folder in node_modules. */
const options: ts.CompilerOptions = {
  ...ours.options,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  noUnusedLocals: false,
  noPropertyAccessFromIndexSignature: false,
  paths: Object.fromEntries(Object.entries(entries).map(([name, { file }]) => [name, [resolve(file)]])),
};

/** Files that are there, as all programs share them: to read, parse and bind them is most of the work. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** A program of files that are there and of some that are not. */
const programOf = (virtual: ReadonlyMap<string, string>): ts.Program => {
  const real = ts.createCompilerHost(options, true);
  const host: ts.CompilerHost = {
    ...real,
    fileExists: (path) => virtual.has(path) || real.fileExists(path),
    readFile: (path) => virtual.get(path) ?? real.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const text = virtual.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, language, true);
      if (!parsed.has(path)) parsed.set(path, real.getSourceFile(path, language, ...rest));
      return parsed.get(path);
    },
  };
  const files = Object.values(entries).map(({ file }) => resolve(file));
  return ts.createProgram([...files, ...virtual.keys()], options, host);
};

let sources: ts.Program | null = null;

/**
 * The functions that an entry of the package exports, with the examples of their comments.
 *
 * @param barrel - the entry
 */
export const functionsOf = (barrel: (typeof barrels)[number]): ReadonlyArray<Documented> => {
  const program = (sources ??= programOf(new Map()));
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(resolve(entries[barrel].file));
  const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${barrel} exports nothing`);
  return checker
    .getExportsOfModule(symbol)
    .map((exported) => ({
      name: exported.name,
      target: exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported,
    }))
    .filter(({ target }) => {
      if (!(target.flags & ts.SymbolFlags.Value)) return false;
      const type = checker.getTypeOfSymbol(target);
      return type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0;
    })
    .map(({ name, target }) => ({
      name,
      examples: target
        .getJsDocTags(checker)
        .filter((tag) => tag.name === 'example')
        .flatMap(({ text }) => snippetsIn(ts.displayPartsToString(text), () => `${barrel}: ${name}`)),
    }));
};

/**
 * What the compiler says of snippets, all in one program; nothing when all is well.
 *
 * @param snippets - what to compile
 */
export const complaintsOf = (snippets: ReadonlyArray<Snippet>): ReadonlyArray<string> => {
  const paths = snippets.map((_, i) => join(resolve('.'), 'snippets', `${i}.ts`));
  const virtual = new Map(snippets.map(({ code }, i) => [paths[i], `${code}\nexport {};\n`]));
  const program = programOf(virtual);
  return snippets.flatMap(({ name }, i) => {
    const source = program.getSourceFile(paths[i]);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) => {
        const line = source === undefined || start === undefined ? 0 : source.getLineAndCharacterOfPosition(start).line;
        return `${name}, line ${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
};

/** A line that says what it gives: `sizeOf([2, 3]); // => 6`. */
const claim = /^([ \t]*)(?!(?:const|let|return|import)\b)(\S.*);[ \t]*\/\/ => (.+)$/gm;

/**
 * Runs a snippet. Where a line says what it gives, `f(x); // => 6`, that is checked; typed arrays count as lists.
 *
 * @param snippet - the code
 * @param compare - told what a line gave and what it says
 */
export const run = async (
  { code }: Snippet,
  compare: (actual: unknown, expected: unknown, line: string) => void,
): Promise<void> => {
  const checked = code.replaceAll(
    claim,
    (line: string, indent: string, expression: string, value: string) =>
      `${indent}compare(${expression}, (${value}), ${JSON.stringify(line.trim())});`,
  );
  const { outputText } = ts.transpileModule(checked, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const load = (name: string): unknown => (name in entries ? entries[name].module : jest.requireActual(name));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is ours, and so it gets a `require` of its own
  const body = new Function('require', 'exports', 'compare', `return (async () => {${outputText}\n})();`) as (
    require: (name: string) => unknown,
    exports: object,
    compare: (actual: unknown, expected: unknown, line: string) => void,
  ) => Promise<void>;
  await body(load, {}, (actual, expected, line) =>
    compare(ArrayBuffer.isView(actual) ? Array.from(actual as Float64Array) : actual, expected, line),
  );
};
