/**
 * The spread interpreter: the array language on arrays that several ranks have together.
 *
 * A program that is written for one process runs on many of them as it is. Batches enter in shards; sums over examples become sums
 * over ranks, which stay apart as long as all that is done to them is linear, and are added up by the first operation that
 * needs their value. So a moving average of statistics sends nothing before an inverse is made of it, and numbers on which steps
 * decide are the same on every rank, for they are read from whole arrays.
 *
 * @module
 */
import { completeOps } from '../../ops/complete.ts';
import type { Derived, Ops } from '../../ops/ops.ts';
import type { BinaryKind, Primitives } from '../../ops/primitives.ts';
import {
  affineShape,
  axesOf,
  broadcastShape,
  convolutionExtents,
  convolveTransposedExtents,
  correlateShape,
  gramShape,
  matmulShape,
  patchesShape,
  reducedShape,
  unpatchesShape,
} from '../../ops/shapes.ts';
import type { DType, Shape, Tensor } from '../../tensor.ts';
import { checkShape, checkTensor, sizeOf } from '../../tensor.ts';
import type { Names } from './apply.ts';
import { apply, combinedSums, linearly } from './apply.ts';
import type { Spread } from './array.ts';
import { placeOf } from './array.ts';
import { alignedNames, axisNames, movement } from './movement.ts';
import type { Workshop } from './workshop.ts';
import { addUp, beginAddingUp } from './addUp.ts';
import { beginWhole, spread, wholeOf } from './workshop.ts';

type Run = (ops: Ops<Tensor>, operands: ReadonlyArray<Tensor>, shape: Shape) => Tensor;

/** Elementwise operations of any number of operands that broadcast together. */
const elementwise =
  (shop: Workshop) =>
  (shape: Shape, operands: ReadonlyArray<Spread>, run: Run): Spread =>
    apply(shop, {
      operands: operands.map((x) => [x, alignedNames(x.shape, shape)]),
      names: axisNames('', shape.length),
      shape,
      run,
    });

/** The first axis counts examples, and nothing else is cut. */
const byExamples = ({ shape }: { readonly shape: Shape }): Names => shape.map((_, axis) => (axis === 0 ? 'n' : ''));

const uncut = (shape: Shape): Names => shape.map(() => '');

const isScalar = ({ shape }: Spread): boolean => sizeOf(shape) === 1;

/**
 * Products of this many multiplications and more are shared out where every rank could do them alone, if an element takes this many
 * terms: the time of a message, in which the parts come together, is some hundred multiplications for each element.
 */
const [dearest, fewestTerms] = [2 ** 24, 2 ** 8];

/** Products of all kinds: what examples meet parameters in. */
const products = (
  shop: Workshop,
): Pick<
  Primitives<Spread>,
  'matmul' | 'affine' | 'gram' | 'patches' | 'unpatches' | 'convolve' | 'convolveTransposed' | 'correlate'
> => ({
  matmul: (a, b, transposes = {}) => {
    const shape = matmulShape(a.shape, b.shape, transposes);
    const batch = shape.length === 3 ? ['b'] : [];
    const terms = a.shape[a.shape.length - (transposes.transposeA === true ? 2 : 1)];
    return apply(shop, {
      ...(terms >= fewestTerms && sizeOf(shape) * terms >= dearest ? { shared: 'm' } : {}),
      operands: [
        [a, [...batch, ...(transposes.transposeA === true ? ['k', 'm'] : ['m', 'k'])]],
        [b, [...batch, ...(transposes.transposeB === true ? ['n', 'k'] : ['k', 'n'])]],
      ],
      names: [...batch, 'm', 'n'],
      shape,
      run: (ops, [x, y]) => ops.matmul(x, y, transposes),
    });
  },
  affine: (x, weight, bias) =>
    apply(shop, {
      // With the bias in it, this is no product along the inputs.
      operands: [[x, ['n', '']], [weight, ['o', '']], ...(bias === null ? [] : [[bias, ['o']] as const])],
      names: ['n', 'o'],
      shape: affineShape(x.shape, weight.shape, bias === null ? null : bias.shape),
      run: (ops, operands) => ops.affine(operands[0], operands[1], operands.length > 2 ? operands[2] : null),
    }),
  gram: (x) =>
    apply(shop, {
      operands: [[x, ['n', '']]],
      names: ['', ''],
      shape: gramShape(x.shape),
      isSymmetric: true,
      run: (ops, [a]) => ops.gram(a),
    }),
  patches: (images, window) => {
    const shape = patchesShape(images.shape, window);
    return apply(shop, {
      operands: [[images, byExamples(images)]],
      names: byExamples({ shape }),
      shape,
      run: (ops, [a]) => ops.patches(a, window),
    });
  },
  unpatches: (columns, window, shape) =>
    apply(shop, {
      operands: [[columns, byExamples(columns)]],
      names: byExamples({ shape }),
      shape: unpatchesShape(columns.shape, window, shape),
      run: (ops, [a], extents) => ops.unpatches(a, window, extents),
    }),
  convolve: (images, filters, window) => {
    const shape = convolutionExtents(images.shape, filters.shape, window).outputs;
    return apply(shop, {
      operands: [
        [images, byExamples(images)],
        [filters, uncut(filters.shape)],
      ],
      names: byExamples({ shape }),
      shape,
      run: (ops, [a, b]) => ops.convolve(a, b, window),
    });
  },
  convolveTransposed: (outputs, filters, window, shape) => {
    convolveTransposedExtents(outputs.shape, filters.shape, window, shape);
    return apply(shop, {
      operands: [
        [outputs, byExamples(outputs)],
        [filters, uncut(filters.shape)],
      ],
      names: byExamples({ shape }),
      shape,
      run: (ops, [a, b], extents) => ops.convolveTransposed(a, b, window, extents),
    });
  },
  correlate: (images, outputs, window, groups) => {
    const shape = correlateShape(images.shape, outputs.shape, window, groups);
    return apply(shop, {
      operands: [
        [images, byExamples(images)],
        [outputs, byExamples(outputs)],
      ],
      names: uncut(shape),
      shape,
      run: (ops, [a, b]) => ops.correlate(a, b, window, groups),
    });
  },
});

