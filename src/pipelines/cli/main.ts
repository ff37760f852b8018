#!/usr/bin/env node
/**
 * The program `kfac`.
 *
 * @module
 */
import { endWithoutOutput } from '../interruptions.ts';
import { nodeWorld } from '../world.ts';
import { runCli } from './run.ts';

process.stdout.on('error', endWithoutOutput);

/** A defect of this program, not of what it was given. */
const report = (defect: unknown): void => {
  const wanted = process.env['KFAC_DEBUG'] !== undefined && defect instanceof Error;
  const text = wanted ? (defect.stack ?? defect.message) : String(defect);
  process.stderr.write(`internal error: ${text}\nPlease report this; KFAC_DEBUG=1 shows where it happened.\n`);
};

/** Ends the process once all output has arrived. */
const endWith = (code: number): void =>
  void process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));

runCli(nodeWorld, process.argv.slice(2))().then(endWith, (defect: unknown) => {
  report(defect);
  endWith(70);
});
