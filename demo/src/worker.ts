/**
 * The training worker: opens data and backend as the page says, and races.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { describeError, withBackend } from 'kfac-ts/core';
import { webFileSystem } from 'kfac-ts/pipelines';

import type { Command, Report } from './messages.ts';
import type { Control } from './race.ts';
import { race } from './race.ts';
import { backendOf, folderOf, taskOfSetup } from './setup.ts';

const tell = (report: Report) => () => postMessage(report);

const fail = (sentence: string): void => tell({ type: 'failed', sentence })();

/** What the page said last; the one thing here that changes. */
const desk: { control: Control | null } = { control: null };

const wait = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 50));

const start = async (first: Control, files: string): Promise<void> => {
  const outcome = await pipe(
    TE.fromEither(taskOfSetup(first.setup)),
    TE.bindTo('task'),
    TE.bind('data', ({ task }) => task.load(webFileSystem(files), folderOf(first.setup))),
    TE.chain(({ data }) =>
      withBackend(backendOf(first.setup), (backend) => {
        tell({ type: 'opened', backend: backend.report(), isolated: crossOriginIsolated })();
        const control = (): Control => desk.control ?? first;
        return race({ backend, control, tell, clock: () => performance.now() / 1000, wait }, data.task, data);
      }),
    ),
  )();
  if (E.isLeft(outcome)) fail(describeError(outcome.left));
};

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  const { control } = desk;
  if (command.type === 'start') {
    desk.control = { setup: command.setup, revision: 0, paused: control?.paused ?? false };
    void start(desk.control, command.files);
    return;
  }
  if (control === null) return;
  switch (command.type) {
    case 'adjust':
      desk.control = { ...control, setup: command.setup, revision: control.revision + 1 };
      return;
    case 'pause':
      desk.control = { ...control, paused: true };
      return;
    case 'resume':
      desk.control = { ...control, paused: false };
  }
});

addEventListener('unhandledrejection', ({ reason }: PromiseRejectionEvent) => {
  fail(`Training stopped: ${reason instanceof Error ? reason.message : String(reason)}`);
});
