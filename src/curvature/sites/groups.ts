/**
 * Sites in groups: runs of the output channels that meet runs of the input channels of their own.
 *
 * The block is that of the dense site that says the same: block-diagonal, V `[out, groups * in]` with the groups' own blocks
 * along the diagonal and zeros elsewhere, on which (⊕ A_i) ⊗ (⊕ G_i) acts as A_i ⊗ G_i does on each of them.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import type { Kronecker } from '../../core/operators/blockOperator.ts';
import { kronecker } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { directSum, partsOf } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { ConvolutionSite } from '../../core/ops/site.ts';
import type { Params } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { forgetting } from './byExamples.ts';
import type { Seen, SiteBlock } from './kind.ts';

/** A run of the last axis. */
const lastAxis = <T extends Shaped>(ops: Ops<T>, x: T, i: number, groups: number): T => {
  const { shape } = x;
  const size = shape[shape.length - 1] / groups;
  return ops.slice(x, [...shape.slice(0, -1).map(() => 0), i * size], [...shape.slice(0, -1), size]);
};

/** 1 where the group of the rows is that of the columns, `[groups, 1, groups, 1]`. */
const ownGroup = <T extends Shaped>(ops: Ops<T>, groups: number): T =>
  ops.constant(generate([groups, 1, groups, 1], (position) => (position % (groups + 1) === 0 ? 1 : 0)));

/** Blocks `[out, in]`, a run of rows for each group, along the diagonal of `[out, groups * in]`. */
const onDiagonal = <T extends Shaped>(ops: Ops<T>, blocks: T, groups: number): T => {
  const [out, columns] = blocks.shape;
  const apart = ops.reshape(blocks, [groups, out / groups, 1, columns]);
  return ops.reshape(ops.select(ownGroup(ops, groups), apart, ops.full([], 0)), [out, groups * columns]);
};

/** The inverse of {@link onDiagonal}. */
const offDiagonal = <T extends Shaped>(ops: Ops<T>, v: T, groups: number): T => {
  const [out, columns] = v.shape;
  const apart = ops.reshape(v, [groups, out / groups, groups, columns / groups]);
  const own = ops.select(ownGroup(ops, groups), apart, ops.full([], 0));
  return ops.reshape(ops.sum(own, [2]), [out, columns / groups]);
};

/** What a group's sums are called among those of all groups. */
const nameIn = (name: string, i: number): string => `${name}:${i}`;

/** The averages of one group. */
const averagesOf = <T>(averages: Params<T>, i: number): Params<T> => {
  const ending = nameIn('', i);
  return Object.fromEntries(
    Object.entries(averages).flatMap(([name, x]) =>
      name.endsWith(ending) ? [[name.slice(0, -ending.length), x] as const] : [],
    ),
  );
};

/**
 * The block of a site in groups.
 *
 * @param site - the site
 * @param one - the block of one of its groups
 * @param rowsOf - rows of the site's block, of as many output channels; as many unless given
 */
