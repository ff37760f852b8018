/**
 * An optimizer that no library ships, from public parts, on real data.
 *
 * The exact Fisher instead of a sampled one; in the body of the network every layer linked with the next, at its head a
 * Kronecker product for each class; conjugate gradients on that curvature, preconditioned by whichever inverse suits each
 * part; learning rate and momentum by the quadratic model on a quarter of the batch; Levenberg–Marquardt damping. In a
 * project of your own the imports read `kfac-ts/core`, `kfac-ts/curvature`, `kfac-ts/solvers` and `kfac-ts/pipelines`.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { backward, describeError, forward, pipeline, softmaxCrossEntropy, withBackend } from '../src/core/index.ts';
import { bySite, capture, classKfac, exact, sample, tridiagonalKfac, updateFactors } from '../src/curvature/index.ts';
import {
  accuracy,
  classes,
  mnistClassifier,
  nodeFileSystem,
  perceptron,
  supervised,
  train,
} from '../src/pipelines/index.ts';
import type { Optimizer } from '../src/solvers/index.ts';
import { autoInverse, damp, iterative, levenbergMarquardt, quadraticUpdate, solve } from '../src/solvers/index.ts';

const damping = 0.1;

/** The optimizer: stages in order, each a value that could be another. */
const chainedCg: Optimizer = {
  name: 'chained-cg',
  hyperparameters: { damping },
  step: pipeline(
    forward,
    backward,
    capture(exact(), { every: 2 }),
    updateFactors(bySite([{ sites: ['4'], curvature: classKfac({ classes }) }], tridiagonalKfac({ decay: 0.95 }))),
    damp(damping),
    solve(iterative('cg', { preconditioner: autoInverse, every: 10, maxIterations: 10, tolerance: 1e-3 })),
    sample({ fraction: 0.25 }),
    quadraticUpdate,
    levenbergMarquardt({ every: 5 }),
  ),
};

const task = supervised({
  name: 'three-layers',
  model: perceptron('three-layers', [784, 128, 64, classes]),
  loss: softmaxCrossEntropy,
  measures: { accuracy },
  load: mnistClassifier.ofSize('small').load,
});

const program = withBackend({}, (backend) =>
  pipe(
    task.load(nodeFileSystem),
    TE.chain((data) =>
      train({ backend, clock: () => performance.now() / 1000 }, { ...task, data }, chainedCg, {
        duration: { steps: 60 },
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
      console.log(`${chainedCg.name}: test loss ${test.loss.toFixed(3)} after ${steps} steps`, test.measures);
    },
  ),
);
