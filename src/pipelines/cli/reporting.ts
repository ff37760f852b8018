/**
 * `kfac report`: a run that is over as one page to look at.
 *
 * @module
 */
import { join } from 'node:path';

import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { runPage } from '../page/runPage.ts';
import { pageName } from '../reports/folderFormat.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';

/** What is looked at, and where the page goes. */
export interface ReportCommand {
  readonly name: 'report';
  /** The run's folder. */
  readonly run: string;
  readonly flags: RawFlags;
}

/**
 * Writes the page of a run, into its folder unless it is told where.
 *
 * @param world - files and output
 * @param command - which run
 */
export const runReport = (
  { files, out, err }: World,
  { run, flags }: ReportCommand,
): TE.TaskEither<KfacError, void> => {
  const path = typeof flags['out'] === 'string' ? flags['out'] : join(run, pageName);
  return pipe(
    files.canWriteFile(path),
    TE.chain(() => runPage(files, run)),
    TE.chainFirst(({ html }) => files.write(path, html)),
    TE.chainIOK(({ warnings }): IO.IO<void> => () => {
      warnings.forEach((warning) => err(`warning: ${warning}`)());
      out(path)();
    }),
  );
};
