/**
 * The process that this program runs in, seen from code that also runs where there is none.
 *
 * Read from the global object: an import of `node:process` would keep every module above from running in a browser.
 *
 * @module
 */

/** The part of Node.js that is used here; none of it exists in a browser. */
export interface Process {
  readonly platform: string;
  readonly arch: string;
  readonly argv: ReadonlyArray<string>;
  /** What is set here is what libraries that are loaded later read. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: () => string;
  readonly getBuiltinModule?: (name: string) => unknown;
}

/** The process this program runs in, where there is one. */
export const currentProcess = (): Process | undefined => (globalThis as { readonly process?: Process }).process;
