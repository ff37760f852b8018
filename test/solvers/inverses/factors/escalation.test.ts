/**
 * What is reported where λ had to rise, by every inverse that raises it.
 */
import { kronecker, kroneckerOf } from '../../../../src/core/operators/blockOperator.ts';
import { sumOf } from '../../../../src/core/operators/composite.ts';
import { dense, diagonal } from '../../../../src/core/operators/factors/factor.ts';
import type { LinearOperator } from '../../../../src/core/operators/linearOperator.ts';
import { blockDiagonal } from '../../../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { autoInverse } from '../../../../src/solvers/inverses/autoInverse.ts';
import { choleskySolve } from '../../../../src/solvers/inverses/choleskySolve.ts';
import { classWiseInverse } from '../../../../src/solvers/inverses/classWiseInverse.ts';
import { denseInverse } from '../../../../src/solvers/inverses/denseInverse.ts';
import { kroneckerInverse } from '../../../../src/solvers/inverses/kroneckerInverse.ts';
import { newtonSchulz } from '../../../../src/solvers/inverses/newtonSchulz.ts';
import { tridiagonalInverse } from '../../../../src/solvers/inverses/tridiagonalInverse.ts';
import { twoTermSolve } from '../../../../src/solvers/inverses/twoTermSolve.ts';
import type { Inverse } from '../../../../src/solvers/solver/inverse.ts';
import { orThrow, referenceEnv } from '../../../support/training.ts';

const { backend } = referenceEnv();

const one = (x: number): Tensor => tensor([x], [1, 1]);

/** A block that needs λ > 5, another that needs none, a diagonal. */
const curvature: LinearOperator<Tensor> = blockDiagonal<Tensor>({
  bad: dense(one(-5)),
  good: kroneckerOf(one(2), one(3)),
  words: kronecker(diagonal(tensor([1, 0], [2])), dense(one(2))),
  gain: diagonal(tensor([1], [1])),
});

const blockwise: ReadonlyArray<Inverse> = [
  kroneckerInverse,
  choleskySolve,
  newtonSchulz(),
  denseInverse(),
  classWiseInverse(),
  twoTermSolve,
  autoInverse,
];

describe('λ that had to rise', () => {
  it.each(blockwise.map((inverse) => [inverse.name, inverse] as const))(
    '%s reports it for the block that it rose for, and for no other',
    async (_, { prepare }) => {
      const { metrics } = orThrow(await prepare(backend, curvature, 1, null)());
      const raised = Object.entries(metrics).filter(([name]) => name.startsWith('raisedDamping'));
      expect(raised).toEqual([['raisedDamping.bad', 10]]);
    },
  );

  it.each(blockwise.map((inverse) => [inverse.name, inverse] as const))(
    '%s reports nothing where it was enough',
    async (_, { prepare }) => {
      const { metrics } = orThrow(await prepare(backend, curvature, 6, null)());
      expect(Object.keys(metrics).filter((name) => name.startsWith('raisedDamping'))).toEqual([]);
    },
  );

  it('a sum of two terms reports it, too', async () => {
    const two = blockDiagonal<Tensor>({ head: sumOf([kroneckerOf(one(-1), one(1)), kroneckerOf(one(-1), one(1))]) });
    const { metrics } = orThrow(await classWiseInverse().prepare(backend, two, 0.5, null)());
    expect(Object.keys(metrics)).toEqual(['raisedDamping.head']);
  });

  it('a chain has one λ, which is reported for all its blocks', async () => {
    const { metrics } = orThrow(
      await tridiagonalInverse.prepare(
        backend,
        blockDiagonal({ a: kroneckerOf(one(-1), one(1)), b: kroneckerOf(one(2), one(2)) }),
        0.5,
        null,
      )(),
    );
    expect(metrics).toEqual({ 'raisedDamping.a': 5, 'raisedDamping.b': 5 });
  });
});