/** Elementwise primitives, which know what is linear. */
const pointwise = (shop: Workshop): Pick<Primitives<Spread>, 'unary' | 'binary' | 'select' | 'sum' | 'max'> => {
  const each = elementwise(shop);
  /** x ∘ c or x / c for one number c and a sum x. */
  const scaledSum = (kind: BinaryKind, a: Spread, b: Spread, shape: Shape): Spread | null => {
    const [x, c] = kind === 'mul' && isScalar(a) && placeOf(a).kind !== 'sum' ? [b, a] : [a, b];
    const isNumber = isScalar(c) && ['given', 'whole'].includes(placeOf(c).kind);
    return (kind === 'mul' || kind === 'div') && isNumber && x.shape.length === shape.length
      ? linearly(shop, x, shape, (ops, part) => ops.binary(kind, part, wholeOf(shop, c)), true)
      : null;
  };
  return {
    unary: (kind, x) =>
      (kind === 'neg' ? linearly(shop, x, x.shape, (ops, part) => ops.neg(part), true) : null) ??
      each(x.shape, [x], (ops, [a]) => ops.unary(kind, a)),
    binary: (kind, a, b) => {
      const shape = broadcastShape(kind, a.shape, b.shape);
      const combined =
        kind === 'add' || kind === 'sub'
          ? combinedSums(
              shop,
              a,
              b,
              (ops, x, y) => ops.binary(kind, x, y),
              (_, x) => x,
              (ops, y) => (kind === 'add' ? y : ops.neg(y)),
            )
          : scaledSum(kind, a, b, shape);
      return combined ?? each(shape, [a, b], (ops, [x, y]) => ops.binary(kind, x, y));
    },
    select: (condition, a, b) => {
      const shape = broadcastShape('select', condition.shape, broadcastShape('select', a.shape, b.shape));
      return each(shape, [condition, a, b], (ops, [c, x, y]) => ops.select(c, x, y));
    },
    sum: (x, axes) => {
      const shape = reducedShape('sum', x.shape, axes);
      return (
        linearly(shop, x, shape, (ops, part) => ops.sum(part, axes)) ??
        apply(shop, {
          operands: [[x, axisNames('', x.shape.length)]],
          names: axesOf(x.shape).flatMap((axis) => (axes.includes(axis) ? [] : [`${axis}`])),
          shape,
          run: (ops, [a]) => ops.sum(a, axes),
        })
      );
    },
    max: (x, axes) => {
      const kept = axesOf(x.shape).map((axis) => (axes.includes(axis) ? '' : `${axis}`));
      return apply(shop, {
        operands: [[x, kept]],
        names: kept.filter((name) => name !== ''),
        shape: reducedShape('max', x.shape, axes),
        run: (ops, [a]) => ops.max(a, axes),
      });
    },
  };
};

