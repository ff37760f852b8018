import * as E from 'fp-ts/lib/Either.js';

import { advice, candidates } from '../../../../src/core/backends/native/candidates.ts';
import type { ForeignLibrary } from '../../../../src/core/backends/native/koffi.ts';
import { openNativeKernels } from '../../../../src/core/backends/native/kernels.ts';
import { loadKoffi } from '../../../../src/core/backends/native/koffi.ts';
import { openBlasLibrary } from '../../../../src/core/backends/native/library.ts';
import { identify } from '../../../../src/core/backends/native/vendors.ts';

import { describeNative } from './support.ts';

/** A library that has these functions only; each gives its value. */
const pretend =
  (functions: Readonly<Record<string, unknown>>): ForeignLibrary['func'] =>
  (symbol) => {
    if (!(symbol in functions)) throw new Error(`Cannot find function '${symbol}'`);
    return Object.assign(() => functions[symbol], { async: () => undefined });
  };

describe('choosing a BLAS', () => {
  const linux = { platform: 'linux', arch: 'x64', env: {} };

  it('tries nothing but the choice when there is one', () => {
    expect(candidates(linux, '/opt/libblas.so')).toEqual([['/opt/libblas.so']]);
    expect(candidates(linux, 'libblis.so.4:liblapack.so.3')).toEqual([['libblis.so.4', 'liblapack.so.3']]);
    expect(candidates({ ...linux, platform: 'win32' }, 'C:\\a.dll;D:\\b.dll')).toEqual([['C:\\a.dll', 'D:\\b.dll']]);
  });

  it('leads with the fastest of each platform, and with an active conda environment', () => {
    expect(candidates(linux, undefined)[0]).toEqual(['libopenblas.so.0']);
    expect(candidates({ ...linux, arch: 'unknown' }, '')[0]).toEqual(['libopenblas.so.0']);
    expect(candidates({ ...linux, env: { CONDA_PREFIX: '/conda' } }, undefined)[0]).toEqual([
      '/conda/lib/libopenblas.so.0',
    ]);
    expect(candidates({ ...linux, platform: 'darwin' }, undefined)[0][0]).toContain('Accelerate');
    expect(candidates({ ...linux, platform: 'win32' }, undefined)[0]).toEqual(['libopenblas.dll']);
  });

  it('advises what can be done on each platform', () => {
    expect(advice('linux')).toContain('apt install');
    expect(advice('darwin')).toContain('brew install');
    expect(advice('win32')).toContain('PATH');
    expect(advice('browser')).toContain('gpu backend');
  });

  it('reports a choice that cannot be opened, with advice', () => {
    const opened = openBlasLibrary('/nonexistent/libblas.so');
    expect(opened).toMatchObject({ _tag: 'Left', left: { _tag: 'BackendUnavailable', backend: 'native' } });
    if (E.isLeft(opened)) {
      expect(opened.left.reason).toContain('/nonexistent/libblas.so');
      expect(opened.left.advice).toContain('KFAC_BLAS');
    }
    expect(openBlasLibrary('/nonexistent/libblas.so')).toBe(opened);
  });

  it('reads the choice from KFAC_BLAS', () => {
    const before = process.env['KFAC_BLAS'];
    process.env['KFAC_BLAS'] = '/nonexistent/from-environment.so';
    const opened = openNativeKernels();
    if (before === undefined) delete process.env['KFAC_BLAS'];
    else process.env['KFAC_BLAS'] = before;
    expect(opened).toMatchObject({
      left: { reason: expect.stringContaining('/nonexistent/from-environment.so') as string },
    });
  });

  it('is a typed error where there is no Node.js', () => {
    const builtin = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule');
    Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true });
    const loaded = loadKoffi();
    if (builtin === undefined) Reflect.deleteProperty(process, 'getBuiltinModule');
    else Object.defineProperty(process, 'getBuiltinModule', builtin);
    expect(loaded).toMatchObject({ _tag: 'Left', left: expect.stringContaining('Node.js') as string });
  });
});

describe('telling libraries apart', () => {
  it('knows each by a symbol of its own', () => {
    expect(
      identify(
        pretend({ openblas_get_config: 'OpenBLAS 0.3', openblas_get_num_threads: 2, openblas_set_num_threads: 0 }),
      ),
    ).toMatchObject({ name: 'OpenBLAS', version: 'OpenBLAS 0.3' });
    expect(
      identify(pretend({ MKL_Get_Version_String: 0, MKL_Get_Max_Threads: 2, MKL_Set_Num_Threads: 0 })),
    ).toMatchObject({ name: 'MKL' });
    const blis = { bli_info_get_version_str: '0.9', bli_thread_get_num_threads: 3n, bli_thread_set_num_threads: 0 };
    expect(identify(pretend(blis))).toMatchObject({ name: 'BLIS', version: '0.9' });
    expect(identify(pretend(blis)).threads?.get()).toBe(3);
    expect(identify(pretend({ flexiblas_get_num_threads: 2, flexiblas_set_num_threads: 0 }))).toMatchObject({
      name: 'FlexiBLAS',
    });
    expect(identify(pretend({ vDSP_vadd: 0 }))).toMatchObject({ name: 'Accelerate' });
    expect(identify(pretend({}))).toEqual({ name: 'BLAS', version: 'unknown' });
  });
});

describeNative('the library that was opened', ({ native }) => {
  it('says what it is', () => {
    expect(native.library.files.length).toBeGreaterThan(0);
    expect(native.library.version).not.toBe('');
    expect(native.library.background).toBeDefined();
  });

  it('keeps the number of threads that it is given', () => {
    const threads = native.library.threads;
    if (threads === undefined) {
      expect(['Accelerate', 'BLAS']).toContain(native.library.name);
      return;
    }
    const before = threads.get();
    threads.set(1);
    expect(threads.get()).toBe(1);
    threads.set(before);
    expect(threads.get()).toBe(before);
  });
});
