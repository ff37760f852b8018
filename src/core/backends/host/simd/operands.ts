/**
 * What the vector kernels read and write: for each operand where its address is among the arguments, how long it is, and what
 * becomes of it. Where a call is cut into parts, so that each needs little room.
 *
 * @module
 */
import type { KernelName } from './byName.ts';
import { eachOf, selectNames } from './byName.ts';
import { pointwiseNames, rowwiseNames } from './module.ts';

/** Arguments of a kernel. */
export type Arguments = ReadonlyArray<number>;

/** An operand: the position of its address, its bytes, and whether it is read, written as a whole, or changed in places. */
export type Operand = readonly [argument: number, bytes: number, use: 'read' | 'written' | 'changed'];

type OperandsOf = (args: Arguments) => ReadonlyArray<Operand>;

/** Bytes from the first row to the end of the last one, of rows that begin so many bytes apart. */
const reach = (rows: number, step: number, bytes: number): number => (rows - 1) * step + bytes;

const ofElements: OperandsOf = ([, , , bytes]) => [
  [0, bytes, 'read'],
  [1, bytes, 'read'],
  [2, bytes, 'written'],
];

const isFixed = (name: string): boolean => name.endsWith('.right') || name.endsWith('.left') || name === 'spread';

const ofRows =
  (name: string): OperandsOf =>
  ([, , , bytes, rows, stepA, stepB]) => [
    [0, name === 'spread' ? 0 : reach(rows, stepA, bytes), 'read'],
    [1, reach(rows, stepB, isFixed(name) ? 4 : bytes), 'read'],
    [2, rows * bytes, 'written'],
  ];

const ofChoice =
  (name: (typeof selectNames)[number]): OperandsOf =>
  ([, , , , bytes, rows, ...steps]) => [
    ...steps.map((step, i) => [i, reach(rows, step, name.at(i - 3) === 'v' ? bytes : 4), 'read'] as const),
    [3, rows * bytes, 'written'],
  ];

/** Sums or maxima of rows, 4 bytes each. */
const toColumn: OperandsOf = ([, , bytes, rows]) => [
  [0, rows * bytes, 'read'],
  [1, 4 * rows, 'written'],
];

const ofMiddle: OperandsOf = ([, , bytes, rows, blocks]) => [
  [0, blocks * rows * bytes, 'read'],
  [1, blocks * bytes, 'written'],
];

const ofBlocks: OperandsOf = ([, , bytes, n0, n1, n2, x0, x1, x2, o0, o1, o2]) => {
  const extent = (s0: number, s1: number, s2: number): number => (n0 - 1) * s0 + (n1 - 1) * s1 + (n2 - 1) * s2 + bytes;
  return [
    [0, extent(x0, x1, x2), 'read'],
    [1, extent(o0, o1, o2), 'changed'],
  ];
};

/** Bytes of what windows see, and of what is made of it with so many bytes at each place. */
const extentsOfWindows = (args: Arguments, made: number): { readonly seen: number; readonly made: number } => {
  const [, , , bytes, rows, stepRow, places, stepX, stepY, lines, lineX, lineY, images, imageX, imageY] = args;
  const extent = (place: number, line: number, image: number, each: number): number =>
    (images - 1) * image + (lines - 1) * line + (places - 1) * place + each;
  return { seen: extent(stepX, lineX, imageX, reach(rows, stepRow, bytes)), made: extent(stepY, lineY, imageY, made) };
};

