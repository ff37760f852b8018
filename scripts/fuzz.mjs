// Trains optimizers that nobody wrote: `npm run fuzz` tries 5000 configurations from a random seed, `npm run fuzz -- 20000`
// more, and FC_SEED=<n> those of a run before. What fails is shown with its seed, made as small as it gets.
import { spawnSync } from 'node:child_process';

const runs = process.argv[2] ?? '5000';
const { status } = spawnSync(
  process.execPath,
  ['node_modules/jest/bin/jest.js', 'test/pipelines/config/compose/grammar.test.ts', '-t', 'law: trains'],
  { stdio: 'inherit', env: { FC_SEED: 'random', ...process.env, FC_RUNS: runs } },
);
process.exit(status ?? 1);
