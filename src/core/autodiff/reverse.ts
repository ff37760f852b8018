/**
 * Reverse mode: an interpreter that computes with another one and remembers the way back.
 *
 * The tape never leaves this module: {@link vjp} runs a program and returns its value with pure functions. They may be
 * called any number of times, for one cotangent per sample of a Fisher estimate, say.
 *
 * @module
 */
import { raise } from '../errors.ts';
import type { Ops, Whole } from '../ops/ops.ts';
import { completeOps } from '../ops/complete.ts';
import type { BinaryKind, Primitives } from '../ops/primitives.ts';
import type { Site } from '../ops/site.ts';
import { narrowSite, parametersOfSite } from '../ops/site.ts';
import { pullMean, pullVariance } from '../ops/standardise.ts';
import { tidyWithin } from '../ops/tidy.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { sameShape, showShape } from '../tensor.ts';
import { jvpAlong, jvpTreeAlong } from './forward.ts';
import type { Program, TreeProgram } from './program.ts';
import { recording } from './replay.ts';
import type { Tape, TapeNode } from './tape.ts';
import { constantNode, createTape } from './tape.ts';
import type { Step, Uses } from './uses.ts';
import { usesAfter, usesPast } from './uses.ts';
import type { Pull } from './vjpRules.ts';
import { vjpRules } from './vjpRules.ts';

/** What a cotangent of the output becomes. */
export interface Cotangents<T> {
  /** Jᵀ c per parameter; zeros for a parameter that the output does not depend on. */
  readonly params: Params<T>;
  /** The cotangents of the sites' outputs, in the order of `Linearised.sites`. */
  readonly sites: ReadonlyArray<T>;
}

/** A site where a program came to it. */
export interface PassedSite<T> {
  readonly site: Site;
  /** The value of its input. */
  readonly input: T;
  /**
   * Paths of those of its parameters that the outputs also use otherwise: by a way that passes no site of theirs, or not as
   * a parameter that meets the site's input. Their cotangent is not what the site's input and output cotangent say. Absent
   * where there are none.
   */
  readonly elsewhere?: ReadonlyArray<string>;
  /** Present where its input depends on no parameter: no cotangent goes on through it. */
  readonly fromData?: true;
}

/** A program's value at a point, with its Jacobian J there and the transpose. */
export interface Linearised<T extends Shaped> {
  readonly outputs: T;
  /** Sites in the order in which the program came to them, with the values of their inputs. */
  readonly sites: ReadonlyArray<PassedSite<T>>;
  /** What the program keeps for its next run, by path. */
  readonly kept: Params<T>;
  /**
   * c ↦ Jᵀ c, for a cotangent in the shape of the outputs; in a scope of those whose operations are given. Each parameter's cotangent
   * is told as soon as it is there, with the operations of the scope that it is in.
   */
  readonly pullback: (cotangent: T, on?: Ops<T>, tell?: (on: Ops<T>, cotangent: T) => void) => Cotangents<T>;
  /** The sites' cotangents alone; no parameter's cotangent is formed, nor anything before the first site. */
  readonly sitePullback: (cotangent: T) => ReadonlyArray<T>;
  /** The cotangents of the parameters at some paths alone: nothing that does not lead to one of them is formed. */
  readonly parameterPullback: (paths: ReadonlyArray<string>) => (cotangent: T) => Params<T>;
  /**
   * u ↦ J u, for tangents of the parameters; one whose path u lacks does not move. The values are not computed again. In a scope of
   * those whose operations are given.
   */
  readonly pushforward: (tangents: Params<T>, on?: Ops<T>) => T;
  /** The same run linearised in some of the parameters alone, as if the others had been constants. */
  readonly narrow: (has: (path: string) => boolean) => Linearised<T>;
}

