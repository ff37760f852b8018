/**
 * Dense sites, s = a Wᵀ + b: the block is A ⊗ G with A = E[ā āᵀ] and G = E[g gᵀ] [MG15 §3].
 *
 * Weight `[out, in]` and bias `[out]` are the matrix V `[out, in + 1]` with the bias as last column; ā has a one there (the
 * homogeneous coordinate, which belongs to the last part where inputs are cut).
 *
 * @module
 */
import { kronecker } from '../../core/operators/blockOperator.ts';
import { timesFactor } from '../../core/operators/factors/products.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { DenseSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import {
  cotangentGram,
  cotangentPartGrams,
  cotangentRows,
  cotangentSums,
  factorOf,
  factorOfParts,
  factorSums,
  inputSums,
  mostFull,
  partGrams,
} from '../statistics/factors.ts';
import { outerProducts, squaredProducts } from '../statistics/perExample.ts';
import type { SharedRows, Sharing } from '../statistics/sharing.ts';
import { positionsOf, sharedRows, weighedRows } from '../statistics/sharing.ts';
import type { Statistics } from '../statistics/statistics.ts';
import { byExamples, forgetting, sumByExamples } from './byExamples.ts';
import type { Cuts, Seen, SiteBlock, SiteKind } from './kind.ts';
import { atSomePositions } from './positions.ts';

const lastOf = ({ shape }: Shaped): number => shape[shape.length - 1];

/**
 * ā and g as matrices whose rows count as examples, ā with the homogeneous coordinate when the site has a bias.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, in]`, cotangents `[n, …, out]` per pass
 * @param sharing - how positions are treated, `expand` unless given
 * @returns inputs `[rows, in + 1]` (`[rows, in]` without a bias) and cotangents `[rows, out]` per pass
 */
export const homogeneousRows = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, DenseSite>,
  sharing: Sharing = 'expand',
): SharedRows<T> => {
  const rows = sharedRows(ops, capture, sharing);
  return capture.site.bias === null ? rows : { ...rows, input: ops.withOnes(rows.input) };
};

