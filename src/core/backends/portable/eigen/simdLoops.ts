/**
 * The loops of the eigendecomposition as a WebAssembly module, two 64-bit floats at a time.
 *
 * @module
 */
import type { EigenLoops } from './loops.ts';
import { panelRows, places } from './loops.ts';

import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { assemble, f64, f64x2, i32, local, repeatWhile, v128, valueType } from '../../webAssembly/assembler.ts';
import type { WithMemory } from '../../webAssembly/growing.ts';
import { growing } from '../../webAssembly/growing.ts';

const { get, set } = local;
const { add, sub, mul, splat } = f64x2;
const { i32: integer, f64: float, v128: pair } = valueType;

const advance = (index: number, bytes: number): Code => set(index, i32.add(get(index), i32.constant(bytes)));

/** Elements of a vector at a place, at the offset in a local. */
const load = (at: number, place: number): Code => v128.load(get(at), 8 * place);
const store = (at: number, place: number, value: Code): Code => v128.store(get(at), 8 * place, value);

const reflect = (): FunctionCode => {
  const [row, end, vi, wi, ui, at, sum, a, x, y, z] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  return {
    name: 'reflect',
    parameters: [integer, integer, float, float, float],
    results: [float],
    locals: [integer, pair, pair, pair, pair, pair],
    body: [
      ...set(x, splat(get(vi))),
      ...set(y, splat(get(wi))),
      ...set(z, splat(get(ui))),
      ...repeatWhile(
        [
          ...set(a, sub(sub(load(row, 0), mul(get(x), load(at, places.w))), mul(get(y), load(at, places.v)))),
          ...store(row, 0, get(a)),
          ...store(at, places.p, add(load(at, places.p), mul(get(z), get(a)))),
          ...set(sum, add(get(sum), mul(get(a), load(at, places.u)))),
          ...advance(row, 16),
          ...advance(at, 16),
        ],
        i32.lessThan(get(at), get(end)),
      ),
      ...f64.add(f64x2.lane(get(sum), 0), f64x2.lane(get(sum), 1)),
    ],
  };
};

const accumulate = (): FunctionCode => {
  const [row, end, c, d, at, a, x, y] = [0, 1, 2, 3, 4, 5, 6, 7];
  return {
    name: 'accumulate',
    parameters: [integer, integer, float, float],
    results: [],
    locals: [integer, pair, pair, pair],
    body: [
      ...set(x, splat(get(c))),
      ...set(y, splat(get(d))),
      ...repeatWhile(
        [
          ...set(a, sub(load(row, 0), mul(get(x), load(at, places.v)))),
          ...store(row, 0, get(a)),
          ...store(at, places.w, add(load(at, places.w), mul(get(y), get(a)))),
          ...advance(row, 16),
          ...advance(at, 16),
        ],
        i32.lessThan(get(at), get(end)),
      ),
    ],
  };
};

const rotate = (): FunctionCode => {
  const [column, at, end, c, s, z] = [0, 1, 2, 3, 4, 5];
  const width = 8 * panelRows;
  const carried = Array.from({ length: panelRows / 2 }, (_, q) => ({ local: 6 + q, offset: 16 * q }));
  return {
    name: 'rotate',
    parameters: [integer, integer, integer],
    results: [],
    locals: [pair, pair, pair, ...carried.map(() => pair)],
    body: [
      ...carried.flatMap(({ local: q, offset }) => set(q, v128.load(get(column), width + offset))),
      ...repeatWhile(
        [
          ...set(c, f64x2.loadSplat(get(at), 8 * places.rotations)),
          ...set(s, f64x2.loadSplat(get(at), 8 * places.rotations + 8)),
          ...carried.flatMap(({ local: q, offset }) => [
            ...set(z, v128.load(get(column), offset)),
            ...v128.store(get(column), width + offset, add(mul(get(s), get(z)), mul(get(c), get(q)))),
            ...set(q, sub(mul(get(c), get(z)), mul(get(s), get(q)))),
          ]),
          ...advance(column, -width),
          ...advance(at, 16),
        ],
        i32.lessThan(get(at), get(end)),
      ),
      ...carried.flatMap(({ local: q, offset }) => v128.store(get(column), width + offset, get(q))),
    ],
  };
};

/** The binary of the module. */
const eigenModuleBytes = (): Uint8Array => assemble(1, [reflect(), accumulate(), rotate()]);

interface Exports extends WithMemory {
  readonly reflect: (row: number, end: number, vi: number, wi: number, ui: number) => number;
  readonly accumulate: (row: number, end: number, c: number, d: number) => void;
  readonly rotate: (column: number, at: number, end: number) => void;
}

/** Loops on WebAssembly, with room for some elements, which have arbitrary contents; `null` where they cannot be had. */
export const eigenLoops: (length: number) => EigenLoops | null = growing(
  eigenModuleBytes,
  ({ memory, reflect: reflectRow, accumulate: accumulateRow, rotate: rotatePanel }: Exports): EigenLoops => ({
    data: new Float64Array(memory.buffer),
    reflect: (row, n, vi, wi, ui) => reflectRow(8 * row, 8 * n, vi, wi, ui),
    accumulate: (row, n, c, d) => accumulateRow(8 * row, 8 * n, c, d),
    rotate: (panel, top, first, count) => rotatePanel(8 * (panel + panelRows * top), 16 * first, 16 * (first + count)),
  }),
);