/** A tree-valued program's values at a point, with its Jacobian J there and the transpose. */
export interface LinearisedTree<T extends Shaped> {
  readonly outputs: Params<T>;
  /** c ↦ Jᵀ c; an output whose path c lacks has cotangent zero. */
  readonly pullback: (cotangents: Params<T>, on?: Ops<T>) => Params<T>;
  /** u ↦ J u; a parameter whose path u lacks does not move. The values are not computed again. */
  readonly pushforward: (tangents: Params<T>, on?: Ops<T>) => Params<T>;
}

interface SiteRecord<T> {
  readonly site: Site;
  readonly input: T;
  readonly id: number;
  readonly fromData?: true;
}

/** What operations on two operands do to uses of each. */
const binarySteps: Readonly<Record<BinaryKind, Step | ReadonlyArray<Step>>> = {
  add: 'adds',
  // The cotangent of what is subtracted has another sign.
  sub: ['adds', 'bends'],
  mul: 'meets',
  div: 'bends',
  max: 'bends',
  min: 'bends',
  greater: 'bends',
  equal: 'bends',
};

/** The primitives on tape nodes: the inner value, and an edge for each operand that has a derivative. */
const reversePrimitives = <T extends Shaped>(
  inner: Primitives<T>,
  tape: Tape<T>,
  onSite: (record: SiteRecord<T>) => void,
  onKeep: (path: string, value: T) => void,
): Primitives<TapeNode<T>> => {
  const rules = vjpRules<T>();
  const record = (
    value: T,
    operands: ReadonlyArray<TapeNode<T>>,
    pulls: ReadonlyArray<Pull<T>>,
    steps: Step | ReadonlyArray<Step>,
    apart = false,
  ): TapeNode<T> => tape.record(value, operands, pulls, (uses) => usesAfter(uses, steps, apart));
  return {
    constant: (value) => constantNode(inner.constant(value)),
    full: (shape, value) => constantNode(inner.full(shape, value)),
    matmul: (a, b, transposes = {}) =>
      record(inner.matmul(a.value, b.value, transposes), [a, b], rules.matmul(a.value, b.value, transposes), 'meets'),
    affine: (x, weight, bias) =>
      record(
        inner.affine(x.value, weight.value, bias === null ? null : bias.value),
        bias === null ? [x, weight] : [x, weight, bias],
        rules.affine(x.value, weight.value),
        bias === null ? 'meets' : ['meets', 'meets', 'adds'],
      ),
    gram: (x) => record(inner.gram(x.value), [x], rules.gram(x.value), 'bends'),
    unary: (kind, x) => {
      const y = inner.unary(kind, x.value);
      return record(y, [x], rules.unary(kind, x.value, y), 'bends');
    },
    binary: (kind, a, b) => {
      const y = inner.binary(kind, a.value, b.value);
      return record(y, [a, b], rules.binary(kind, a.value, b.value, y), binarySteps[kind]);
    },
    select: (condition, a, b) =>
      record(
        inner.select(condition.value, a.value, b.value),
        [a, b],
        rules.select(condition.value, a.shape, b.shape),
        'bends',
      ),
    sum: (x, axes) => record(inner.sum(x.value, axes), [x], rules.sum(x.shape, axes), 'sums'),
    max: (x, axes) => {
      const y = inner.max(x.value, axes);
      return record(y, [x], rules.max(x.value, y, axes), 'bends');
    },
    reshape: (x, shape) => record(inner.reshape(x.value, shape), [x], rules.reshape(x.shape), 'moves'),
    transpose: (x, permutation) =>
      record(inner.transpose(x.value, permutation), [x], rules.transpose(permutation), 'moves'),
    broadcastTo: (x, shape) => record(inner.broadcastTo(x.value, shape), [x], rules.broadcastTo(x.shape), 'moves'),
    concat: (xs, axis) => {
      const joined = inner.concat(
        xs.map(({ value }) => value),
        axis,
      );
      const shapes = xs.map(({ shape }) => shape);
      return record(joined, xs, rules.concat(shapes, axis), 'moves', true);
    },
    slice: (x, begin, size) => record(inner.slice(x.value, begin, size), [x], rules.slice(x.shape, begin), 'moves'),
    pad: (x, begin, shape) => record(inner.pad(x.value, begin, shape), [x], rules.pad(x.shape, begin), 'moves'),
    gather: (x, indices) =>
      record(inner.gather(x.value, indices.value), [x], rules.gather(x.shape, indices.value), 'adds'),
    scatterAdd: (indices, updates, rows) =>
      record(inner.scatterAdd(indices.value, updates.value, rows), [updates], rules.scatterAdd(indices.value), 'sums'),
    patches: (images, window) =>
      record(inner.patches(images.value, window), [images], rules.patches(images.shape, window), 'moves'),
    unpatches: (columns, window, shape) =>
      record(inner.unpatches(columns.value, window, shape), [columns], rules.unpatches(window), 'sums'),
    convolve: (images, filters, window) =>
      record(
        inner.convolve(images.value, filters.value, window),
        [images, filters],
        rules.convolve(images.value, filters.value, window),
        'meets',
      ),
    convolveTransposed: (outputs, filters, window, shape) =>
      record(
        inner.convolveTransposed(outputs.value, filters.value, window, shape),
        [outputs, filters],
        rules.convolveTransposed(outputs.value, filters.value, window, shape),
        'meets',
      ),
    correlate: (images, outputs, window, groups) =>
      record(
        inner.correlate(images.value, outputs.value, window, groups),
        [images, outputs],
        rules.correlate(images.value, outputs.value, window),
        'meets',
      ),
    stopGradient: (x) => constantNode(inner.stopGradient(x.value)),
    keep: (path, x) => {
      onKeep(path, inner.keep(path, x.value));
      return x;
    },
    site: (site, input, output) => {
      const value = inner.site(site, input.value, output.value);
      const passed = tape.record(value, [output], [(_, cotangent) => cotangent], ([uses]) =>
        usesPast(uses, parametersOfSite(site)),
      );
      // A site whose parameters are all held constant still has a cotangent of its own.
      const id = passed.id ?? tape.leaf(value).id;
      onSite({ site, input: input.value, id, ...(input.id === null ? { fromData: true as const } : {}) });
      return { shape: value.shape, value, id };
    },
  };
};

