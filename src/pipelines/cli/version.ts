/**
 * The version that is installed, from the package's own description.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as t from 'io-ts';

import { packageDirectory } from '../files/packages.ts';

const Description = t.type({ version: t.string });

/** For example `0.1.0`. */
export const installedVersion = (): string =>
  pipe(
    packageDirectory('kfac-ts'),
    O.chain((directory) =>
      O.tryCatch((): unknown => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))),
    ),
    O.chain((description) => O.fromEither(Description.decode(description))),
    O.match(
      () => 'unknown',
      ({ version }) => version,
    ),
  );
