/** What is done before a library of MPI is loaded. */
import * as E from 'fp-ts/lib/Either.js';

import { openMpiLibrary } from '../../../../src/core/parallel/mpi/library.ts';

describe('openMpiLibrary', () => {
  const before = process.env['UCX_MEM_EVENTS'];
  afterEach(() => {
    if (before === undefined) delete process.env['UCX_MEM_EVENTS'];
    else process.env['UCX_MEM_EVENTS'] = before;
  });

  it.each([
    ['says that UCX leaves the memory of Node.js alone', undefined, 'n'],
    ['leaves what somebody has set', 'y', 'y'],
  ])('%s', (_, set, expected) => {
    delete process.env['UCX_MEM_EVENTS'];
    if (set !== undefined) process.env['UCX_MEM_EVENTS'] = set;
    openMpiLibrary('MPICH', '/no/such/library.so');
    expect(process.env['UCX_MEM_EVENTS']).toBe(expected);
  });

  it('a library that cannot be opened is named, with what to install', () => {
    const opened = openMpiLibrary('Open MPI', '/no/such/library.so');
    if (E.isRight(opened)) throw new Error('it was opened');
    expect(opened.left.reason).toContain('/no/such/library.so');
    expect(opened.left.advice).toContain('apt install openmpi-bin');
  });
});