/** The operations that have a VJP as a whole. */
const reverseWholes = <T extends Shaped>(inner: Whole<T>, tape: Tape<T>): Whole<TapeNode<T>> => {
  const record = (value: T, x: TapeNode<T>, pull: Pull<T>): TapeNode<T> =>
    tape.record(value, [x], [pull], (uses) => usesAfter(uses, 'bends'));
  return {
    softmax: (x) => {
      const y = inner.softmax(x.value);
      return record(y, x, (ops, cotangent) => ops.softmaxVjp(y, cotangent));
    },
    standardised: (x, axes, epsilon) => {
      const found = inner.standardised(x.value, axes, epsilon);
      const { values, mean, variance } = found;
      return {
        values: record(values, x, (ops, c) => ops.standardisedVjp(values, variance, axes, epsilon, c)),
        mean: record(mean, x, (ops, c) => pullMean(ops, values, axes, c)),
        variance: record(variance, x, (ops, c) => pullVariance(ops, found, axes, epsilon, c)),
      };
    },
  };
};

/** A program's run on tape nodes. */
const run = <T extends Shaped, R>(
  ops: Ops<T>,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
  program: (ops: Ops<TapeNode<T>>, params: Params<TapeNode<T>>, inputs: ReadonlyArray<TapeNode<T>>) => R,
): {
  readonly result: R;
  readonly leaves: ReadonlyArray<number>;
  readonly sites: ReadonlyArray<SiteRecord<T>>;
  readonly kept: Params<T>;
  readonly tape: Tape<T>;
  /** What its operations gave, in order. */
  readonly values: ReadonlyArray<T>;
} => {
  const tape = createTape(ops);
  const sites: Array<SiteRecord<T>> = [];
  const kept: Record<string, T> = {};
  const values: Array<T> = [];
  const inner = recording(ops, (value) => {
    values.push(value);
    return value;
  });
  const nodes = mapParams(params, (value, path) => tape.leaf(value, path));
  const remembering = completeOps(
    reversePrimitives(
      inner,
      tape,
      (record) => void sites.push(record),
      (path, value) => void (kept[path] = value),
    ),
    reverseWholes(inner, tape),
  );
  const result = program(remembering, nodes, inputs.map(constantNode));
  return { result, leaves: Object.values(nodes).map(({ id }) => id), sites, kept, tape, values };
};

