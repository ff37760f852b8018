/**
 * Convolutions without patches, as vector kernels: products of filters with what windows see, where it lies.
 *
 * A row of a window is one run of pixels with all their channels, so nothing is copied that windows have in common. A tile of
 * four neighbouring places by eight outputs is held in registers, as a product's is, and one number of each window is taken in a
 * turn of the loop. The last four places of a line are a tile of their own, which may overlap the one before it: what is computed for
 * a place depends on nothing but the place.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32x4, i32, local, repeatWhile, v128, valueType, when } from '../../webAssembly/assembler.ts';
import { advance, storeUpTo } from './loops.ts';

const { get, set } = local;
const { i32: integer, v128: vector } = valueType;

/** Places of a tile, and outputs of one. A line has at least as many places. */
export const windowTile = { places: 4, outputs: 8 } as const;

/** Outputs of a tile of a correlation, and elements of one. */
export const correlateTile = { outputs: 4, elements: 8 } as const;

const sumsFrom = (first: number): ReadonlyArray<readonly [number, number]> =>
  Array.from({ length: windowTile.places }, (_, i) => [first + 2 * i, first + 2 * i + 1] as const);

const plus = (fused: boolean, sum: number, left: number, right: number): Code =>
  fused ? f32x4.multiplyAdd(get(left), get(right), get(sum)) : f32x4.add(get(sum), f32x4.mul(get(left), get(right)));

const doTimes = (left: number, count: Code, body: Code): Code => [
  ...set(left, count),
  ...repeatWhile([...body, ...set(left, i32.sub(get(left), i32.constant(1)))], get(left)),
];

/**
 * Numbers of the geometry that both kernels take after three addresses, in this order: the run's bytes; rows of a window, and bytes from one
 * of them to the next; places, and bytes of a step to the next, in x and in y; lines, and bytes of a step, in x and in y; images, and bytes
 * of a step, in x and in y.
 */
const geometryFrom = (first: number): ReadonlyArray<number> => Array.from({ length: 12 }, (_, i) => first + i);

const parametersOf = (count: number): ReadonlyArray<typeof integer> => new Array<typeof integer>(count).fill(integer);

/**
 * `y[n, l, p, o] = Σ_r Σ_e x[n, l, p, r, e] w[o, r, e]`: image n, line l, place p, row r of the window and element e of the row's run.
 *
 * Operands, in this order: x, w, y; the geometry, with at least four places; bytes of all outputs. Filters are eight outputs at a time:
 * w `[groups, r, e, 8]`.
 *
 * @param fused - whether a product is added by the instruction that makes it
 */
export const convolveWindows = (fused: boolean): FunctionCode => {
  const [x, w, y, outputs] = [0, 1, 2, 15];
  const [bytes, rows, stepRow, places, stepX, stepY, lines, lineX, lineY, images, imageX, imageY] = geometryFrom(3);
  const [block, xs, ys, line, place, tileX, tileY, past, row, stop, done, p0, p1, p2, p3, pw, wide] = Array.from(
    { length: 17 },
    (_, i) => 16 + i,
  );
  const [b0, b1, v, ...held] = Array.from({ length: 11 }, (_, i) => 33 + i);
  const sums = sumsFrom(held[0]);
  const pointers = [p0, p1, p2, p3];

  const inner: Code = repeatWhile(
    [
      ...set(b0, v128.load(get(pw), 0)),
      ...set(b1, v128.load(get(pw), 16)),
      ...sums.flatMap(([left, right], i) => [
        ...set(v, v128.loadSplat(get(pointers[i]), 0)),
        ...set(left, plus(fused, left, v, b0)),
        ...set(right, plus(fused, right, v, b1)),
      ]),
      ...pointers.flatMap((pointer) => advance(pointer, i32.constant(4))),
      ...advance(pw, i32.constant(32)),
    ],
    i32.lessThan(get(p0), get(past)),
  );

  const store: Code = sums.flatMap(([left, right]) => [
    ...when(
      get(wide),
      [...v128.store(get(tileY), 0, get(left)), ...v128.store(get(tileY), 16, get(right))],
      [
        ...set(stop, i32.add(get(tileY), i32.sub(get(outputs), get(done)))),
        ...storeUpTo(tileY, stop, left),
        ...when(i32.lessThan(i32.add(get(tileY), i32.constant(16)), get(stop)), [
          ...advance(tileY, i32.constant(16)),
          ...storeUpTo(tileY, stop, right),
          ...advance(tileY, i32.constant(-16)),
        ]),
      ],
    ),
    ...advance(tileY, get(stepY)),
  ]);

  const tile: Code = [
    ...sums.flat().flatMap((sum) => set(sum, f32x4.constant(0))),
    ...set(pw, get(block)),
    ...doTimes(row, get(rows), [
      ...set(p0, get(tileX)),
      ...set(p1, i32.add(get(p0), get(stepX))),
      ...set(p2, i32.add(get(p1), get(stepX))),
      ...set(p3, i32.add(get(p2), get(stepX))),
      ...set(past, i32.add(get(p0), get(bytes))),
      ...inner,
      ...advance(tileX, get(stepRow)),
    ]),
    ...store,
  ];

  /** Tiles of a line; the last one begins so many places before the end. */
  const eachTile: Code = [
    ...set(place, i32.constant(0)),
    ...repeatWhile(
      [
        ...set(stop, i32.sub(get(places), i32.constant(windowTile.places))),
        ...when(i32.lessThan(get(place), get(stop)), set(stop, get(place))),
        ...set(tileX, i32.add(get(xs), i32.mul(get(stop), get(stepX)))),
        ...set(tileY, i32.add(get(ys), i32.mul(get(stop), get(stepY)))),
        ...tile,
        ...advance(place, i32.constant(windowTile.places)),
      ],
      i32.lessThan(get(place), get(places)),
    ),
  ];

  return {
    name: 'convolveWindows',
    parameters: parametersOf(16),
    results: [],
    locals: [...parametersOf(17), ...new Array<typeof vector>(11).fill(vector)],
    body: repeatWhile(
      [
        ...set(block, get(w)),
        ...set(done, i32.constant(0)),
        ...repeatWhile(
          [
            ...set(wide, i32.atMost(i32.add(get(done), i32.constant(32)), get(outputs))),
            ...set(xs, get(x)),
            ...set(ys, i32.add(get(y), get(done))),
            ...doTimes(line, get(lines), [...eachTile, ...advance(xs, get(lineX)), ...advance(ys, get(lineY))]),
            ...advance(block, i32.mul(get(rows), i32.shiftLeft(get(bytes), i32.constant(3)))),
            ...advance(done, i32.constant(32)),
          ],
          i32.lessThan(get(done), get(outputs)),
        ),
        ...advance(x, get(imageX)),
        ...advance(y, get(imageY)),
        ...set(images, i32.sub(get(images), i32.constant(1))),
      ],
      get(images),
    ),
  };
};

