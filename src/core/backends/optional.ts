/**
 * Optional dependencies, looked for at run time.
 *
 * They are neither imported nor required by name, so a bundler for browsers never sees them, the library installs
 * without them, and one source compiles to ES modules and to CommonJS (where `import.meta` does not exist). The price is
 * that this file must find out where it lies itself: packages are resolved from here first, because a strict package
 * manager links them beside this package only, then from the main script and the working directory.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { currentProcess } from './process.ts';

/** Path or URL of this file, from a stack trace. */
const ownLocation = (): string | undefined =>
  /(?:\(|at (?:async )?)((?:file:\/\/|[/\\]|[A-Za-z]:[/\\]).*?):\d+:\d+\)?$/m.exec(new Error().stack ?? '')?.[1];

/**
 * Loads an optional package.
 *
 * @param name - of the package
 * @returns what it exports, or the reason why it cannot be had
 */
export const loadOptional = (name: string): E.Either<string, unknown> => {
  const process = currentProcess();
  const nodeModule = process?.getBuiltinModule?.('node:module') as
    { readonly createRequire: (from: string) => (name: string) => unknown } | undefined;
  if (process === undefined || nodeModule === undefined) {
    return E.left(`the package ${name} needs Node.js 20.16 or later`);
  }
  const places = [ownLocation(), process.argv[1], `${process.cwd()}/`].filter((place) => place !== undefined);
  const attempts = places.map((place) => E.tryCatch(() => nodeModule.createRequire(place)(name), String));
  return attempts.find(E.isRight) ?? E.left(`the package ${name} is not installed or cannot be loaded`);
};
