/**
 * The module of all vector kernels: every function as a loop over arrays of the memory that the module is given.
 *
 * Operands are addresses, and nothing is copied. The beginning of the memory belongs to the kernels: places where a
 * chunk of an array from elsewhere is staged, and one for a number that takes the part of an operand.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../ops/primitives.ts';
import type { VjpKind } from '../kernels/kernels.ts';

import type { Code } from '../../webAssembly/assembler.ts';
import { assemble, f32x4, local } from '../../webAssembly/assembler.ts';
import {
  binaryCode,
  expOfDifferenceCode,
  sigmoidCrossEntropyCode,
  sigmoidMinusCode,
  unaryCode,
  vjpCode,
} from './functions.ts';
import type { RowCode } from './loops.ts';
import { gatherRows, scatterRows } from './indexed.ts';
import { addBlocks, copyBlocks, pointwise, rowwise } from './loops.ts';
import { selectForms, selectKernel } from './select.ts';
import { mirrorLower } from './mirror.ts';
import { middleMaxima, middleMaximaVjp } from './middle.ts';
import { rowExponentials, rowMaxima } from './softmax.ts';
import {
  columnMoments,
  columnProducts,
  softmaxRowsVjp,
  standardiseColumns,
  standardiseColumnsVjp,
  standardiseRows,
  standardiseRowsVjp,
} from './standardise.ts';
import { dot, middleSums, middleSumsWide, rowSums, sum } from './sums.ts';
import { transpose } from './transpose.ts';
import { convolveWindows, correlateWindows } from './windows.ts';

/** Elements of a staged chunk; a multiple of 16. */
export const chunk = 4096;

/** Byte addresses in the memory. There are lines between places, because vectors are read as a whole. */
export const places = {
  a: 64,
  b: 4 * chunk + 128,
  out: 8 * chunk + 192,
  number: 12 * chunk + 256,
  lanes: 12 * chunk + 320,
} as const;

/** Bytes of the places. */
export const reserved = 12 * chunk + 384;

const names = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record) as Array<K>;

/** Kernels over elements by name. */
export type PointwiseName =
  | UnaryKind
  | `vjp.${VjpKind}`
  | 'fill'
  | 'linearCombination'
  | 'combineWithSquare'
  | 'overRoot'
  | 'sigmoidMinus'
  | 'sigmoidCrossEntropy';

/** Kernels over rows by name: functions of two arguments, of which one may be a number for each row. */
export type RowwiseName = `${BinaryKind}${'' | '.right' | '.left'}` | `expOfDifference${'' | '.right'}` | 'spread';

/** Functions of which a loop takes several vectors at a time: those that take less time than counting does. */
const cheap: ReadonlySet<PointwiseName> = new Set<PointwiseName>([
  ...(['neg', 'square', 'abs', 'step', 'relu', 'sqrt', 'vjp.exp', 'vjp.square', 'vjp.tanh', 'vjp.sigmoid'] as const),
  ...(['vjp.relu', 'fill', 'linearCombination', 'combineWithSquare', 'overRoot'] as const),
]);

const { s, t } = pointwise.numbers;
const [splatS, splatT] = [f32x4.splat(local.get(s)), f32x4.splat(local.get(t))];

type OfTwo = (a: Code, b: Code, registers: ReadonlyArray<number>) => Code;

const pointwiseKernels: ReadonlyArray<readonly [PointwiseName, OfTwo]> = [
  ...names(unaryCode).map((name) => [name, (a, _, registers) => unaryCode[name](a, registers)] as const satisfies readonly [PointwiseName, OfTwo]), // prettier-ignore
  ...names(vjpCode).map((name) => [`vjp.${name}`, vjpCode[name].code] as const),
  ['sigmoidMinus', sigmoidMinusCode],
  ['sigmoidCrossEntropy', sigmoidCrossEntropyCode],
  ['fill', () => splatS],
  ['linearCombination', (a, b) => f32x4.add(f32x4.mul(splatS, a), f32x4.mul(splatT, b))],
  [
    'combineWithSquare',
    (a, b, [y]) => [
      ...local.set(y, b),
      ...f32x4.add(f32x4.mul(splatS, a), f32x4.mul(splatT, f32x4.mul(local.get(y), local.get(y)))),
    ],
  ],
  ['overRoot', (a, b) => f32x4.div(a, f32x4.add(f32x4.mul(splatS, f32x4.sqrt(b)), splatT))],
];

const rowwiseKernels: ReadonlyArray<readonly [RowwiseName, RowCode]> = [
  ...names(binaryCode).flatMap((name) => {
    const code = (x: Code, y: Code): Code => binaryCode[name](x, y);
    return [
      [name, { fixed: 'none', several: true, code }],
      [`${name}.right`, { fixed: 'b', several: true, code }],
      [`${name}.left`, { fixed: 'b', several: true, code: (x, fixed) => code(fixed, x) }],
    ] as const satisfies ReadonlyArray<readonly [RowwiseName, RowCode]>;
  }),
  ['expOfDifference', { fixed: 'none', several: false, code: expOfDifferenceCode }],
  ['expOfDifference.right', { fixed: 'b', several: false, code: expOfDifferenceCode }],
  ['spread', { fixed: 'b', several: true, code: (_, fixed) => fixed }],
];

/** All kernels over elements, and all over rows. */
export const pointwiseNames: ReadonlyArray<PointwiseName> = pointwiseKernels.map(([name]) => name);
export const rowwiseNames: ReadonlyArray<RowwiseName> = rowwiseKernels.map(([name]) => name);

/**
 * The binary of the module.
 *
 * @param shared - whether its memory is shared
 * @param fused - whether products in sums may be added by the instruction that makes them
 */
export const moduleBytes = (shared: boolean, fused: boolean): Uint8Array =>
  assemble({ shared }, [
    ...pointwiseKernels.map(([name, code]) => pointwise.kernel(name, cheap.has(name), code)),
    ...rowwiseKernels.map(([name, code]) => rowwise(name, code)),
    sum,
    rowSums,
    middleSums,
    middleSumsWide,
    middleMaxima,
    middleMaximaVjp,
    dot,
    copyBlocks,
    addBlocks,
    transpose,
    mirrorLower,
    rowMaxima,
    rowExponentials,
    softmaxRowsVjp,
    standardiseRows,
    standardiseRowsVjp,
    columnMoments,
    columnProducts,
    standardiseColumns,
    standardiseColumnsVjp,
    ...selectForms.map(selectKernel),
    gatherRows,
    scatterRows,
    convolveWindows(fused),
    correlateWindows(fused),
  ]);
