/**
 * What differs between BLAS implementations: how to tell them apart, and how to set their number of threads.
 *
 * A library is known by a symbol that no other has, not by its file name: distributions rename and link them freely.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ForeignLibrary } from './koffi.ts';
import type { Threads } from './threads.ts';

/** Which implementation a library is. */
export interface Vendor {
  readonly name: 'OpenBLAS' | 'MKL' | 'BLIS' | 'FlexiBLAS' | 'Accelerate' | 'BLAS';
  /** What the library says about itself. */
  readonly version: string;
  /** Absent when the number of threads cannot be changed while the program runs. */
  readonly threads?: Threads;
}

type Find = ForeignLibrary['func'];

const threadsBy = (find: Find, getter: string, setter: string, integer: 'int' | 'int64'): Threads => {
  const get = find(getter, integer, []);
  const set = find(setter, 'void', [integer]);
  return { get: () => Number(get()), set: (count) => void set(count) };
};

const openBlas = (find: Find): Vendor => ({
  name: 'OpenBLAS',
  version: String(find('openblas_get_config', 'str', [])()).trim(),
  threads: threadsBy(find, 'openblas_get_num_threads', 'openblas_set_num_threads', 'int'),
});

const mkl = (find: Find): Vendor => {
  const text = new Uint8Array(256);
  find('MKL_Get_Version_String', 'void', ['void *', 'int'])(text, text.length);
  return {
    name: 'MKL',
    version: String.fromCharCode(...text.filter((code) => code > 0)).trim(),
    threads: threadsBy(find, 'MKL_Get_Max_Threads', 'MKL_Set_Num_Threads', 'int'),
  };
};

const blis = (find: Find): Vendor => ({
  name: 'BLIS',
  version: String(find('bli_info_get_version_str', 'str', [])()),
  threads: threadsBy(find, 'bli_thread_get_num_threads', 'bli_thread_set_num_threads', 'int64'),
});

const flexiBlas = (find: Find): Vendor => ({
  name: 'FlexiBLAS',
  version: 'FlexiBLAS',
  threads: threadsBy(find, 'flexiblas_get_num_threads', 'flexiblas_set_num_threads', 'int'),
});

const accelerate = (find: Find): Vendor => {
  find('vDSP_vadd', 'void', []);
  return { name: 'Accelerate', version: 'Accelerate' };
};

/**
 * Tells which implementation a library is.
 *
 * @param find - looks a function up; fails on a symbol that the library does not have
 */
export const identify = (find: ForeignLibrary['func']): Vendor => {
  const known = [flexiBlas, openBlas, mkl, blis, accelerate]
    .map((vendor) => E.tryCatch(() => vendor(find), String))
    .find(E.isRight);
  return known === undefined ? { name: 'BLAS', version: 'unknown' } : known.right;
};