/** The site with what it does not account for, where there is such a thing. */
const withElsewhere = <T>({ site, input, fromData }: SiteRecord<T>, uses: Uses): PassedSite<T> => {
  const elsewhere = parametersOfSite(site).filter((path) => uses.has(path));
  const passed = fromData === undefined ? { site, input } : { site, input, fromData };
  return elsewhere.length === 0 ? passed : { ...passed, elsewhere };
};

const checked = <T extends Shaped>(where: string, cotangent: T, shape: Shape): T =>
  sameShape(cotangent.shape, shape)
    ? cotangent
    : raise({
        _tag: 'ShapeMismatch',
        where,
        expected: `a cotangent in the shape ${showShape(shape)} of the output`,
        actual: showShape(cotangent.shape),
      });

const named = <T>(paths: ReadonlyArray<string>, leaves: ReadonlyArray<T>): Params<T> =>
  Object.fromEntries(paths.map((path, i) => [path, leaves[i]]));

/**
 * Runs a program and linearises it: its outputs f(θ) and the maps c ↦ Jᵀ c and u ↦ J u with J = ∂f/∂θ.
 *
 * @param ops - interpreter that computes
 * @param program - f
 * @param params - θ
 * @param inputs - constants of f
 * @param seen - what a site is recorded as, `null` for not at all; as it is unless given
 * @example
 * ```ts
 * import type { Program } from 'kfac-ts/core';
 * import { referenceBackend, tensor, vjp } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const squares: Program = (on, { w }) => on.square(w);
 * const { outputs, pullback } = vjp(ops, squares, { w: tensor([3, 4], [2]) }, []);
 * outputs.data; // => [9, 16]
 * pullback(tensor([1, 1], [2])).params.w.data; // => [6, 8]
 * ```
 */
export const vjp = <T extends Shaped>(
  ops: Ops<T>,
  program: Program,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
  seen: (site: Site) => Site | null = (site) => site,
): Linearised<T> => {
  const { result, leaves, sites: passed, kept, tape, values } = run(ops, params, inputs, program);
  const uses = tape.usesOf(result);
  const places = named(Object.keys(params), leaves);
  const recorded = (
    records: ReadonlyArray<SiteRecord<T>>,
    as: (site: Site) => Site | null,
  ): ReadonlyArray<SiteRecord<T>> =>
    records.flatMap((record) => {
      const site = as(record.site);
      return site === null ? [] : [{ ...record, site }];
    });
  const linearisedIn = (paths: ReadonlyArray<string>, sites: ReadonlyArray<SiteRecord<T>>): Linearised<T> => {
    const siteIds = sites.map(({ id }) => id);
    const areParameters = new Set(paths.map((path) => places[path]));
    const toAll = tape.walkBack([result], [...paths.map((path) => places[path]), ...siteIds]);
    return {
      outputs: result.value,
      sites: sites.map((record) => withElsewhere(record, uses)),
      kept,
      pullback: (cotangent, on, tell) => {
        const told: Parameters<typeof toAll>[2] = (inner, id, complete) => {
          if (areParameters.has(id)) tell?.(inner, complete);
        };
        const all = toAll([checked('pullback', cotangent, result.shape)], on, tell && told);
        return { params: named(paths, all), sites: all.slice(paths.length) };
      },
      sitePullback: (cotangent) => tape.walkBack([result], siteIds)([checked('sitePullback', cotangent, result.shape)]),
      parameterPullback: (some) => {
        const toSome = tape.walkBack(
          [result],
          some.map((path) => places[path]),
        );
        return (cotangent) => named(some, toSome([checked('parameterPullback', cotangent, result.shape)]));
      },
      pushforward: (tangents, on = ops) =>
        tidyWithin(on, values, (inner) => {
          const image = jvpAlong(inner, values, program, params, tangents, inputs);
          return [image, [image]];
        }),
      narrow: (has) =>
        linearisedIn(
          paths.filter(has),
          recorded(sites, (site) => narrowSite(site, has)),
        ),
    };
  };
  return linearisedIn(Object.keys(params), recorded(passed, seen));
};

