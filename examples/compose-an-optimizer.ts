/**
 * An optimizer that no library ships, from public parts, on real data.
 *
 * EKFAC with exact instead of sampled Fisher statistics, second moments every step and eigenbases every tenth, a
 * quadratic-model learning rate and momentum on a quarter of the batch, and Levenberg–Marquardt damping. In a project of
 * your own the imports read `kfac-ts/core`, `kfac-ts/curvature`, `kfac-ts/solvers` and `kfac-ts/pipelines`.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { backward, describeError, forward, pipeline, withBackend } from '../src/core/index.ts';
import { capture, exact, kfac, sample, updateFactors } from '../src/curvature/index.ts';
import { mnistClassifier, nodeFileSystem, train } from '../src/pipelines/index.ts';
import type { Optimizer } from '../src/solvers/index.ts';
import { ekfac, levenbergMarquardt, quadraticUpdate, solve } from '../src/solvers/index.ts';

const damping = 1;

/** The optimizer: eight stages, each a value that could be another. */
const exactEkfac: Optimizer = {
  name: 'exact-ekfac',
  hyperparameters: { damping },
  step: (objective) =>
    pipeline(
      forward(objective),
      backward(objective),
      capture(exact(), objective.loss),
      updateFactors(kfac({ decay: 0.95 })),
      solve(ekfac({ damping, every: 10 })),
      sample(objective, { fraction: 0.25 }),
      quadraticUpdate(objective, { damping }),
      levenbergMarquardt(objective, { damping, every: 5 }),
    ),
};

const task = mnistClassifier.ofSize('small');

const program = withBackend({}, (backend) =>
  pipe(
    task.load(nodeFileSystem),
    TE.chain((data) =>
      train({ backend, clock: () => performance.now() / 1000 }, { ...task, data }, exactEkfac, {
        duration: { steps: 30 },
        batch: 500,
        seed: 1,
      }),
    ),
  ),
);

pipe(
  await program(),
  E.fold(
    (error) => {
      console.error(describeError(error));
      process.exitCode = 1;
    },
    ({ steps, test }) => {
      console.log(`${exactEkfac.name}: test loss ${test.loss.toFixed(3)} after ${steps} steps`, test.measures);
    },
  ),
);
