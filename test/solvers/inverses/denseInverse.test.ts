import * as E from 'fp-ts/lib/Either.js';

import { describeError } from '../../../src/core/errors.ts';
import { kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { apply } from '../../../src/core/operators/apply.ts';
import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { orThrow, referenceEnv } from '../../support/training.ts';
import { denseInverse } from '../../../src/solvers/inverses/denseInverse.ts';
import { inverted } from '../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;

describe('denseInverse', () => {
  it('worked example: 8 / (3 + 1)', async () => {
    const inverse = orThrow(
      await inverted(denseInverse(), backend, blockDiagonal({ b: dense(tensor([3], [1, 1])) }), 1)(),
    );
    expect(scaledError(apply(ops, inverse, { b: tensor([8], [1, 1]) })['b'].data, [2])).toBeLessThan(1e-15);
  });

  it('a block that is hopeless is an error that names it and the last damping', async () => {
    const operator = blockDiagonal({ head: dense(tensor([-1e9], [1, 1])) });
    expect(await inverted(denseInverse(), backend, operator, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'head', damping: 1e6 },
    });
  });

  it('a block that is too large is refused before it is formed, with the bytes that it would take', async () => {
    const wide = blockDiagonal({ wide: kroneckerOf(ops.full([785, 785], 0), ops.full([10, 10], 0)) });
    const refused = await inverted(denseInverse(), backend, wide, 1)();
    expect(E.isLeft(refused) && describeError(refused.left)).toMatch(
      /wide: .*at most 4096 elements.*7850 elements.*492980000 bytes/,
    );
    const small = blockDiagonal({ head: dense(ops.full([3, 3], 0)), gain: diagonal(ops.full([9], 1)) });
    expect(await inverted(denseInverse({ limit: 2 }), backend, small, 1)()).toMatchObject({ left: { path: 'head' } });
    expect(E.isRight(await inverted(denseInverse({ limit: 3 }), backend, small, 1)())).toBe(true);
  });

  it('refuses an operator that is not block-diagonal', async () => {
    expect(await inverted(denseInverse(), backend, damped(blockDiagonal({}), 1), 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'operator', actual: 'damped' },
    });
  });
});
