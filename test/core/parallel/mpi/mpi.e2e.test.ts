/** Collectives of every kind do what one says of them, and training over MPI is training in one process. */
import { join } from 'node:path';

import { run, runOnRanks, underEachMpi } from '../../../support/mpi.ts';

const laws = join(__dirname, 'collectiveLaws.mjs');
const training = join(__dirname, 'training.mjs');

describe('collectives', () => {
  it.each([
    ['single', ['single'], 1],
    ['simulated', ['simulated', '3'], 3],
  ])('%s', (_, args, size) => {
    const { err, out } = run(process.execPath, [laws, ...args]);
    expect([err, out.trim()]).toEqual(['', `fine on ${size}`]);
  });

  underEachMpi((launcher) => {
    it.each([1, 2, 3, 4])(`${launcher.name}, %i ranks`, (ranks) => {
      const { err, out } = runOnRanks(launcher, ranks, [laws, 'mpi']);
      expect([err, out.trim()]).toEqual(['', `fine on ${ranks}`]);
    });

    it.each([2, 3, 4])(`law: training on %i ranks of ${launcher.name} takes the steps of one process`, (ranks) => {
      const { err, out, code } = runOnRanks(launcher, ranks, [training]);
      expect([err, out.trim(), code]).toEqual(['', `fine on ${ranks}`, 0]);
    });
  });

  it('without a launcher says what to do', () => {
    const { code, err } = run(process.execPath, [laws, 'mpi']);
    expect(code).toBe(1);
    expect(err).toContain('this process was not started by mpirun');
  });
});
