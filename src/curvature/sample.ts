/**
 * The sample stage: at which examples of the batch curvature is looked at.
 *
 * The part is linearised on its own, so that whatever follows (backward passes for statistics, products with the
 * Jacobian) costs its fraction of what the whole batch would; the forward pass through it is what that takes.
 *
 * @module
 */
import type { Linearised } from '../core/autodiff/reverse.ts';
import { vjp } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
import type { Ops } from '../core/ops/ops.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Context } from '../core/pipeline/context.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { permutation } from '../core/random/permutation.ts';
import { foldIn } from '../core/random/split.ts';
import type { Shaped } from '../core/tensor.ts';

/** Settings of {@link sample}. */
export interface SampleOptions {
  /** Fraction of the batch's examples, in (0, 1]; at least one is taken. */
  readonly fraction: number;
  /** Period in steps, 1 unless given: that of the only stage that looks at the sample. The first step always samples. */
  readonly every?: number;
}

type Needs = 'state' | 'batch' | 'objective' | 'sample' | keyof Linearised<unknown>;

const refuse = (path: string, expected: string, actual: number): never =>
  raise({ _tag: 'BadConfig', path: `sample.${path}`, expected, actual: String(actual) });

/** Which of a step's keys draws the examples. */
const use = 0;

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
    const { state, batch, objective, outputs, sites } = context;
    const { pullback, sitePullback, parameterPullback, pushforward } = context;
    const { fraction, every = 1 } = options;
    if (!(fraction > 0 && fraction <= 1)) return refuse('fraction', 'a number above 0 and up to 1', fraction);
    if (!(Number.isInteger(every) && every >= 1)) return refuse('every', 'a whole number of at least 1', every);
    const examples = outputs.shape[0];
    const count = Math.max(1, Math.round(fraction * examples));
    const due = state.curvature.updates === 0 || state.step % every === 0;
    if (!due || count === context.sample.outputs.shape[0]) return { sample: context.sample };
    const lineariseAt =
      (inputs: T) =>
      (on: Ops<T>): Linearised<T> =>
        vjp(on, objective.model.program, state.params, [inputs]);
    if (count === examples) {
      const linearise = lineariseAt(batch.inputs);
      return {
        sample: {
          outputs,
          sites,
          pullback,
          sitePullback,
          parameterPullback,
          pushforward,
          targets: batch.targets,
          linearise,
        },
      };
    }
    const drawn = permutation(foldIn(foldIn(state.key, state.step), use), examples);
    const rows = ops.slice(ops.constant(drawn), [0], [count]);
    const inputs = ops.gather(batch.inputs, rows);
    const linearise = lineariseAt(inputs);
    return {
      sample: {
        ...linearise(ops),
        linearise,
        targets: batch.targets === batch.inputs ? inputs : ops.gather(batch.targets, rows),
      },
    };
  });
