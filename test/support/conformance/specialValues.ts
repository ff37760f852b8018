/**
 * Values where formulas break: zeros of both signs, the far tails, infinities, NaN.
 *
 * @module
 */
import type { Backend } from '../../../src/core/backends/backend.ts';
import type { BinaryKind } from '../../../src/core/ops/primitives.ts';
import { unaryKinds } from '../../../src/core/ops/primitives.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import type { Tolerance, Trial } from './trial.ts';
import { complaint, faultOf, inPrecision, numberOf, readFrom, reference, smallestNormal } from './trial.ts';

/** Arguments of any elementwise function. */
const anywhere: ReadonlyArray<number> = [
  ...[0, 1e-8, 1e-4, 0.25, 0.5, 0.7, 0.9, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 80].flatMap((x) => [
    x,
    -x,
  ]),
  ...[100, 1000, 1e10, 1e-30, 1e-37, 1e-40, Infinity].flatMap((x) => [x, -x]),
  NaN,
];

const nearOne: ReadonlyArray<number> = [1 - 1e-6, 1 + 1e-6, 1 + 2 ** -20, 0.999];

/** Rounded to the precision: what is beyond its range is infinite. */
const representable = (x: Tensor, dtype: 'f32' | 'f64'): Tensor => inPrecision(x, dtype);

/** Every unary function is accurate relative to its value, on both tails and near its zeros. */
export const unarySpecialValues = <T extends Shaped>(subject: () => Backend<T>, tolerance: Tolerance): void => {
  it.each(unaryKinds)(
    'law: accuracy of %s. |f̂(x) − f(x)| ≤ c ε |f(x)| on tails, near zeros, at infinities and NaN',
    async (kind) => {
      const backend = subject();
      const points = [...anywhere, ...(kind === 'log' ? nearOne : [])];
      const x = inPrecision(tensor(points, [points.length]), backend.dtype);
      const defined = representable(reference.unary(kind, reference.constant(x)), backend.dtype);
      const actual = await readFrom(backend, backend.ops.unary(kind, backend.ops.constant(x)));
      const tiny = smallestNormal[backend.dtype];
      const atZero = representable(reference.unary(kind, numberOf(0)), backend.dtype).data[0];
      // Where an argument is too small to be normal it may count as 0, and then the result is that of 0.
      const isZero = (i: number): boolean => Math.abs(x.data[i]) < tiny && Math.abs(actual.data[i] - atZero) <= tiny;
      const isInfinite = (i: number): boolean => Math.abs(x.data[i]) < tiny && actual.data[i] === atZero;
      const expected = generate(
        defined.shape,
        (i) => (isZero(i) || isInfinite(i) ? actual.data[i] : defined.data[i]),
        backend.dtype,
      );
      const bound = (i: number): number => tolerance.elementary * tolerance.epsilon * Math.abs(expected.data[i]) + tiny;
      expect(complaint(actual, expected, bound)).toBe('');
    },
  );
};

const pairs: ReadonlyArray<readonly [number, number]> = [
  [1, 0],
  [-1, 0],
  [0, 0],
  [Infinity, 1],
  [1, -Infinity],
  [Infinity, Infinity],
  [Infinity, -Infinity],
  [0, Infinity],
  [NaN, 1],
  [1, NaN],
  [NaN, NaN],
  [NaN, Infinity],
  [-Infinity, NaN],
];

const binaryKinds: ReadonlyArray<BinaryKind> = ['add', 'sub', 'mul', 'div', 'max', 'min', 'greater', 'equal'];

/** A row that is masked throughout, and one that is in part. */
const masked = tensor([-Infinity, -Infinity, -Infinity, 0, -Infinity, 1], [2, 3]);

const [nan, plain] = [tensor([1, NaN, 0, -1, 2, 3], [2, 3]), tensor([1, 0, 0, -1, 2, 3], [2, 3])];
const plainRow = tensor([1, 0, 2], [1, 3]);
const zeroRow = tensor([0, 0, 0], [1, 3]);

const trial = (label: string, operands: ReadonlyArray<Tensor>, run: Trial['run']): Trial => ({
  label,
  operands,
  run,
  error: (_, y) => reference.scale(20, reference.abs(y)),
});

