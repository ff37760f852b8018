import { apply } from '../../../src/core/operators/apply.ts';
import { dense } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { invertDensely } from '../../../src/solvers/inverses/denseInverse.ts';
import { scaledError } from '../../support/closeness.ts';
import { orThrow, referenceEnv } from '../../support/training.ts';

const { backend } = referenceEnv();
const { ops } = backend;

describe('denseInverse', () => {
  it('worked example: 8 / (3 + 1)', async () => {
    const inverse = orThrow(await invertDensely(backend, blockDiagonal({ b: dense(tensor([3], [1, 1])) }), 1)());
    expect(scaledError(apply(ops, inverse, { b: tensor([8], [1, 1]) })['b'].data, [2])).toBeLessThan(1e-15);
  });

  it('an indefinite block is an error that names it and the damping', async () => {
    const operator = blockDiagonal({ head: dense(tensor([-3], [1, 1])) });
    expect(await invertDensely(backend, operator, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'head', damping: 1 },
    });
  });

  it('refuses an operator that is not block-diagonal', async () => {
    expect(await invertDensely(backend, damped(blockDiagonal({}), 1), 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'operator', actual: 'damped' },
    });
  });
});
