/** The built program in one process, as often as it is asked to run: a short run is mostly its start. See `program.ts`. */
import process from 'node:process';

import { nodeWorld, runCli } from '../../dist/esm/pipelines/index.js';

/** Runs the program with what it says kept here. */
const ran = async (args) => {
  const [out, err] = [[], []];
  const world = {
    ...nodeWorld,
    out: (line) => () => void out.push(`${line}\n`),
    print: (text) => () => void out.push(text),
    err: (line) => () => void err.push(`${line}\n`),
  };
  const code = await runCli(world, args)();
  return { code, out: out.join(''), err: err.join('') };
};

// A defect is a rejection that nobody handles: it ends the process, and fails the test that waits.
process.on('message', (args) => void ran(args).then((left) => process.send(left)));