/** What each kernel reads and writes. */
export const operandsOf: Readonly<Record<KernelName, OperandsOf>> = {
  ...eachOf(pointwiseNames, () => ofElements),
  ...eachOf(rowwiseNames, ofRows),
  ...eachOf(selectNames, ofChoice),
  sum: ([, bytes]) => [[0, bytes, 'read']],
  dot: ([, , bytes]) => [
    [0, bytes, 'read'],
    [1, bytes, 'read'],
  ],
  rowSums: toColumn,
  rowMaxima: toColumn,
  rowExponentials: ([, , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, 4 * rows, 'read'],
    [2, rows * bytes, 'written'],
    [3, 16 * rows, 'written'],
  ],
  softmaxRowsVjp: ([, , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, rows * bytes, 'read'],
    [2, rows * bytes, 'written'],
  ],
  middleSums: ofMiddle,
  middleSumsWide: ([, , bytes, rows, blocks]) => [
    [0, blocks * rows * bytes, 'read'],
    [1, blocks * 32 * Math.ceil(bytes / 16), 'written'],
  ],
  middleMaxima: ofMiddle,
  middleMaximaVjp: ([, , , , bytes, rows, blocks]) => [
    [0, blocks * rows * bytes, 'read'],
    [1, blocks * bytes, 'read'],
    [2, blocks * bytes, 'read'],
    [3, blocks * rows * bytes, 'written'],
  ],
  copyBlocks: ofBlocks,
  addBlocks: ofBlocks,
  transpose: ([, , rows, columns]) => [
    [0, 4 * rows * columns, 'read'],
    [1, 4 * rows * columns, 'changed'],
  ],
  mirrorLower: ([, n, stride]) => [[0, reach(n, stride, 4 * n), 'changed']],
  gatherRows: ([, , , bytes, count, rows]) => [
    [0, rows * bytes, 'read'],
    [1, 4 * count, 'read'],
    [2, count * bytes, 'written'],
  ],
  scatterRows: ([, , , bytes, count, rows]) => [
    [0, count * bytes, 'read'],
    [1, 4 * count, 'read'],
    [2, rows * bytes, 'changed'],
  ],
  standardiseRows: ([, , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, rows * bytes, 'written'],
    [2, 4 * rows, 'written'],
    [3, 4 * rows, 'written'],
  ],
  standardiseRowsVjp: ([, , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, rows * bytes, 'read'],
    [2, 4 * rows, 'read'],
    [3, rows * bytes, 'written'],
  ],
  columnMoments: ([, , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, bytes, 'read'],
    [2, bytes, 'written'],
    [3, bytes, 'written'],
  ],
  columnProducts: ([, , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, rows * bytes, 'read'],
    [2, bytes, 'written'],
    [3, bytes, 'written'],
  ],
  standardiseColumns: ([, , , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, bytes, 'read'],
    [2, bytes, 'read'],
    [3, bytes, 'read'],
    [4, rows * bytes, 'written'],
  ],
  standardiseColumnsVjp: ([, , , , , , bytes, rows]) => [
    [0, rows * bytes, 'read'],
    [1, rows * bytes, 'read'],
    [2, bytes, 'read'],
    [3, bytes, 'read'],
    [4, bytes, 'read'],
    [5, rows * bytes, 'written'],
  ],
  convolveWindows: (args) => {
    const [[, , , bytes, rows], outputs] = [args, args[15]];
    const { seen, made } = extentsOfWindows(args, outputs);
    return [
      [0, seen, 'read'],
      [1, 8 * Math.ceil(outputs / 32) * rows * bytes, 'read'],
      [2, made, 'changed'],
    ];
  },
  correlateWindows: (args) => {
    const [[, , , bytes, rows], blocks] = [args, args[16]];
    const { seen, made } = extentsOfWindows(args, 16 * blocks);
    return [
      [0, seen, 'read'],
      [1, made, 'read'],
      [2, 4 * blocks * rows * bytes, 'changed'],
    ];
  },
};

/** Bytes of each operand of a part: little enough for the second cache, and so much that copies cost more than calls. */
export const partBytes = 2 ** 17;

/** Parts of a call between elements. */
const cut = (bytes: number, part: (at: number, bytes: number) => Arguments): ReadonlyArray<Arguments> =>
  Array.from({ length: Math.ceil(bytes / partBytes) }, (_, i) =>
    part(i * partBytes, Math.min(partBytes, bytes - i * partBytes)),
  );

type PartsOf = (args: Arguments) => ReadonlyArray<Arguments>;

const partsOfElements: PartsOf = ([a, b, out, bytes, ...numbers]) =>
  cut(bytes, (at, part) => [a + at, b + at, out + at, part, ...numbers]);

const partsOfRows =
  (name: string): PartsOf =>
  ([a, b, out, bytes, rows, stepA, stepB]) => {
    if (rows === 1) return cut(bytes, (at, part) => [a + at, isFixed(name) ? b : b + at, out + at, part, 1, 0, 0]);
    const atOnce = Math.max(1, Math.floor(partBytes / bytes));
    return Array.from({ length: Math.ceil(rows / atOnce) }, (_, i) => {
      const row = i * atOnce;
      return [a + row * stepA, b + row * stepB, out + row * bytes, bytes, Math.min(atOnce, rows - row), stepA, stepB];
    });
  };

/** Parts of calls that may be made one after another, of those kernels that have such. */
export const partsOf: Partial<Readonly<Record<KernelName, PartsOf>>> = {
  ...eachOf(pointwiseNames, () => partsOfElements),
  ...eachOf(rowwiseNames, partsOfRows),
};
