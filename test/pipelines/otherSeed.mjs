/** The program on ranks that were told different things: rank 1 has another seed, or one that makes no sense. */
import process from 'node:process';

import { launchOf } from '../../dist/cjs/core/index.js';
import { nodeWorld, runCli } from '../../dist/cjs/pipelines/index.js';

const { rank } = launchOf(process.env);
const seed = rank === 0 ? '1' : process.argv[2] === 'fails' ? 'none' : '2';
const args = [
  'train',
  'gan-ring',
  '--size',
  'small',
  '--steps',
  '3',
  '--seed',
  seed,
  '--backend',
  'reference',
  '--json',
];
process.exitCode = await runCli(nodeWorld, args)();
