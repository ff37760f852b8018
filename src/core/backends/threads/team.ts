/**
 * The threads of a backend: a crew that starts with the first job that is worth it and that all kinds of jobs share, until
 * something is wrong with it; from then on there is one thread, and the backend says so.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Crew, CrewOptions } from './crew.ts';
import { startCrew } from './crew.ts';
import type { Introduction } from './workerText.ts';

/** Threads that share jobs over one memory. */
export interface Team {
  /** Threads that a large job runs on, the caller's included. */
  readonly threads: () => number;
  /** What did not go as planned so far. */
  readonly warnings: () => ReadonlyArray<string>;
  /** Makes a kernel known to workers, now or when they start; gives its number. */
  readonly introduce: (kernel: Omit<Introduction, 'kernel'>) => number;
  /** The crew, started if need be; `null` where there is one thread. */
  readonly crew: () => Crew | null;
  /** Does without the crew from now on. */
  readonly giveUp: (reason: string) => void;
  /** Ends workers. */
  readonly dispose: () => Promise<void>;
}

/** Settings of {@link openTeam}. */
export interface TeamOptions {
  /** Threads, at least 1, the caller's included. */
  readonly threads: number;
  /** What they work on, and whether others than the caller may: there is one thread where they may not. */
  readonly memory: { readonly memory: object; readonly shared: boolean };
  /** What runs on them, as a warning begins. */
  readonly what: string;
  /** Settings of the crew. */
  readonly crew?: Pick<CrewOptions, 'patience' | 'source'>;
}

/**
 * A team whose workers have not started.
 *
 * @param options - how many threads, and the memory
 */
export const openTeam = ({ threads: wanted, memory, what, crew: settings = {} }: TeamOptions): Team => {
  const warnings: Array<string> = [];
  const introductions: Array<Introduction> = [];
  let threads = memory.shared ? wanted : 1;
  let crew: Crew | null = null;

  const giveUp = (reason: string): void => {
    warnings.push(`${what} on one thread: ${reason}.`);
    threads = 1;
    void crew?.dismissAll();
    crew = null;
  };

  const start = (): void => {
    const started = startCrew({ ...settings, workers: threads - 1, memory: memory.memory });
    if (E.isLeft(started)) {
      giveUp(started.left);
      return;
    }
    crew = started.right;
    introductions.forEach(crew.introduce);
  };

  return {
    threads: () => threads,
    warnings: () => warnings,
    introduce: (kernel) => {
      const introduction = { ...kernel, kernel: introductions.length + 1 };
      introductions.push(introduction);
      crew?.introduce(introduction);
      return introduction.kernel;
    },
    crew: () => {
      if (crew === null && threads > 1) start();
      return crew;
    },
    giveUp,
    dispose: async () => {
      const ending = crew;
      crew = null;
      threads = 1;
      await ending?.dismissAll();
    },
  };
};