export const inGroups = (
  { path, groups }: Pick<ConvolutionSite, 'path' | 'groups'>,
  one: SiteBlock,
  rowsOf: (out: number) => number = (out) => out,
): SiteBlock => {
  const seenBy = <T extends Shaped>(ops: Ops<T>, { input, cotangents, ...rest }: Seen<T>, i: number): Seen<T> => ({
    ...rest,
    input: lastAxis(ops, input, i, groups),
    cotangents: cotangents.map((g) => lastAxis(ops, g, i, groups)),
  });
  const byGroup = <T extends Shaped, A>(ops: Ops<T>, seen: Seen<T>, of: (own: Seen<T>, i: number) => A) =>
    Array.from({ length: groups }, (_, i) => of(seenBy(ops, seen, i), i));
  /** Sums of one group after another, without what was needed on the way. */
  const inTurns = <T extends Shaped>(
    ops: Ops<T>,
    seen: Seen<T>,
    of: (on: Ops<T>, own: Seen<T>, i: number) => Params<T>,
  ): ReadonlyArray<Params<T>> =>
    Array.from({ length: groups }, (_, i) => forgetting(ops, seen, (on) => of(on, seenBy(on, seen, i), i)));
  /** Blocks of the groups as that of the site. */
  const stacked = <T extends Shaped>(ops: Ops<T>, blocks: ReadonlyArray<T>): T =>
    onDiagonal(ops, ops.concat(blocks, 0), groups);
  const partOf = <T>(factor: Factor<T>, i: number): Factor<T> => {
    const parts = partsOf(factor);
    return parts.length === groups
      ? parts[i]
      : raise({
          _tag: 'BadConfig',
          path,
          expected: `a basis in ${groups} parts, one for each group`,
          actual: `${parts.length}`,
        });
  };
  const { eigenMoments } = one;
  /** What a group sees of an array. */
  const ownOf = ({ shape }: Shaped): Shaped => ({ shape: [...shape.slice(0, -1), shape[shape.length - 1] / groups] });
  return {
    join: (ops, params) => onDiagonal(ops, one.join(ops, params), groups),
    split: (ops, block) => one.split(ops, offDiagonal(ops, block, groups)),
    featureAxes: one.featureAxes,
    affine: false,
    groups,
    order: ({ input, cotangents }) => {
      return groups * groups * one.order({ input: ownOf(input), cotangents: cotangents.map(ownOf) });
    },
    // Columns of V_n one after another: those of group i have zeros in the rows of others.
    gradients: (ops, seen) => {
      const [n] = seen.input.shape;
      const rows = rowsOf(seen.cotangents[0].shape[seen.cotangents[0].shape.length - 1]);
      const ofGroups = byGroup(ops, seen, (own) => one.gradients(ops, own));
      return seen.cotangents.map((_, pass) => {
        const each = ofGroups.map((found) => found[pass]);
        const columns = (each[0].shape[1] * groups) / rows;
        const apart = ops.reshape(
          ops.concat(
            each.map((found) => ops.reshape(found, [n, 1, columns, 1, rows / groups])),
            1,
          ),
          [n, groups, columns, 1, rows / groups],
        );
        const mask = ops.reshape(ownGroup(ops, groups), [groups, 1, groups, 1]);
        return ops.reshape(ops.select(mask, apart, ops.full([], 0)), [n, groups * columns * rows]);
      });
    },
    squares: (ops, seen) =>
      stacked(
        ops,
        inTurns(ops, seen, (on, own) => ({ second: one.squares(on, own) })).map(({ second }) => second),
      ),
    statistics: (ops, seen, options) => ({
      sums: Object.fromEntries(
        inTurns(ops, seen, (on, own) => one.statistics(on, own, options).sums).flatMap((sums, i) =>
          Object.entries(sums).map(([name, sum]) => [nameIn(name, i), sum]),
        ),
      ),
      weight: seen.input.shape[0],
    }),
    operator: <T extends Shaped>(averages: Params<T>, ops: Ops<T>) => {
      const products = Array.from({ length: groups }, (_, i): Kronecker<T> => {
        const found = one.operator(averagesOf(averages, i), ops);
        return found._tag === 'kronecker'
          ? found
          : raise({ _tag: 'BadConfig', path, expected: 'a Kronecker product of each group', actual: found._tag });
      });
      return kronecker(directSum(products.map(({ A }) => A)), directSum(products.map(({ G }) => G)));
    },
    words: (options, shapes) => {
      if (shapes === undefined) return `${one.words(options)} by group`;
      const [input, output] = [shapes.input, shapes.output].map((shape) => ownOf({ shape }).shape);
      return `${one.words(options, { ...shapes, input, output })} by group`;
    },
    rows: null,
    partitioned: null,
    eigenMoments:
      eigenMoments === null
        ? null
        : (ops, seen, { UA, UG }) =>
            stacked(
              ops,
              inTurns(ops, seen, (on, own, i) => ({
                S: eigenMoments(on, own, { UA: partOf(UA, i), UG: partOf(UG, i) }),
              })).map(({ S }) => S),
            ),
  };
};