/** Derived operations that a rank's own interpreter has faster than by their definitions. */
const fused = (shop: Workshop, within: Derived<Spread>['within']): Partial<Derived<Spread>> => {
  const each = elementwise(shop);
  const together = (where: string, x: Spread, y: Spread, run: Run): Spread =>
    each(broadcastShape(where, x.shape, y.shape), [x, y], run);
  /** Over the last axis, which is never cut. */
  const overLast = (x: Spread, run: (ops: Ops<Tensor>, a: Tensor) => Tensor, drops = false): Spread => {
    const names = x.shape.map((_, axis) => (axis === x.shape.length - 1 ? '' : `${axis}`));
    return apply(shop, {
      operands: [[x, names]],
      names: drops ? names.slice(0, -1) : names,
      shape: drops ? x.shape.slice(0, -1) : x.shape,
      run: (ops, [a]) => run(ops, a),
    });
  };
  return {
    within,
    whole: (arrays) => {
      beginWhole(shop, arrays);
      return arrays;
    },
    addedUp: (arrays) => {
      addUp(shop, arrays);
      return arrays;
    },
    addingUp: (arrays) => {
      beginAddingUp(shop, arrays);
      return arrays;
    },
    scale: (c, x) =>
      linearly(shop, x, x.shape, (ops, part) => ops.scale(c, part), true) ??
      each(x.shape, [x], (ops, [a]) => ops.scale(c, a)),
    linearCombination: (a, x, b, y) =>
      combinedSums(
        shop,
        x,
        y,
        (ops, p, q) => ops.linearCombination(a, p, b, q),
        (ops, p) => ops.scale(a, p),
        (ops, q) => ops.scale(b, q),
      ) ?? together('add', x, y, (ops, [p, q]) => ops.linearCombination(a, p, b, q)),
    combineWithSquare: (a, x, b, y) => together('add', x, y, (ops, [p, q]) => ops.combineWithSquare(a, p, b, q)),
    overRoot: (x, c, y, d) => together('div', x, y, (ops, [p, q]) => ops.overRoot(p, c, q, d)),
    sigmoidMinus: (x, y) => together('sub', x, y, (ops, [p, q]) => ops.sigmoidMinus(p, q)),
    sigmoidCrossEntropy: (x, y) => together('sub', x, y, (ops, [p, q]) => ops.sigmoidCrossEntropy(p, q)),
    unaryVjp: (kind, x, y, cotangent) =>
      each(
        broadcastShape('mul', cotangent.shape, broadcastShape('mul', x.shape, y.shape)),
        [x, y, cotangent],
        (ops, [p, q, g]) => ops.unaryVjp(kind, p, q, g),
      ),
    addDiagonal: (m, c) =>
      apply(shop, {
        operands: [[m, uncut(m.shape)]],
        names: uncut(m.shape),
        shape: m.shape,
        run: (ops, [a]) => ops.addDiagonal(a, c),
      }),
    trace: (m) =>
      linearly(shop, m, [], (ops, part) => ops.trace(part)) ??
      apply(shop, { operands: [[m, uncut(m.shape)]], names: [], shape: [], run: (ops, [a]) => ops.trace(a) }),
    dot: (x, y) => {
      const names = axisNames('', x.shape.length);
      broadcastShape('mul', x.shape, y.shape);
      return apply(shop, {
        operands: [
          [x, names],
          [y, names],
        ],
        names: [],
        shape: [],
        run: (ops, [a, b]) => ops.dot(a, b),
      });
    },
    logSumExp: (x) => overLast(x, (ops, a) => ops.logSumExp(a), true),
    softmax: (x) => overLast(x, (ops, a) => ops.softmax(a)),
    logSoftmax: (x) => overLast(x, (ops, a) => ops.logSoftmax(a)),
    oneHot: (indices, classes) => {
      const names = axisNames('', indices.shape.length);
      return apply(shop, {
        operands: [[indices, names]],
        names: [...names, ''],
        shape: [...indices.shape, classes],
        run: (ops, [a]) => ops.oneHot(a, classes),
      });
    },
    patchGram: (images, window, weights, isHomogeneous) => {
      const [, , , length] = patchesShape(images.shape, window);
      const order = length + (isHomogeneous ? 1 : 0);
      return apply(shop, {
        operands: [[images, byExamples(images)], ...(weights === null ? [] : [[weights, ['n', '']] as const])],
        names: ['', ''],
        shape: [order, order],
        isSymmetric: true,
        run: (ops, operands) =>
          ops.patchGram(operands[0], window, operands.length > 1 ? operands[1] : null, isHomogeneous),
      });
    },
  };
};

/** The type that a constant has: floats take the precision of the rest. */
export const typeIn = ({ dtype: float }: Workshop, { dtype }: Tensor): DType => (dtype === 'i32' ? dtype : float);

/**
 * All operations on spread arrays.
 *
 * @param shop - the scope's means
 * @param within - what is known of scopes
 */
export const spreadOps = (shop: Workshop, within: Derived<Spread>['within']): Ops<Spread> =>
  completeOps<Spread>(
    {
      constant: (value) =>
        spread(shop, value.shape, { kind: 'given', value: checkTensor('constant', value) }, typeIn(shop, value)),
      full: (shape, value) => spread(shop, checkShape('full', shape), { kind: 'given', value }),
      ...products(shop),
      ...pointwise(shop),
      ...movement(shop),
      stopGradient: (x) => x,
      keep: (_, x) => x,
      site: (_, __, output) => output,
    },
    fused(shop, within),
  );
