/**
 * Lines about what steps cost: before a run, and in summaries.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { describeError } from '../../core/errors.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { stepCostText } from '../reports/stepCostText.ts';
import type { Countable, StepCost } from '../trainer/counted.ts';
import { stepCostOf } from '../trainer/counted.ts';

/** What a step of an optimizer costs, or why that is not known. */
export interface CostLine {
  readonly optimizer: string;
  readonly text: string;
  readonly cost: StepCost | null;
}

/**
 * A line for each optimizer.
 *
 * @param of - what is counted
 * @param optimizers - whose steps
 * @param steps - how many of each, at least 1
 */
export const costLines = (
  of: Countable,
  optimizers: ReadonlyArray<Optimizer>,
  steps: number,
): T.Task<ReadonlyArray<CostLine>> =>
  pipe(
    optimizers,
    T.traverseSeqArray((optimizer) => {
      const { name } = optimizer;
      return pipe(
        stepCostOf(of, optimizer, steps),
        TE.match(
          (error): CostLine => ({
            optimizer: name,
            text: `${name}: its steps cannot be counted. ${describeError(error)}`,
            cost: null,
          }),
          (cost) => ({ optimizer: name, text: stepCostText(name, cost), cost }),
        ),
      );
    }),
  );