/**
 * `sums[o, r, e] += Σ_n Σ_l Σ_p y[n, l, p, o] x[n, l, p, r, e]`: the adjoint of {@link convolveWindows} in the filters, of four outputs at a
 * time, `[blocks, r, e / 8, 4, 8]`; what the sums of elements beyond the run or outputs beyond the last are is not said.
 *
 * Operands, in this order: x, y, sums; the geometry, with a multiple of 32 as the run's bytes; lines that are gone over at once; blocks
 * of four outputs.
 *
 * @param fused - whether a product is added by the instruction that makes it
 */
export const correlateWindows = (fused: boolean): FunctionCode => {
  const [x, y, sums, atOnce, blocks] = [0, 1, 2, 15, 16];
  const [bytes, rows, stepRow, places, stepX, stepY, lines, lineX, lineY, images, imageX, imageY] = geometryFrom(3);
  const [left, xs, ys, group, block, yb, at, row, xr, run, past, xl, yl, line, px, py, pastX] = Array.from(
    { length: 17 },
    (_, i) => 17 + i,
  );
  const [b0, b1, v, ...held] = Array.from({ length: 11 }, (_, i) => 34 + i);
  const tile = sumsFrom(held[0]);

  const inner: Code = repeatWhile(
    [
      ...set(b0, v128.load(get(px), 0)),
      ...set(b1, v128.load(get(px), 16)),
      ...tile.flatMap(([first, second], i) => [
        ...set(v, v128.loadSplat(get(py), 4 * i)),
        ...set(first, plus(fused, first, v, b0)),
        ...set(second, plus(fused, second, v, b1)),
      ]),
      ...advance(px, get(stepX)),
      ...advance(py, get(stepY)),
    ],
    i32.lessThan(get(px), get(pastX)),
  );

  const eachRun: Code = [
    ...tile.flat().flatMap((sum) => set(sum, f32x4.constant(0))),
    ...set(xl, get(run)),
    ...set(yl, get(yb)),
    ...doTimes(line, get(group), [
      ...set(px, get(xl)),
      ...set(py, get(yl)),
      ...set(pastX, i32.add(get(xl), i32.mul(get(places), get(stepX)))),
      ...inner,
      ...advance(xl, get(lineX)),
      ...advance(yl, get(lineY)),
    ]),
    ...tile.flat().flatMap((sum, i) => v128.store(get(at), 16 * i, f32x4.add(v128.load(get(at), 16 * i), get(sum)))),
    ...advance(at, i32.constant(128)),
  ];

  const eachGroup: Code = [
    ...set(group, get(left)),
    ...when(i32.lessThan(get(atOnce), get(left)), set(group, get(atOnce))),
    ...set(at, get(sums)),
    ...set(yb, get(ys)),
    ...doTimes(block, get(blocks), [
      ...set(xr, get(xs)),
      ...doTimes(row, get(rows), [
        ...set(run, get(xr)),
        ...set(past, i32.add(get(xr), get(bytes))),
        ...repeatWhile([...eachRun, ...advance(run, i32.constant(32))], i32.lessThan(get(run), get(past))),
        ...advance(xr, get(stepRow)),
      ]),
      ...advance(yb, i32.constant(16)),
    ]),
    ...advance(xs, i32.mul(get(lineX), get(group))),
    ...advance(ys, i32.mul(get(lineY), get(group))),
    ...set(left, i32.sub(get(left), get(group))),
  ];

  return {
    name: 'correlateWindows',
    parameters: parametersOf(17),
    results: [],
    locals: [...parametersOf(17), ...new Array<typeof vector>(11).fill(vector)],
    body: repeatWhile(
      [
        ...set(left, get(lines)),
        ...set(xs, get(x)),
        ...set(ys, get(y)),
        ...repeatWhile(eachGroup, get(left)),
        ...advance(x, get(imageX)),
        ...advance(y, get(imageY)),
        ...set(images, i32.sub(get(images), i32.constant(1))),
      ],
      get(images),
    ),
  };
};
