/**
 * Elementwise kernels: one thread per element of the result, whatever the shapes that are broadcast to it.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../../ops/primitives.ts';
import type { Shape } from '../../../../tensor.ts';
import { broadcastStrides, mergeAxes } from '../../../host/strides.ts';

import type { PairKind } from './functions.ts';
import { binaryText, needsSpecials, pairText, specialNames, unaryText, vjpText } from './functions.ts';
import { gridOf, offsetText } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { arrayNames, functionText } from './kernel.ts';

/** A kernel of n elements in a row. */
const rowKernel = (
  key: string,
  n: number,
  parameters: { readonly arrays: number; readonly numbers: ReadonlyArray<string> },
  statements: () => ReadonlyArray<string>,
): Kernel => ({
  key: `${key} ${n}`,
  source: () => functionText([...arrayNames.slice(0, parameters.arrays), ...parameters.numbers], statements()),
  threads: [n],
  components: 1,
  arrays: parameters.arrays,
  numbers: parameters.numbers.length,
});

/** `n` elements, each of them the number that the kernel is given. */
export const fillKernel = (n: number): Kernel =>
  rowKernel('fill', n, { arrays: 0, numbers: ['value'] }, () => ['return value;']);

/** Elements as they are: how an array comes onto the device. */
export const copyKernel = (n: number): Kernel =>
  rowKernel('copy', n, { arrays: 1, numbers: [] }, () => ['return a[this.thread.x];']);

/** f(a). */
export const unaryKernel = (kind: UnaryKind, n: number): Kernel =>
  rowKernel(kind, n, { arrays: 1, numbers: needsSpecials.has(kind) ? specialNames : [] }, () => [
    'let x = a[this.thread.x]; let y = 0.5;',
    unaryText[kind],
    'return y;',
  ]);

/** c f′(a) where b = f(a). */
export const vjpKernel = (kind: UnaryKind, n: number): Kernel =>
  rowKernel(`vjp ${kind}`, n, { arrays: 3, numbers: [] }, () => [
    'let x = a[this.thread.x]; let y = b[this.thread.x]; let g = c[this.thread.x]; let d = 0.5;',
    vjpText[kind],
    'return d;',
  ]);

/** p a for a number p. */
export const scaleKernel = (n: number): Kernel =>
  rowKernel('scale', n, { arrays: 1, numbers: ['p'] }, () => ['return p * a[this.thread.x];']);

/** p a + q b for numbers p and q. */
export const combineKernel = (n: number): Kernel =>
  rowKernel('combine', n, { arrays: 2, numbers: ['p', 'q'] }, () => [
    'return p * a[this.thread.x] + q * b[this.thread.x];',
  ]);

/** A kernel that reads arrays broadcast to a shape, as expressions. */
const broadcastKernel = (
  key: string,
  shapes: ReadonlyArray<Shape>,
  to: Shape,
  statements: (reads: ReadonlyArray<string>) => ReadonlyArray<string>,
): Kernel => {
  const { extents, strides } = mergeAxes(
    to,
    shapes.map((shape) => broadcastStrides(shape, to)),
  );
  const grid = gridOf(extents);
  return {
    key: `${key} ${extents.join('x')} ${strides.map((own) => own.join(',')).join(' ')}`,
    source: () => {
      const reads = shapes.map((_, i) => `${arrayNames[i]}[${offsetText(grid.index, strides[i])}]`);
      return functionText(arrayNames.slice(0, shapes.length), [grid.setup, ...statements(reads)]);
    },
    threads: grid.threads,
    components: 1,
    arrays: shapes.length,
    numbers: 0,
  };
};

/** f(a, b), broadcast. */
export const binaryKernel = (kind: BinaryKind, left: Shape, right: Shape, to: Shape): Kernel =>
  broadcastKernel(kind, [left, right], to, ([a, b]) => [
    `let x = ${a}; let y = ${b};`,
    `return ${binaryText[kind]('x', 'y')};`,
  ]);

/** A function of a and b that takes more than an expression, broadcast. */
export const pairKernel = (kind: PairKind, left: Shape, right: Shape, to: Shape): Kernel =>
  broadcastKernel(kind, [left, right], to, ([a, b]) => [
    `let x = ${a}; let y = ${b}; let d = 0.5;`,
    pairText[kind],
    'return d;',
  ]);

/** b where a is not 0, else c; broadcast. */
export const selectKernel = (condition: Shape, left: Shape, right: Shape, to: Shape): Kernel =>
  broadcastKernel('select', [condition, left, right], to, ([a, b, c]) => [
    `let y = ${b};`,
    `if (${a} === 0) { y = ${c}; }`,
    'return y;',
  ]);
