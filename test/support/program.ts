/**
 * The built program, as a person runs it. Needs `npm run build` first, as `npm test` does.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where it is. */
export const program = resolve('dist/cjs/pipelines/cli/main.js');

/** What a run has left. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Where a run is, and what it is given. */
interface Given {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** On standard input. */
  readonly input?: string;
  /** Milliseconds after which it is ended. */
  readonly timeout?: number;
}

/** Runs any program and waits for what it leaves. */
export const runOf = (command: string, args: ReadonlyArray<string>, { env = {}, ...given }: Given): Ran => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    ...given,
  });
  return { code: status, out: stdout, err: stderr };
};

/** Runs it in a process of its own, as a shell does. */
export const runAlone = (args: ReadonlyArray<string>, { env = {}, ...given }: Given): Ran =>
  runOf(process.execPath, [program, ...args], { env: { NO_COLOR: '1', ...env }, ...given });

/** A process that runs the program again and again, with all that lies between its arguments and its exit code. */
export interface Served {
  /** Runs it, and waits for what it leaves. */
  readonly run: (args: ReadonlyArray<string>) => Promise<Ran>;
  readonly end: () => void;
}

const isRan = (message: unknown): message is Ran =>
  typeof message === 'object' && message !== null && 'code' in message;

const answerOf = async (child: ChildProcess): Promise<Ran> => {
  const happened: ReadonlyArray<unknown> = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const first = happened[0];
  if (!isRan(first)) throw new Error(`the program ended its process with ${String(first)}`);
  return first;
};

/** Serves runs in a directory; one after another. */
export const served = (cwd: string): Served => {
  const child = fork(resolve('test/support/served.mjs'), { cwd, env: { ...process.env, NO_COLOR: '1' } });
  return {
    run: (args) => {
      child.send(args);
      return answerOf(child);
    },
    end: () => void child.kill(),
  };
};

/** A directory that is made before the tests of a file and removed after them. */
export const directoryOfTests = (): (() => string) => {
  let directory = '';
  beforeAll(() => {
    if (!existsSync(program)) throw new Error('Build first: npm run build');
    directory = mkdtempSync(join(tmpdir(), 'kfac-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return () => directory;
};

/** Runs in one process for all tests of a file, in a directory. */
export const servedToTests = (directory: () => string): Served['run'] => {
  let serving: Served | undefined;
  afterAll(() => serving?.end());
  return (args) => {
    serving ??= served(directory());
    return serving.run(args);
  };
};
