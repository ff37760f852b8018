// Trains optimizers that nobody wrote, and reads files that nobody should have written: `npm run fuzz` tries 5000 configurations
// and 5000 files of each kind from a random seed, `npm run fuzz -- 20000` more, `npm run fuzz -- 20000 files` one of the two
// (optimizers, files), and FC_SEED=<n> those of a run before. What fails is shown with its seed, made as small as it gets.
import { spawnSync } from 'node:child_process';

const [runs = '5000', only] = process.argv.slice(2);
const parts = {
  optimizers: ['test/pipelines/config/compose/grammar.test.ts', '-t', 'law: trains'],
  files: ['test/pipelines/fuzz'],
};
const codes = Object.entries(parts)
  .filter(([name]) => only === undefined || only === name)
  .map(
    ([, args]) =>
      spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...args], {
        stdio: 'inherit',
        env: { FC_SEED: 'random', ...process.env, FC_RUNS: runs, FUZZ_FIGURE: 'yes' },
      }).status ?? 1,
  );
process.exit(Math.max(...codes));