/** Programs where one NaN or infinity must show in the result wherever the definition puts it. */
const propagation: ReadonlyArray<Trial> = [
  ...binaryKinds.map((kind) =>
    trial(
      `binary ${kind}`,
      [
        tensor(
          pairs.map(([a]) => a),
          [pairs.length],
        ),
        tensor(
          pairs.map(([, b]) => b),
          [pairs.length],
        ),
      ],
      (ops, [a, b]) => ops.binary(kind, a, b),
    ),
  ),
  trial('matmul: NaN times 0', [nan, zeroRow], (ops, [a, b]) => ops.matmul(a, b, { transposeB: true })),
  trial('matmul: NaN on the right', [plain, nan], (ops, [a, b]) => ops.matmul(a, b, { transposeB: true })),
  trial('affine: NaN in x', [nan, zeroRow, tensor([1], [1])], (ops, [x, w, b]) => ops.affine(x, w, b)),
  trial('affine: NaN in the bias', [plain, plainRow, tensor([NaN], [1])], (ops, [x, w, b]) => ops.affine(x, w, b)),
  trial('gram', [nan], (ops, [x]) => ops.gram(x)),
  trial('sum', [nan], (ops, [x]) => ops.sum(x, [1])),
  trial('max along rows', [nan], (ops, [x]) => ops.max(x, [1])),
  trial('max along columns', [nan], (ops, [x]) => ops.max(x, [0])),
  trial('max of NaN first', [tensor([NaN, 1, 2], [3])], (ops, [x]) => ops.max(x, [0])),
  trial('max of NaN last', [tensor([1, 2, NaN], [3])], (ops, [x]) => ops.max(x, [0])),
  trial('max of −∞', [tensor([-Infinity, -Infinity], [2])], (ops, [x]) => ops.max(x, [0])),
  trial('max of nothing is −∞', [tensor([], [2, 0])], (ops, [x]) => ops.max(x, [1])),
  trial('sum of nothing is 0', [tensor([], [2, 0])], (ops, [x]) => ops.sum(x, [1])),
  trial('matmul over nothing is 0', [tensor([], [2, 0]), tensor([], [0, 3])], (ops, [a, b]) => ops.matmul(a, b)),
  trial('gram of no rows is 0', [tensor([], [0, 3])], (ops, [x]) => ops.gram(x)),
  trial(
    'affine over nothing is the bias',
    [tensor([], [2, 0]), tensor([], [1, 0]), tensor([5], [1])],
    (ops, [x, w, b]) => ops.affine(x, w, b),
  ),
  trial('dot', [nan, plain], (ops, [a, b]) => ops.dot(a, b)),
  trial('dots', [nan, plain], (ops, [a, b]) => ops.dots([b, a], [b, b])),
  trial('dots of nothing', [], (ops) => ops.dots([], [])),
  trial('mean', [nan], (ops, [x]) => ops.mean(x, [1])),
  trial('trace of a matrix with NaN off its diagonal', [tensor([1, NaN, 0, 1], [2, 2])], (ops, [m]) => ops.trace(m)),
  trial('softmax', [nan], (ops, [x]) => ops.softmax(x)),
  trial('logSumExp', [nan], (ops, [x]) => ops.logSumExp(x)),
  trial('logSumExp of −∞ only is −∞', [masked], (ops, [x]) => ops.logSumExp(x)),
  trial('softmax of −∞ only is 0', [masked], (ops, [x]) => ops.softmax(x)),
  trial('logSoftmax of −∞ only is −∞', [masked], (ops, [x]) => ops.logSoftmax(x)),
  trial('logSumExp of nothing is −∞', [tensor([], [2, 0])], (ops, [x]) => ops.logSumExp(x)),
  trial('softmax with a masked class', [tensor([1, -Infinity, 2], [1, 3])], (ops, [x]) => ops.softmax(x)),
  trial('select drops what it does not choose', [plain, nan, plain], (ops, [c, a, b]) => ops.select(c, a, b)),
  trial('scatterAdd', [tensor([0, 0], [2], 'i32'), nan], (ops, [i, u]) => ops.scatterAdd(i, u, 2)),
  trial('gather', [nan, tensor([1, 0, 0], [3], 'i32')], (ops, [x, i]) => ops.gather(x, i)),
  trial('relu, by its VJP, passes NaN of the cotangent where it is open', [plain, nan], (ops, [x, g]) =>
    ops.unaryVjp('relu', x, ops.relu(x), g),
  ),
];

/** One NaN or infinity shows wherever the definition puts it, and empty operands give the neutral element. */
export const propagationOfSpecialValues = <T extends Shaped>(subject: () => Backend<T>, tolerance: Tolerance): void => {
  it.each(propagation.map((t) => [t.label, t] as const))('propagates as defined: %s', async (_, t) => {
    expect(await faultOf(subject(), tolerance, t)).toBe('');
  });
};