/** The rows that factors are made of. */
const factorRows = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, DenseSite>,
  sharing?: Sharing,
): SharedRows<T> => weighedRows(ops, homogeneousRows(ops, capture, sharing), capture.weights);

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, in]`, cotangents `[n, …, out]` per pass
 * @param sharing - how positions are treated, `expand` unless given
 * @returns sums `A` `[in + 1, in + 1]` (`[in, in]` without a bias) and `G` `[out, out]`, of weight n
 */
export const denseStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, DenseSite>,
  sharing: Sharing = 'expand',
): Statistics<T> => {
  const rows = factorRows(ops, capture, sharing);
  return { sums: { A: ops.gram(rows.input), G: cotangentGram(ops, rows) }, weight: capture.input.shape[0] };
};

/** Layout of the block: V = (W b). */
const layout = ({ weight, bias }: DenseSite): Pick<SiteBlock, 'join' | 'split'> => ({
  join: (ops, params) => {
    if (bias === null) return params[weight];
    const column = params[bias];
    return ops.concat([params[weight], ops.reshape(column, [column.shape[0], 1])], 1);
  },
  split: (ops, block) => {
    if (bias === null) return { [weight]: block };
    const [out, columns] = block.shape;
    return {
      [weight]: ops.slice(block, [0, 0], [out, columns - 1]),
      [bias]: ops.reshape(ops.slice(block, [0, columns - 1], [out, 1]), [out]),
    };
  },
});

/** The cuts of a site: by its heads where that is asked for and it has some. */
const cutsOf = ({ heads }: DenseSite, { inputs, outputs, perHead = false }: Cuts): Cuts =>
  perHead && heads !== undefined
    ? { inputs: { groups: heads.inputs }, outputs: { groups: heads.outputs } }
    : { inputs, outputs };

/** Elements of one example's rows, and of its gradients where they are formed, over all passes. */
const elementsOf = <T extends Shaped>({ bias }: DenseSite, { input, cotangents }: Seen<T>) => {
  const positions = positionsOf(input.shape);
  const [columns, out] = [lastOf(input) + (bias === null ? 0 : 1), lastOf(cotangents[0])];
  return {
    ofRows: { inputs: positions * columns, outputs: cotangents.length * positions * out },
    ofProducts: positions === 1 ? 0 : cotangents.length * columns * out,
  };
};

/** Gradients of single examples, V_n = Σ_t g_t ā_tᵀ, and their squares. */
const gradientsAt = (site: DenseSite): Pick<SiteBlock, 'order' | 'gradients' | 'squares'> => ({
  order: ({ input, cotangents }) => (lastOf(input) + (site.bias === null ? 0 : 1)) * lastOf(cotangents[0]),
  gradients: (ops, seen) => {
    const { input } = homogeneousRows(ops, { ...seen, site });
    const homogeneous = ops.reshape(input, [...seen.input.shape.slice(0, -1), input.shape[1]]);
    return seen.cotangents.map((g) => outerProducts(ops, homogeneous, g));
  },
  squares: (ops, seen) => {
    const { ofRows, ofProducts } = elementsOf(site, seen);
    return sumByExamples(ops, seen, 2 * ofRows.inputs + ofRows.outputs + 2 * ofProducts, (on, part) =>
      squaredProducts(on, homogeneousRows(on, { ...part, site })),
    );
  },
});

/** Dense sites. */
export const dense: SiteKind<DenseSite> = (site) => ({
  ...layout(site),
  ...gradientsAt(site),
  featureAxes: 1,
  affine: true,
  statistics: (ops, seen, options) => {
    const { sharing, maxFactor = mostFull } = options;
    const part = atSomePositions(ops, seen, 1, options);
    const weight = seen.input.shape[0];
    const rowsOn = <X extends Shaped>(on: Ops<X>, some: Seen<X>): SharedRows<X> =>
      factorRows(on, { ...some, site }, sharing);
    // What is left after reducing is small, and needed whole.
    if (sharing === 'reduce') return { sums: factorSums(ops, rowsOn(ops, part), maxFactor), weight };
    return {
      sums: {
        ...(lastOf(part.input) < maxFactor
          ? forgetting(ops, part, (on) => inputSums(on, rowsOn(on, part).input, maxFactor))
          : byExamples(ops, part, 3 * elementsOf(site, part).ofRows.inputs, (on, some) =>
              inputSums(on, rowsOn(on, some).input, maxFactor),
            )),
        ...forgetting(ops, part, (on) => cotangentSums(on, cotangentRows(on, part), maxFactor)),
      },
      weight,
    };
  },
  operator: (averages) => kronecker(factorOf(averages, 'A'), factorOf(averages, 'G')),
  words: ({ maxFactor = mostFull }, shapes) => {
    if (shapes === undefined) return 'A ⊗ G';
    const columns = lastOf({ shape: shapes.input }) + (site.bias === null ? 0 : 1);
    const word = (name: string, order: number): string => (order <= maxFactor ? name : `diag ${name}`);
    return `${word('A', columns)} ⊗ ${word('G', lastOf({ shape: shapes.output }))}`;
  },
  rows: (ops, seen, sharing) => factorRows(ops, { ...seen, site }, sharing),
  partitioned: {
    statistics: (ops, seen, cuts, options) => {
      const { inputs, outputs } = cutsOf(site, cuts);
      const part = atSomePositions(ops, seen, 1, options);
      const rowsOn = <X extends Shaped>(on: Ops<X>, some: Seen<X>): SharedRows<X> =>
        factorRows(on, { ...some, site }, options.sharing);
      return {
        sums: {
          ...forgetting(ops, part, (on) => partGrams(on, 'A', rowsOn(on, part).input, inputs)),
          ...forgetting(ops, part, (on) =>
            cotangentPartGrams(on, options.sharing === 'reduce' ? rowsOn(on, part) : cotangentRows(on, part), outputs),
          ),
        },
        weight: seen.input.shape[0],
      };
    },
    operator: (averages) => kronecker(factorOfParts(averages, 'A'), factorOfParts(averages, 'G')),
    words: '(⊕ A) ⊗ (⊕ G)',
  },
  // U_Gᵀ V_n U_A = Σ_t (U_Gᵀ g_t) (U_Aᵀ ā_t)ᵀ: the squares of gradients of rotated rows.
  eigenMoments: (ops, seen, { UA, UG }) => {
    const { ofRows, ofProducts } = elementsOf(site, seen);
    return sumByExamples(ops, seen, 3 * ofRows.inputs + 2 * ofRows.outputs + 2 * ofProducts, (on, part) => {
      const { input, cotangents, positions } = homogeneousRows(on, { ...part, site });
      return squaredProducts(on, {
        input: timesFactor(on, input, UA),
        cotangents: cotangents.map((g) => timesFactor(on, g, UG)),
        positions,
      });
    });
  },
});
