/**
 * Operands that do not fit: every primitive refuses them at once, and says which operation and which shapes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { attempt } from '../../../src/core/errors.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Primitives } from '../../../src/core/ops/primitives.ts';
import type { Window } from '../../../src/core/ops/window.ts';
import type { Shape, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate, showShape } from '../../../src/core/tensor.ts';

const window: Window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] };

interface Misfit {
  readonly operation: keyof Primitives<Tensor>;
  /** The name that the error gives, where it is another. */
  readonly where?: string;
  readonly shapes: ReadonlyArray<Shape>;
  readonly run: <T extends Shaped>(ops: Ops<T>, operands: ReadonlyArray<T>) => T;
}

const misfits: ReadonlyArray<Misfit> = [
  {
    operation: 'matmul',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    run: (ops, [a, b]) => ops.matmul(a, b),
  },
  {
    operation: 'matmul',
    shapes: [
      [2, 3],
      [3, 2],
    ],
    run: (ops, [a, b]) => ops.matmul(a, b, { transposeA: true }),
  },
  {
    operation: 'matmul',
    shapes: [
      [2, 2, 3],
      [3, 3, 2],
    ],
    run: (ops, [a, b]) => ops.matmul(a, b),
  },
  {
    operation: 'matmul',
    shapes: [
      [2, 3],
      [2, 3, 2],
    ],
    run: (ops, [a, b]) => ops.matmul(a, b),
  },
  { operation: 'matmul', shapes: [[3], [3]], run: (ops, [a, b]) => ops.matmul(a, b) },
  {
    operation: 'affine',
    shapes: [
      [4, 3],
      [2, 4],
    ],
    run: (ops, [x, w]) => ops.affine(x, w, null),
  },
  { operation: 'affine', shapes: [[4, 3], [2, 3], [3]], run: (ops, [x, w, b]) => ops.affine(x, w, b) },
  { operation: 'gram', shapes: [[3]], run: (ops, [x]) => ops.gram(x) },
  {
    operation: 'binary',
    where: 'add',
    shapes: [
      [2, 3],
      [2, 4],
    ],
    run: (ops, [a, b]) => ops.binary('add', a, b),
  },
  { operation: 'binary', where: 'greater', shapes: [[2], [3]], run: (ops, [a, b]) => ops.binary('greater', a, b) },
  { operation: 'select', shapes: [[2], [3]], run: (ops, [a, b]) => ops.select(a, a, b) },
  { operation: 'select', shapes: [[2], [3]], run: (ops, [c, a]) => ops.select(c, a, a) },
  { operation: 'sum', shapes: [[2, 3]], run: (ops, [x]) => ops.sum(x, [2]) },
  { operation: 'sum', shapes: [[2, 3]], run: (ops, [x]) => ops.sum(x, [0, 0]) },
  { operation: 'max', shapes: [[2, 3]], run: (ops, [x]) => ops.max(x, [-1]) },
  { operation: 'reshape', shapes: [[2, 3]], run: (ops, [x]) => ops.reshape(x, [5]) },
  { operation: 'transpose', shapes: [[2, 3]], run: (ops, [x]) => ops.transpose(x, [0]) },
  { operation: 'transpose', shapes: [[2, 3]], run: (ops, [x]) => ops.transpose(x, [1, 1]) },
  { operation: 'broadcastTo', shapes: [[2, 3]], run: (ops, [x]) => ops.broadcastTo(x, [2, 1]) },
  { operation: 'broadcastTo', shapes: [[2, 3]], run: (ops, [x]) => ops.broadcastTo(x, [3]) },
  {
    operation: 'concat',
    shapes: [
      [2, 3],
      [2, 4],
    ],
    run: (ops, xs) => ops.concat(xs, 0),
  },
  { operation: 'concat', shapes: [[2, 3]], run: (ops, xs) => ops.concat(xs, 2) },
  { operation: 'slice', shapes: [[2, 3]], run: (ops, [x]) => ops.slice(x, [1, 0], [2, 3]) },
  { operation: 'slice', shapes: [[2, 3]], run: (ops, [x]) => ops.slice(x, [1], [1]) },
  { operation: 'slice', shapes: [[2, 3]], run: (ops, [x]) => ops.slice(x, [1, 1], [-1, 1]) },
  { operation: 'pad', shapes: [[2, 3]], run: (ops, [x]) => ops.pad(x, [1, 0], [2, 3]) },
  { operation: 'gather', shapes: [[]], run: (ops, [x]) => ops.gather(x, ops.constant(generate([2], () => 0, 'i32'))) },
  {
    operation: 'scatterAdd',
    shapes: [[3], [2, 4]],
    run: (ops, [, u]) => ops.scatterAdd(ops.constant(generate([3], () => 0, 'i32')), u, 5),
  },
  ...[[-1], [2.5], [NaN], [-2, -3]].map((shape): Misfit => ({
    operation: 'full',
    shapes: [],
    run: (ops) => ops.full(shape, 1),
  })),
  {
    operation: 'convolve',
    shapes: [
      [1, 2, 9, 1],
      [2, 9],
    ],
    run: (ops, [x, w]) => ops.convolve(x, w, window),
  },
  {
    operation: 'convolve',
    shapes: [
      [1, 4, 4, 4],
      [3, 18],
    ],
    run: (ops, [x, w]) => ops.convolve(x, w, window),
  },
  {
    operation: 'convolve',
    shapes: [
      [1, 4, 4, 4],
      [3, 24],
    ],
    run: (ops, [x, w]) => ops.convolve(x, w, window),
  },
  {
    operation: 'convolveTransposed',
    shapes: [
      [1, 2, 2, 2],
      [2, 9],
    ],
    run: (ops, [y, w]) => ops.convolveTransposed(y, w, window, [1, 5, 4, 1]),
  },
  {
    operation: 'correlate',
    shapes: [
      [1, 4, 4, 1],
      [1, 3, 2, 2],
    ],
    run: (ops, [x, y]) => ops.correlate(x, y, window, 1),
  },
  {
    operation: 'correlate',
    shapes: [
      [1, 4, 4, 3],
      [1, 2, 2, 2],
    ],
    run: (ops, [x, y]) => ops.correlate(x, y, window, 2),
  },
  {
    operation: 'constant',
    shapes: [],
    run: (ops) => ops.constant({ shape: [1000, 1000], dtype: 'f32', data: new Float32Array(0) }),
  },
  {
    operation: 'constant',
    shapes: [],
    run: (ops) => ops.constant({ shape: [2], dtype: 'f64', data: new Float64Array(3) }),
  },
  {
    operation: 'constant',
    shapes: [],
    run: (ops) => ops.constant({ shape: [-2, -3], dtype: 'f64', data: new Float64Array(6) }),
  },
  { operation: 'reshape', shapes: [], run: (ops) => ops.reshape(ops.full([2, 3], 1), [-2, -3]) },
  { operation: 'reshape', shapes: [], run: (ops) => ops.reshape(ops.full([2, 3], 1), [2.5, 2.4]) },
  { operation: 'broadcastTo', shapes: [], run: (ops) => ops.broadcastTo(ops.full([1], 1), [2.5]) },
  { operation: 'broadcastTo', shapes: [], run: (ops) => ops.broadcastTo(ops.full([1], 1), [-2]) },
  { operation: 'concat', shapes: [[2, 3]], run: (ops, xs) => ops.concat(xs, 0.5) },
  { operation: 'slice', shapes: [[4]], run: (ops, [x]) => ops.slice(x, [0.5], [2]) },
  { operation: 'slice', shapes: [[4]], run: (ops, [x]) => ops.slice(x, [0], [1.5]) },
  { operation: 'pad', shapes: [[4]], run: (ops, [x]) => ops.pad(x, [0.5], [6]) },
  { operation: 'pad', shapes: [], run: (ops) => ops.pad(ops.full([4], 1), [0], [6.5]) },
  {
    operation: 'scatterAdd',
    shapes: [],
    run: (ops) => ops.scatterAdd(ops.constant(generate([3], () => 0, 'i32')), ops.full([3, 4], 1), -1),
  },
  { operation: 'patches', shapes: [[1, 2, 2, 1]], run: (ops, [x]) => ops.patches(x, window) },
  { operation: 'patches', shapes: [[4, 4, 1]], run: (ops, [x]) => ops.patches(x, window) },
  { operation: 'unpatches', shapes: [[1, 1, 1, 8]], run: (ops, [x]) => ops.unpatches(x, window, [1, 3, 3, 1]) },
  { operation: 'unpatches', shapes: [[1, 1, 1, 9]], run: (ops, [x]) => ops.unpatches(x, window, [1, 2, 2, 1]) },
];

/** The primitives that take any operands. */
export const totalPrimitives: ReadonlyArray<string> = ['unary', 'stopGradient', 'keep', 'site'];

/** The primitives that refuse something. */
export const partialPrimitives: ReadonlySet<string> = new Set(misfits.map(({ operation }) => operation));

/** Every misfit raises `ShapeMismatch` with the name of the operation and the shapes of its operands. */
export const refusalOfMisfits = <T extends Shaped>(subject: () => Backend<T>): void => {
  const rows = misfits.map((misfit) => [misfit.operation, misfit.shapes.map(showShape).join(' and '), misfit] as const);
  it.each(rows)('%s refuses %s and says so', (operation, shown, { where = operation, shapes, run }) => {
    const { ops } = subject();
    const operands = shapes.map((shape) => ops.full(shape, 1));
    const result = attempt(() => run(ops, operands));
    expect(result).toMatchObject(E.left({ _tag: 'ShapeMismatch', where }));
    if (E.isLeft(result) && result.left._tag === 'ShapeMismatch') expect(result.left.actual).toContain(shown);
  });
};
