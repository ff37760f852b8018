/**
 * C prototypes of the BLAS and LAPACK routines in use, as data.
 *
 * Two details are easy to get wrong. Buffers are `void *`: koffi passes the address of a typed array without looking at
 * it, and refuses nothing, so lengths and element types are checked by our callers. And a LAPACK routine takes the
 * length of each character argument after all others, which C headers leave out but compiled Fortran may read.
 *
 * @module
 */
import type { ForeignFunction, ForeignLibrary } from './koffi.ts';

const buffer = 'void *';
/** An integer by pointer: pass `[n]`. */
const int = 'int *';
const character = 'const char *';
const characterLength = 'size_t';

/** Values of the enumerations of CBLAS. */
export const cblas = { rowMajor: 101, plain: 111, transposed: 112, lower: 122, nonUnit: 131, left: 141 } as const;

/** CBLAS: order, flags, sizes, then arrays with leading dimensions; `real` is the scalar type. */
const blasSignatures = (real: string) => ({
  gemm: ['int', 'int', 'int', 'int', 'int', 'int', real, buffer, 'int', buffer, 'int', real, buffer, 'int'],
  gemv: ['int', 'int', 'int', 'int', real, buffer, 'int', buffer, 'int', real, buffer, 'int'],
  syrk: ['int', 'int', 'int', 'int', 'int', real, buffer, 'int', real, buffer, 'int'],
  trsm: ['int', 'int', 'int', 'int', 'int', 'int', 'int', real, buffer, 'int', buffer, 'int'],
});

/** LAPACK: Fortran, everything by pointer; `info` is the buffer before the character lengths. */
const lapackSignatures = {
  potrf: [character, int, buffer, int, buffer, characterLength],
  potri: [character, int, buffer, int, buffer, characterLength],
  getrf: [int, int, buffer, int, buffer, buffer],
  getri: [int, buffer, int, buffer, buffer, int, buffer],
  getrs: [character, int, int, buffer, int, buffer, buffer, int, buffer, characterLength],
  syevd: [
    character,
    character,
    int,
    buffer,
    int,
    buffer,
    buffer,
    int,
    buffer,
    int,
    buffer,
    characterLength,
    characterLength,
  ],
};

/** Names of the routines, without their letter for the precision. */
export type RoutineName = keyof ReturnType<typeof blasSignatures> | keyof typeof lapackSignatures;

/** Every routine in one precision. */
export type Routines = Readonly<Record<RoutineName, ForeignFunction>>;

/**
 * Finds every routine of one precision; fails like {@link ForeignLibrary} when one is missing.
 *
 * @param find - looks a routine up by symbol, result and parameters
 * @param precision - `s` for f32, `d` for f64
 */
export const bindRoutines = (find: ForeignLibrary['func'], precision: 's' | 'd'): Routines => {
  const c = blasSignatures(precision === 's' ? 'float' : 'double');
  const blas = (name: keyof typeof c): ForeignFunction => find(`cblas_${precision}${name}`, 'void', c[name]);
  const fortran = (name: keyof typeof lapackSignatures): ForeignFunction =>
    find(`${precision}${name}_`, 'void', lapackSignatures[name]);
  return {
    gemm: blas('gemm'),
    gemv: blas('gemv'),
    syrk: blas('syrk'),
    trsm: blas('trsm'),
    potrf: fortran('potrf'),
    potri: fortran('potri'),
    getrf: fortran('getrf'),
    getri: fortran('getri'),
    getrs: fortran('getrs'),
    syevd: fortran('syevd'),
  };
};
