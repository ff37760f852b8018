/**
 * The shape interpreter: runs a program on shapes alone, to check it and to count what it would cost.
 *
 * What is counted. FLOPs, a multiply-add as two: 2 m n k for a product (m n more with a bias), n d (d + 1) for a gram
 * matrix, which is symmetric, one per element of the result for elementwise operations of every kind and for `select`,
 * one per element of the operand for `sum` and `max`, one per element added for `scatterAdd` and `unpatches`, 2 per
 * element of the outputs and element of a filter for convolutions (those on padding too). Bytes
 * read and written, in elements of 4 bytes: every operand once and every result once, for operations that only move
 * elements too. `reshape`, `stopGradient`, `site` and constants are free. Derived operations cost what their default
 * definitions do, so a backend that fuses them moves fewer bytes than are counted here.
 *
 * @module
 */
import type * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../errors.ts';
import { attempt } from '../errors.ts';
import type { Ops } from '../ops/ops.ts';
import { completeOps } from '../ops/complete.ts';
import {
  affineShape,
  broadcastShape,
  broadcastToShape,
  concatShape,
  convolutionExtents,
  convolveTransposedExtents,
  correlateShape,
  gatherShape,
  gramShape,
  matmulExtents,
  matmulShape,
  padShape,
  patchesShape,
  reducedShape,
  reshapedShape,
  scatterAddShape,
  sliceShape,
  transposedShape,
  unpatchesShape,
} from '../ops/shapes.ts';
import type { Site } from '../ops/site.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { checkShape, sizeOf } from '../tensor.ts';
import type { Program } from './program.ts';

/** A site where a run met it. */
export interface SiteShapes {
  readonly site: Site;
  readonly input: Shape;
  readonly output: Shape;
}

/** What a run cost, and the sites that it passed in order. */
export interface Tally {
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flops: number;
  /** Bytes read and written, at 4 bytes per element. */
  readonly bytes: number;
  readonly sites: ReadonlyArray<SiteShapes>;
}

/** An interpreter on shapes, and what it has counted so far. */
export interface ShapeInterpreter {
  readonly ops: Ops<Shaped>;
  /** What has been counted so far. */
  readonly tally: () => Tally;
}

const BYTES_PER_ELEMENT = 4;

/** An identity as large as a matrix. */
const identityLike = ({ shape }: Shaped): Shaped => ({ shape: [shape[0], shape[0]] });

/**
 * A new interpreter on shapes. Below an interpreter that differentiates it counts derivatives too.
 *
 * @returns operations that raise `ShapeMismatch` like those of any interpreter, with a tally of their own
 */
