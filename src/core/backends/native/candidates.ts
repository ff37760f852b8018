/**
 * Where a BLAS and a LAPACK may be, best first.
 *
 * OpenBLAS, MKL, FlexiBLAS and Accelerate hold both; BLIS has no LAPACK and is paired with the system's. Bare names are
 * left to the system's loader, which knows more directories than any list; the directories named here are those that it
 * does not search. Accelerate leads on macOS because it alone uses the matrix units of Apple's processors.
 *
 * @module
 */
import type { Process } from '../process.ts';

/** Shared libraries to open together; a routine comes from the first that has it. */
export type Candidate = ReadonlyArray<string>;

const multiarch: Readonly<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  s390x: 's390x-linux-gnu',
};

const linux = (arch: string): ReadonlyArray<Candidate> => {
  const lib = `/usr/lib/${multiarch[arch] ?? arch}`;
  return [
    ['libopenblas.so.0'],
    ['libopenblas.so'],
    ['libopenblasp.so.0'],
    [`${lib}/openblas-pthread/libopenblas.so.0`],
    [`${lib}/openblas-openmp/libopenblas.so.0`],
    ['/opt/OpenBLAS/lib/libopenblas.so'],
    ['libmkl_rt.so.2'],
    ['libmkl_rt.so'],
    ['/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so'],
    ['libflexiblas.so.3'],
    ['libblis.so.4', 'liblapack.so.3'],
    ['libblis.so', 'liblapack.so.3'],
    ['libblas.so.3', 'liblapack.so.3'],
  ];
};

const darwin: ReadonlyArray<Candidate> = [
  ['/System/Library/Frameworks/Accelerate.framework/Accelerate'],
  ['/opt/homebrew/opt/openblas/lib/libopenblas.dylib'],
  ['/usr/local/opt/openblas/lib/libopenblas.dylib'],
];

const windows: ReadonlyArray<Candidate> = [['libopenblas.dll'], ['openblas.dll'], ['mkl_rt.2.dll'], ['mkl_rt.dll']];

/** The libraries of an active conda environment, which the loader does not search either. */
const conda = (prefix: string | undefined): ReadonlyArray<Candidate> =>
  prefix === undefined ? [] : [[`${prefix}/lib/libopenblas.so.0`], [`${prefix}/lib/libmkl_rt.so.2`]];

/**
 * The libraries to try.
 *
 * @param process - platform, architecture and environment
 * @param choice - a path or a name, or two joined by the platform's path delimiter (BLAS, then LAPACK); when given,
 *   nothing else is tried, so that a wrong setting is an error and not a slower library
 */
export const candidates = (
  process: Pick<Process, 'platform' | 'arch' | 'env'>,
  choice: string | undefined,
): ReadonlyArray<Candidate> => {
  const { platform, arch, env } = process;
  if (choice !== undefined && choice !== '') return [choice.split(platform === 'win32' ? ';' : ':')];
  if (platform === 'darwin') return darwin;
  if (platform === 'win32') return windows;
  return [...conda(env['CONDA_PREFIX']), ...linux(arch)];
};

/** How to get a BLAS on a platform. */
export const advice = (platform: string): string => {
  if (platform === 'browser') return 'Use the gpu backend, which needs nothing installed.';
  const install =
    platform === 'darwin'
      ? 'brew install openblas'
      : platform === 'win32'
        ? 'put libopenblas.dll (github.com/OpenMathLib/OpenBLAS/releases) on PATH'
        : 'apt install libopenblas0, dnf install openblas, apk add openblas, or conda install libopenblas';
  return `Install koffi (npm install koffi) and a BLAS (${install}), or set KFAC_BLAS to the path of one.`;
};
