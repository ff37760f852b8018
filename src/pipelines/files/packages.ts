/**
 * Where installed packages keep their files.
 *
 * Data sets and fonts come as npm packages that a user may or may not have. They are looked for from the program that
 * runs and from the working directory: nothing here needs to know where this file is, so it works in both module
 * systems.
 *
 * @module
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';

/** The running program, through the link that a package manager makes for it, and a file of the working directory. */
const starts = (): ReadonlyArray<string> => [
  ...pipe(
    O.fromNullable(process.argv[1]),
    O.chain((program) => O.tryCatch(() => realpathSync(program))),
    O.match(
      () => [],
      (program) => [program],
    ),
  ),
  join(process.cwd(), 'program.js'),
];

/**
 * Directory of an installed package.
 *
 * @param name - name of the package
 */
export const packageDirectory = (name: string): O.Option<string> =>
  pipe(
    starts(),
    RA.findFirstMap((start) => O.tryCatch(() => dirname(createRequire(start).resolve(`${name}/package.json`)))),
  );
