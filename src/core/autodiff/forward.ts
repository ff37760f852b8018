/**
 * Forward mode: an interpreter that computes values with their derivatives in one direction.
 *
 * @module
 */
import { raise } from '../errors.ts';
import type { Ops, Whole } from '../ops/ops.ts';
import { completeOps } from '../ops/complete.ts';
import type { Primitives } from '../ops/primitives.ts';
import { varianceTangent } from '../ops/standardise.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { sameShape, showShape } from '../tensor.ts';
import type { Dual } from './jvpRules.ts';
import { jvpRules, linear } from './jvpRules.ts';
import type { Program, TreeProgram } from './program.ts';
import type { Recorded } from './replay.ts';
import { replaying } from './replay.ts';

const dual = <T extends Shaped>(primal: T, tangent: T | null): Dual<T> => ({ shape: primal.shape, primal, tangent });

const constant = <T extends Shaped>(primal: T): Dual<T> => dual(primal, null);

/** The primitives on duals. */
const forwardPrimitives = <T extends Shaped>(ops: Ops<T>, known: Primitives<T>): Primitives<Dual<T>> => {
  const rules = jvpRules(ops);
  /** An operation that is linear in x does to the tangent what it does to the value. */
  const linearIn = (x: Dual<T>, f: (on: Primitives<T>, x: T) => T): Dual<T> =>
    dual(
      f(known, x.primal),
      linear(x.tangent, (dx) => f(ops, dx)),
    );
  /** An operation that is linear in each operand: the tangent is a sum of two of its values. */
  const bilinear = (x: Dual<T>, y: Dual<T>, f: (on: Primitives<T>, x: T, y: T) => T): Dual<T> =>
    dual(
      f(known, x.primal, y.primal),
      rules.bilinear(x, y, (a, b) => f(ops, a, b)),
    );
  return {
    constant: (value) => constant(known.constant(value)),
    full: (shape, value) => constant(known.full(shape, value)),
    matmul: (a, b, transposes = {}) =>
      dual(known.matmul(a.primal, b.primal, transposes), rules.matmul(a, b, transposes)),
    affine: (x, weight, bias) =>
      dual(known.affine(x.primal, weight.primal, bias === null ? null : bias.primal), rules.affine(x, weight, bias)),
    gram: (x) => dual(known.gram(x.primal), rules.gram(x)),
    unary: (kind, x) => {
      const y = known.unary(kind, x.primal);
      return dual(y, rules.unary(kind, x, y));
    },
    binary: (kind, a, b) => {
      const y = known.binary(kind, a.primal, b.primal);
      return dual(y, rules.binary(kind, a, b, y));
    },
    select: (condition, a, b) => {
      const y = known.select(condition.primal, a.primal, b.primal);
      return dual(y, rules.select(condition.primal, a, b, y.shape));
    },
    sum: (x, axes) => linearIn(x, (on, value) => on.sum(value, axes)),
    max: (x, axes) => {
      const y = known.max(x.primal, axes);
      return dual(y, rules.max(x, y, axes));
    },
    reshape: (x, shape) => linearIn(x, (on, value) => on.reshape(value, shape)),
    transpose: (x, permutation) => linearIn(x, (on, value) => on.transpose(value, permutation)),
    broadcastTo: (x, shape) => linearIn(x, (on, value) => on.broadcastTo(value, shape)),
    concat: (xs, axis) => {
      const joined = known.concat(
        xs.map(({ primal }) => primal),
        axis,
      );
      return dual(joined, rules.concat(xs, axis));
    },
    slice: (x, begin, size) => linearIn(x, (on, value) => on.slice(value, begin, size)),
    pad: (x, begin, shape) => linearIn(x, (on, value) => on.pad(value, begin, shape)),
    gather: (x, indices) => linearIn(x, (on, value) => on.gather(value, indices.primal)),
    scatterAdd: (indices, updates, rows) =>
      linearIn(updates, (on, value) => on.scatterAdd(indices.primal, value, rows)),
    patches: (images, window) => linearIn(images, (on, value) => on.patches(value, window)),
    unpatches: (columns, window, shape) => linearIn(columns, (on, value) => on.unpatches(value, window, shape)),
    convolve: (images, filters, window) => bilinear(images, filters, (on, x, W) => on.convolve(x, W, window)),
    convolveTransposed: (outputs, filters, window, shape) =>
      bilinear(outputs, filters, (on, y, W) => on.convolveTransposed(y, W, window, shape)),
    correlate: (images, outputs, window, groups) =>
      bilinear(images, outputs, (on, x, y) => on.correlate(x, y, window, groups)),
    stopGradient: (x) => constant(known.stopGradient(x.primal)),
    // The tangent of a site's output is no site's output, so only the value passes through the inner site.
    keep: (path, x) => dual(known.keep(path, x.primal), x.tangent),
    site: (site, input, output) => dual(known.site(site, input.primal, output.primal), output.tangent),
  };
};

/** The operations that have a tangent as a whole. */
const forwardWholes = <T extends Shaped>(ops: Ops<T>, known: Whole<T>): Whole<Dual<T>> => ({
  softmax: (x) => {
    const y = known.softmax(x.primal);
    return dual(
      y,
      linear(x.tangent, (dx) => ops.softmaxVjp(y, dx)),
    );
  },
  standardised: (x, axes, epsilon) => {
    const found = known.standardised(x.primal, axes, epsilon);
    const { values, mean, variance } = found;
    const along = (f: (dx: T) => T): T | null => linear(x.tangent, f);
    return {
      values: dual(
        values,
        along((dx) => ops.standardisedVjp(values, variance, axes, epsilon, dx)),
      ),
      // Computed for those who ask.
      get mean() {
        return dual(
          mean,
          along((dx) => ops.mean(dx, axes)),
        );
      },
      get variance() {
        return dual(
          variance,
          along((dx) => varianceTangent(ops, found, axes, epsilon, dx)),
        );
      },
    };
  },
});