/**
 * Runs a program with named results and linearises it, like {@link vjp}.
 *
 * Of a gradient, the transposed Hessian: the Jacobian of a game's joint gradient is not symmetric.
 *
 * @param ops - interpreter that computes
 * @param program - f
 * @param params - θ
 * @param inputs - constants of f
 * @example
 * ```ts
 * import type { TreeProgram } from 'kfac-ts/core';
 * import { referenceBackend, tensor, vjpTree } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const both: TreeProgram = (on, { w }) => ({ square: on.square(w), twice: on.scale(2, w) });
 * const { outputs, pullback } = vjpTree(ops, both, { w: tensor([3], [1]) }, []);
 * outputs.twice.data; // => [6]
 * pullback({ square: tensor([1], [1]), twice: tensor([1], [1]) }).w.data; // => [8]
 * ```
 */
export const vjpTree = <T extends Shaped>(
  ops: Ops<T>,
  program: TreeProgram,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
): LinearisedTree<T> => {
  const { result, leaves, tape, values } = run(ops, params, inputs, program);
  const results = Object.values(result);
  const back = tape.walkBack(results, leaves);
  const outputs = mapParams(result, ({ value }) => value);
  const cotangentAt = (on: Ops<T>, cotangents: Params<T>, path: string, shape: Shape): T =>
    path in cotangents ? checked(`pullback at ${path}`, cotangents[path], shape) : on.full(shape, 0);
  return {
    outputs,
    pullback: (cotangents, on = ops) =>
      named(
        Object.keys(params),
        back(
          Object.entries(result).map(([path, { shape }]) => cotangentAt(on, cotangents, path, shape)),
          on,
        ),
      ),
    pushforward: (tangents, on = ops) =>
      tidyWithin(on, values, (inner) => {
        const image = jvpTreeAlong(inner, values, program, params, tangents, inputs);
        return [image, Object.values(image)];
      }),
  };
};

/**
 * The gradient of a program with a scalar output, as a program: θ ↦ ∇f(θ).
 *
 * @param program - f, with an output of shape `[]`
 * @example
 * ```ts
 * import type { Program } from 'kfac-ts/core';
 * import { gradientOf, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const half: Program = (on, { w }) => on.scale(0.5, on.dot(w, w));
 * gradientOf(half)(ops, { w: tensor([3, 4], [2]) }, []).w.data; // => [3, 4]
 * ```
 */
export const gradientOf =
  (program: Program): TreeProgram =>
  (ops, params, inputs) => {
    const { outputs, pullback } = vjp(ops, program, params, inputs);
    return outputs.shape.length === 0
      ? pullback(ops.full([], 1)).params
      : raise({
          _tag: 'ShapeMismatch',
          where: 'gradient',
          expected: 'a program with a scalar output []',
          actual: showShape(outputs.shape),
        });
  };
