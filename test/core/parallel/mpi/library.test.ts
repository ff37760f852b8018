/** What is done before a library of MPI is loaded. */
import * as E from 'fp-ts/lib/Either.js';

import { filesFor, openMpiLibrary } from '../../../../src/core/parallel/mpi/library.ts';

describe('openMpiLibrary', () => {
  const [ucx, sums] = ['UCX_MEM_EVENTS', 'OMPI_MCA_coll_libnbc_iallreduce_algorithm'];
  const before = { [ucx]: process.env[ucx], [sums]: process.env[sums] };
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };
  afterEach(() => {
    Object.entries(before).forEach(([name, value]) => {
      set(name, value);
    });
  });

  it.each([
    ['says that UCX leaves the memory of Node.js alone', 'MPICH', 2, ucx, undefined, 'n'],
    ['leaves what somebody has set', 'MPICH', 2, ucx, 'y', 'y'],
    ['has each of a few processes add up a part', 'Open MPI', 2, sums, undefined, '3'],
    ['leaves that to the library where there are more', 'Open MPI', 4, sums, undefined, undefined],
  ] as const)('%s', (_, abi, size, name, found, expected) => {
    set(name, found);
    openMpiLibrary({ abi, size }, '/no/such/library.so');
    expect(process.env[name]).toBe(expected);
  });

  it('under the launcher of Intel MPI its library is opened, though that of MPICH is there', () => {
    const [intel, mpich] = [{ abi: 'MPICH', isIntel: true } as const, { abi: 'MPICH' } as const];
    expect(filesFor(intel)[0]).toBe('libmpi.so.12');
    expect(filesFor(intel).filter((file) => file.includes('mpich'))).toEqual([]);
    expect(filesFor(mpich)[0]).toBe('libmpich.so.12');
  });

  it('a library that cannot be opened is named, with what to install', () => {
    const opened = openMpiLibrary({ abi: 'Open MPI', size: 2 }, '/no/such/library.so');
    if (E.isRight(opened)) throw new Error('it was opened');
    expect(opened.left.reason).toContain('/no/such/library.so');
    expect(opened.left.advice).toContain('apt install openmpi-bin');
  });
});