/** The array language on duals: values come from `known`, tangents are computed with `ops`. */
const forwardOps = <T extends Shaped>(ops: Ops<T>, known: Recorded<T>): Ops<Dual<T>> =>
  completeOps(forwardPrimitives(ops, known), forwardWholes(ops, known));

/** Pairs each parameter with its tangent. A tangent that fits no parameter is an error, not a zero. */
const paired = <T extends Shaped>(params: Params<T>, tangents: Params<T>): Params<Dual<T>> => {
  const stray = Object.keys(tangents).filter((path) => !(path in params));
  if (stray.length > 0) {
    return raise({
      _tag: 'ShapeMismatch',
      where: 'jvp',
      expected: `tangents of the parameters ${Object.keys(params).join(', ')}`,
      actual: `a tangent of ${stray.join(', ')}`,
    });
  }
  return mapParams(params, (primal, path) => {
    if (!(path in tangents)) return constant(primal);
    const tangent = tangents[path];
    return sameShape(tangent.shape, primal.shape)
      ? dual(primal, tangent)
      : raise({
          _tag: 'ShapeMismatch',
          where: `jvp at ${path}`,
          expected: `a tangent in the shape ${showShape(primal.shape)} of the parameter`,
          actual: showShape(tangent.shape),
        });
  });
};

const tangentOf = <T extends Shaped>(ops: Ops<T>, { shape, tangent }: Dual<T>): T => tangent ?? ops.full(shape, 0);

/** A value and its derivative in the direction that was asked for. */
export interface Jvp<V> {
  readonly value: V;
  readonly tangent: V;
}

/**
 * A program's value f(θ) and directional derivative J u, with J = ∂f/∂θ.
 *
 * @param ops - interpreter that computes
 * @param program - f
 * @param params - θ
 * @param tangents - u; a parameter whose path it lacks does not move
 * @param inputs - constants of f
 * @example
 * ```ts
 * import type { Program } from 'kfac-ts/core';
 * import { jvp, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const squares: Program = (on, { w }) => on.square(w);
 * const { value, tangent } = jvp(ops, squares, { w: tensor([3, 4], [2]) }, { w: tensor([1, 0], [2]) }, []);
 * [value.data[0], tangent.data[0]]; // => [9, 6]
 * ```
 */
export const jvp = <T extends Shaped>(
  ops: Ops<T>,
  program: Program,
  params: Params<T>,
  tangents: Params<T>,
  inputs: ReadonlyArray<T>,
): Jvp<T> => {
  const result = program(forwardOps(ops, ops), paired(params, tangents), inputs.map(constant));
  return { value: result.primal, tangent: tangentOf(ops, result) };
};

/**
 * J u for a program whose values are known already: what {@link jvp} gives, without computing f again.
 *
 * @param ops - interpreter that computes
 * @param values - what its operations gave when the program ran, in order
 * @param program - f
 * @param params - θ
 * @param tangents - u; a parameter whose path it lacks does not move
 * @param inputs - constants of f
 */
export const jvpAlong = <T extends Shaped>(
  ops: Ops<T>,
  values: ReadonlyArray<T>,
  program: Program,
  params: Params<T>,
  tangents: Params<T>,
  inputs: ReadonlyArray<T>,
): T => {
  const along = forwardOps(ops, replaying(values));
  return tangentOf(ops, program(along, paired(params, tangents), inputs.map(constant)));
};

/**
 * The same for a program with named results.
 *
 * @param ops - interpreter that computes
 * @param program - f
 * @param params - θ
 * @param tangents - u; a parameter whose path it lacks does not move
 * @param inputs - constants of f
 * @example
 * ```ts
 * import type { TreeProgram } from 'kfac-ts/core';
 * import { jvpTree, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const both: TreeProgram = (on, { w }) => ({ square: on.square(w), twice: on.scale(2, w) });
 * const { tangent } = jvpTree(ops, both, { w: tensor([3], [1]) }, { w: tensor([1], [1]) }, []);
 * [tangent.square.data[0], tangent.twice.data[0]]; // => [6, 2]
 * ```
 */
export const jvpTree = <T extends Shaped>(
  ops: Ops<T>,
  program: TreeProgram,
  params: Params<T>,
  tangents: Params<T>,
  inputs: ReadonlyArray<T>,
): Jvp<Params<T>> => {
  const results = program(forwardOps(ops, ops), paired(params, tangents), inputs.map(constant));
  return {
    value: mapParams(results, ({ primal }) => primal),
    tangent: mapParams(results, (result) => tangentOf(ops, result)),
  };
};

/**
 * J u for a program with named results whose values are known already: what {@link jvpTree} gives, without computing f again.
 *
 * @param ops - interpreter that computes
 * @param values - what its operations gave when the program ran, in order
 * @param program - f
 * @param params - θ
 * @param tangents - u; a parameter whose path it lacks does not move
 * @param inputs - constants of f
 */
export const jvpTreeAlong = <T extends Shaped>(
  ops: Ops<T>,
  values: ReadonlyArray<T>,
  program: TreeProgram,
  params: Params<T>,
  tangents: Params<T>,
  inputs: ReadonlyArray<T>,
): Params<T> => {
  const along = forwardOps(ops, replaying(values));
  return mapParams(program(along, paired(params, tangents), inputs.map(constant)), (result) => tangentOf(ops, result));
};
