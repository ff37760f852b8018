/**
 * What a whole training step costs, counted by running it on the shape interpreter.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { shapeInterpreter } from '../src/core/autodiff/shape.ts';
import type { Backend, LinearAlgebra } from '../src/core/backends/backend.ts';
import type { Step } from '../src/core/pipeline/stage.ts';
import type { TrainState } from '../src/core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../src/core/tensor.ts';
import { generate } from '../src/core/tensor.ts';
import { succeed } from './succeed.ts';

/** Floating-point operations of some steps. */
export interface StepCount {
  readonly flops: number;
  readonly next: TrainState<Shaped>;
}

/**
 * Runs one step on shapes. Factorisations count n³ for an inverse, n³/3 for a Cholesky factor, 9 n³ for an
 * eigendecomposition.
 *
 * @param step - any step
 * @param state - state of shapes
 * @param batch - batch of shapes
 */
export const countStep = async (
  step: Step,
  state: TrainState<Shaped>,
  batch: { readonly inputs: Shaped; readonly targets: Shaped },
): Promise<StepCount> => {
  const { ops, tally } = shapeInterpreter();
  let factorisations = 0;
  const counted = <A>(flops: number, result: A): TE.TaskEither<never, A> => {
    factorisations += flops;
    return TE.right(result);
  };
  const linearAlgebra: LinearAlgebra<Shaped> = {
    cholesky: (m) => counted(m.shape[0] ** 3 / 3, m),
    choleskySolve: (l, b) => counted(2 * l.shape[0] ** 2 * b.shape[1], b),
    inverse: (m) => counted(m.shape[0] ** 3, m),
    solve: (m, b) => counted((2 / 3) * m.shape[0] ** 3, b),
    eigh: (m) => counted(9 * m.shape[0] ** 3, { values: { shape: [m.shape[0]] }, vectors: m }),
  };
  const backend: Backend<Shaped> = {
    name: 'shape',
    dtype: 'f32',
    ops,
    linearAlgebra,
    read: ({ shape }) => TE.right<never, Tensor>(generate(shape, () => 1)),
    scope: () => ({ backend, close: () => undefined }),
    report: () => ({ backend: 'shape', library: '', threads: 1, factorisations: 'counted', warnings: [] }),
    dispose: TE.right(undefined),
  };
  const { next } = succeed(await step.run({ state, batch, metrics: {} })({ backend, clock: () => 0 })());
  return { flops: tally().flops + factorisations, next };
};
