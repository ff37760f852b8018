/**
 * The sample stage: at which examples of the batch curvature is looked at.
 *
 * The part is linearised on its own, so that whatever follows (backward passes for statistics, products with the
 * Jacobian) costs its fraction of what the whole batch would; the forward pass through it is what that takes.
 *
 * @module
 */
import type { Linearised } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
import type { Circumstances } from '../core/nn/layers/circumstances.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import { dearnessOfStatistics } from './dearness.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Context } from '../core/pipeline/context.ts';
import type { Period } from '../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../core/pipeline/period.ts';
import { linearise } from '../core/pipeline/linearise.ts';
import type { Judging } from '../core/pipeline/objective.ts';
import { judgingOf } from '../core/pipeline/objective.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { stepKey } from '../core/pipeline/stepKey.ts';
import { permutation } from '../core/random/permutation.ts';
import type { Shaped } from '../core/tensor.ts';
import { tensor } from '../core/tensor.ts';

/** Settings of {@link sample}. */
export interface SampleOptions {
  /** Fraction of the batch's examples, in (0, 1]; at least one is taken. */
  readonly fraction: number;
  /** Examples that are taken at least, where the batch has them; 1 unless given. */
  readonly atLeast?: number;
  /** Period in steps, 1 unless given: that of the only stage that looks at the sample. The first step always samples. */
  readonly every?: Period;
}

type Needs =
  'state' | 'blocks' | 'objective' | 'circumstances' | 'sample' | keyof Judging<unknown> | keyof Linearised<Shaped>;

/**
 * How many examples are taken.
 *
 * @param options - fraction, and how many at least
 * @param examples - in the batch
 */
export const countOf = (
  { fraction, atLeast = 1 }: Pick<SampleOptions, 'fraction' | 'atLeast'>,
  examples: number,
): number => Math.min(examples, Math.max(atLeast, Math.round(fraction * examples)));

const refuse = (path: string, expected: string, actual: number): never =>
  raise({ _tag: 'BadConfig', path: `sample.${path}`, expected, actual: String(actual) });

/** Some rows of every array that has one for each example; an array that is two of a batch's (its inputs and targets) stays one. */
const rowsOf = <T extends Shaped>(ops: Ops<T>, arrays: Params<T>, examples: number, rows: T): Params<T> => {
  const distinct = [...new Set(Object.values(arrays))].filter(({ shape }) => shape[0] === examples);
  const parts = new Map(distinct.map((array) => [array, ops.gather(array, rows)]));
  return mapParams(arrays, (array) => parts.get(array) ?? array);
};

/**
 * A random part of the batch, drawn anew in each step and linearised. A sample that has the right size already is kept,
 * so stages that want equally many examples share one.
 *
 * @param options - fraction and period
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact, kfac, sample, updateFactors } from 'kfac-ts/curvature';
 *
 * // Curvature from a quarter of each batch.
 * const curved = pipeline(forward, backward, sample({ fraction: 0.25 }), capture(exact()), updateFactors(kfac()));
 * ```
 */
export const sample = (options: SampleOptions): Stage<Needs, 'sample'> =>
  computation('sample', <T extends Shaped>(ops: Ops<T>, context: Context<T, Needs>) => {
    const { state, objective, circumstances } = context;
    const { fraction, atLeast = 1 } = options;
    const every = checkedPeriod('sample.every', options.every ?? 1);
    if (!(fraction > 0 && fraction <= 1)) return refuse('fraction', 'a number above 0 and up to 1', fraction);
    if (!(Number.isInteger(atLeast) && atLeast >= 1)) {
      return refuse('atLeast', 'a whole number of at least 1', atLeast);
    }
    const examples = context.outputs.shape[0];
    const count = countOf(options, examples);
    const dearness = dearnessOfStatistics(context.blocks, state.params, count / examples);
    const due = state.curvature.updates === 0 || isDue(every, state.step, dearness);
    if (!due || count === context.sample.outputs.shape[0]) return { sample: context.sample };
    const { params, held } = state;
    const lineariseAt =
      (at: Circumstances<T>) =>
      (on: Ops<T>): Linearised<T> =>
        linearise(on, { model: objective.model, params, held, at });
    if (count === examples) {
      const { outputs, sites, kept, targets, weights } = context;
      const { pullback, sitePullback, parameterPullback, pushforward, narrow } = context;
      const whole = { outputs, sites, kept, pullback, sitePullback, parameterPullback, pushforward, narrow };
      return {
        sample: { ...whole, targets, weights, at: circumstances, linearise: lineariseAt(circumstances) },
      };
    }
    const drawn = permutation(stepKey(state, 'sample'), examples);
    // In their order, so that examples that are shared out over processes stay where they are.
    const rows = tensor(
      Array.from(drawn.data)
        .slice(0, count)
        .sort((a, b) => a - b),
      [count],
      'i32',
    );
    const arrays = rowsOf(ops, circumstances.arrays, examples, ops.constant(rows));
    const at = { ...circumstances, arrays };
    const part = lineariseAt(at);
    return { sample: { ...part(ops), at, linearise: part, ...judgingOf(ops, objective, arrays) } };
  });