export const shapeInterpreter = (): ShapeInterpreter => {
  let flops = 0;
  let elements = 0;
  const sites: Array<SiteShapes> = [];

  /** The result of an operation, which is counted. */
  const made = (shape: Shape, operands: ReadonlyArray<Shaped>, work: number): Shaped => {
    flops += work;
    elements += operands.reduce((sum, operand) => sum + sizeOf(operand.shape), sizeOf(shape));
    return { shape };
  };
  const moved = (shape: Shape, ...operands: ReadonlyArray<Shaped>): Shaped => made(shape, operands, 0);
  const elementwise = (shape: Shape, ...operands: ReadonlyArray<Shaped>): Shaped =>
    made(shape, operands, sizeOf(shape));

  const ops: Ops<Shaped> = completeOps<Shaped>(
    {
      constant: ({ shape }) => ({ shape: checkShape('constant', shape) }),
      full: (shape) => moved(checkShape('full', shape)),
      matmul: (a, b, transposes = {}) => {
        const { batch, m, n, k } = matmulExtents(a.shape, b.shape, transposes);
        return made(matmulShape(a.shape, b.shape, transposes), [a, b], 2 * (batch ?? 1) * m * n * k);
      },
      affine: (x, weight, bias) => {
        const shape = affineShape(x.shape, weight.shape, bias === null ? null : bias.shape);
        const product = 2 * sizeOf(shape) * x.shape[1];
        return bias === null
          ? made(shape, [x, weight], product)
          : made(shape, [x, weight, bias], product + sizeOf(shape));
      },
      gram: (x) => {
        const shape = gramShape(x.shape);
        const [n, d] = x.shape;
        return made(shape, [x], n * d * (d + 1));
      },
      unary: (_, x) => elementwise(x.shape, x),
      binary: (kind, a, b) => elementwise(broadcastShape(kind, a.shape, b.shape), a, b),
      select: (condition, a, b) =>
        elementwise(
          broadcastShape('select', condition.shape, broadcastShape('select', a.shape, b.shape)),
          condition,
          a,
          b,
        ),
      sum: (x, axes) => made(reducedShape('sum', x.shape, axes), [x], sizeOf(x.shape)),
      max: (x, axes) => made(reducedShape('max', x.shape, axes), [x], sizeOf(x.shape)),
      reshape: (x, shape) => ({ shape: reshapedShape(x.shape, shape) }),
      transpose: (x, permutation) => moved(transposedShape(x.shape, permutation), x),
      broadcastTo: (x, shape) => moved(broadcastToShape(x.shape, shape), x),
      concat: (xs, axis) =>
        moved(
          concatShape(
            xs.map((x) => x.shape),
            axis,
          ),
          ...xs,
        ),
      // Of the whole, only the box is read.
      slice: (x, begin, size) => {
        const shape = sliceShape(x.shape, begin, size);
        return moved(shape, { shape });
      },
      pad: (x, begin, shape) => moved(padShape(x.shape, begin, shape), x),
      // Of the whole, only the rows that come out are read.
      gather: (x, indices) => {
        const shape = gatherShape(x.shape, indices.shape);
        return moved(shape, { shape }, indices);
      },
      scatterAdd: (indices, updates, rows) =>
        made(scatterAddShape(indices.shape, updates.shape, rows), [indices, updates], sizeOf(updates.shape)),
      patches: (images, window) => moved(patchesShape(images.shape, window), images),
      unpatches: (columns, window, shape) =>
        made(unpatchesShape(columns.shape, window, shape), [columns], sizeOf(columns.shape)),
      convolve: (images, filters, window) => {
        const { outputs } = convolutionExtents(images.shape, filters.shape, window);
        return made(outputs, [images, filters], 2 * sizeOf(outputs) * filters.shape[1]);
      },
      convolveTransposed: (outputs, filters, window, shape) => {
        convolveTransposedExtents(outputs.shape, filters.shape, window, shape);
        return made(shape, [outputs, filters], 2 * sizeOf(outputs.shape) * filters.shape[1]);
      },
      correlate: (images, outputs, window, groups) => {
        const shape = correlateShape(images.shape, outputs.shape, window, groups);
        return made(shape, [images, outputs], 2 * sizeOf(outputs.shape) * shape[1]);
      },
      stopGradient: (x) => x,
      keep: (_, x) => x,
      site: (site, input, output) => {
        sites.push({ site, input: input.shape, output: output.shape });
        return output;
      },
    },
    {
      // As by default, of an identity that has no elements: a matrix of order 1000 has 8 MB of them.
      addDiagonal: (m, c) => ops.add(m, ops.scale(c, identityLike(m))),
      trace: (m) => ops.sum(ops.select(identityLike(m), m, ops.full([], 0)), [0, 1]),
    },
  );
  return { ops, tally: () => ({ flops, bytes: elements * BYTES_PER_ELEMENT, sites: [...sites] }) };
};

/** What a program would do. */
export interface DryRun extends Tally {
  readonly output: Shape;
}

/**
 * Runs a program on shapes.
 *
 * @param program - the program
 * @param paramShapes - shapes of its parameters
 * @param inputShapes - shapes of its inputs
 * @returns shape of the result, cost and sites, or the `ShapeMismatch` that a run would meet
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import type { Program } from 'kfac-ts/core';
 * import { dryRun } from 'kfac-ts/core';
 *
 * const layer: Program = (ops, { weight, bias }, [x]) => ops.tanh(ops.affine(x, weight, bias));
 * const found = dryRun(layer, { weight: [2, 3], bias: [2] }, [[10, 3]]);
 * E.isRight(found) ? found.right.output : null; // => [10, 2]
 * ```
 */
export const dryRun = (
  program: Program,
  paramShapes: Params<Shape>,
  inputShapes: ReadonlyArray<Shape>,
): E.Either<KfacError, DryRun> =>
  attempt(() => {
    const { ops, tally } = shapeInterpreter();
    const output = program<Shaped>(
      ops,
      mapParams(paramShapes, (shape) => ({ shape })),
      inputShapes.map((shape) => ({ shape })),
    );
    return { output: output.shape, ...tally() };
  });
