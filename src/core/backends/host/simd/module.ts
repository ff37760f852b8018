/**
 * The module of all vector kernels: every function as a loop over fixed places in a small memory.
 *
 * Kernels do not know where arrays live. A caller stages a chunk of its operands in the places `a` and `b`, runs a
 * kernel and takes the chunk `out`; the places stay in the nearest caches, so the copies cost less than a scalar loop
 * does on the same data, and arrays may come from anywhere.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../ops/primitives.ts';
import type { VjpKind } from '../kernels/kernels.ts';

import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { assemble, f32x4, f64, f64x2, i32, local, repeatWhile, v128, valueType } from '../../webAssembly/assembler.ts';
import {
  binaryCode,
  expOfDifferenceCode,
  sigmoidCrossEntropyCode,
  sigmoidMinusCode,
  unaryCode,
  vjpCode,
} from './functions.ts';

/** Elements of a chunk; a multiple of 4. */
export const chunk = 4096;

/** Byte addresses in the memory. `totals` holds 64-bit floats. */
export const places = { a: 0, b: 4 * chunk, out: 8 * chunk, totals: 12 * chunk } as const;

const pages = Math.ceil((20 * chunk) / 65_536);

// Parameters and locals of every kernel, by number.
const [end, s, t, at, ...registers] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

const a = v128.load(local.get(at), places.a);
const b = v128.load(local.get(at), places.b);
const splatS = f32x4.splat(local.get(s));
const splatT = f32x4.splat(local.get(t));

/** A kernel: runs over elements, four at a time, up to `end` (in bytes), with two numbers s and t. */
const kernel = (name: string, body: Code, result: Code | null = null): FunctionCode => ({
  name,
  parameters: [valueType.i32, valueType.f32, valueType.f32],
  results: result === null ? [] : [valueType.f64],
  locals: [valueType.i32, ...registers.map(() => valueType.v128)],
  body: [
    ...repeatWhile(
      [...body, ...local.set(at, i32.add(local.get(at), i32.constant(16)))],
      i32.lessThan(local.get(at), local.get(end)),
    ),
    ...(result ?? []),
  ],
});

/** `out[i] = value`. */
const pointwise = (name: string, value: Code): FunctionCode =>
  kernel(name, v128.store(local.get(at), places.out, value));

/** The lower and the upper two of four floats, in 64 bits. */
const halves: ReadonlyArray<(x: Code) => Code> = [f64x2.fromLower, (x) => f64x2.fromLower(v128.upperHalf(x))];

/** The sum of terms, in 64 bits. */
const reduction = (name: string, term: (half: (x: Code) => Code) => Code): FunctionCode => {
  const [lower, upper] = registers;
  const total = f64x2.add(local.get(lower), local.get(upper));
  return kernel(
    name,
    [lower, upper].flatMap((sum, i) => local.set(sum, f64x2.add(local.get(sum), term(halves[i])))),
    f64.add(f64x2.lane(total, 0), f64x2.lane(total, 1)),
  );
};

/** `totals[i] += a[i]`, in 64 bits. */
const accumulate: FunctionCode = kernel(
  'accumulate',
  halves.flatMap((half, i) => {
    const address = i32.add(local.get(at), local.get(at));
    const place = places.totals + 16 * i;
    return v128.store(address, place, f64x2.add(v128.load(address, place), half(a)));
  }),
);

const names = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record) as Array<K>;

/** Kernels by name: functions as in `Ops`, binary ones also with a number on the right or on the left. */
export type PointwiseName =
  | Exclude<UnaryKind, 'log'>
  | `${BinaryKind}${'' | '.right' | '.left'}`
  | `vjp.${VjpKind}`
  | 'linearCombination'
  | 'sigmoidMinus'
  | 'sigmoidCrossEntropy'
  | `expOfDifference${'' | '.right'}`;

const pointwiseKernels: ReadonlyArray<readonly [PointwiseName, Code]> = [
  ...names(unaryCode).map((name) => [name, unaryCode[name](a, registers)] as const),
  ...names(binaryCode).flatMap(
    (name) =>
      [
        [name, binaryCode[name](a, b)],
        [`${name}.right`, binaryCode[name](a, splatS)],
        [`${name}.left`, binaryCode[name](splatS, a)],
      ] as const,
  ),
  ...names(vjpCode).map((name) => [`vjp.${name}`, vjpCode[name].code(a, b, registers)] as const),
  ['sigmoidMinus', sigmoidMinusCode(a, b, registers)],
  ['sigmoidCrossEntropy', sigmoidCrossEntropyCode(a, b, registers)],
  ['expOfDifference', expOfDifferenceCode(a, b, registers)],
  ['expOfDifference.right', expOfDifferenceCode(a, splatS, registers)],
  ['linearCombination', f32x4.add(f32x4.mul(splatS, a), f32x4.mul(splatT, b))],
];

/** The binary of the module. */
export const moduleBytes = (): Uint8Array =>
  assemble(pages, [
    ...pointwiseKernels.map(([name, value]) => pointwise(name, value)),
    reduction('sum', (half) => half(a)),
    reduction('dot', (half) => f64x2.mul(half(a), half(b))),
    accumulate,
  ]);
