/**
 * Runs of the built program that are killed at random moments and gone on with. Needs `npm run build` first, as `npm test` does;
 * `npm run chaos` kills more of them.
 */
import { spawnSync } from 'node:child_process';

it('law: runs that are killed come to what they would have come to, bit for bit, and no file is half written', () => {
  const kills = process.env['CHAOS_KILLS'] ?? '10';
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/chaos.mjs', kills], {
    encoding: 'utf8',
    env: { CHAOS_SEED: '20150319', ...process.env },
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`^${kills} kills .* 0 files half written, 0 runs lost, 0 faults`));
}, 900_000);
