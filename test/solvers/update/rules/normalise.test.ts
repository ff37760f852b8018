import fc from 'fast-check';

import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import type { Params } from '../../../../src/core/params.ts';
import { mapParams } from '../../../../src/core/params.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { momentum } from '../../../../src/solvers/update/rules/momentum.ts';
import { normalise } from '../../../../src/solvers/update/rules/normalise.ts';
import { scaledError } from '../../../support/closeness.ts';
import { onEveryBackend } from '../../../support/everyBackend.ts';
import { gaussian, orThrow } from '../../../support/training.ts';

const { ops } = referenceBackend();

const tree = (seed: number): Params<Tensor> => ({ a: gaussian(seed, [2, 3]), b: gaussian(seed + 1, [3]) });

const times = (c: number, params: Params<Tensor>): Params<Tensor> => mapParams(params, (x) => ops.scale(c, x));

const numbers = (params: Params<Tensor>): ReadonlyArray<number> =>
  Object.values(params).flatMap(({ data }) => Array.from(data));

const proposal = <T>(direction: Params<T>) => ({ direction, gradient: direction, params: direction, learningRate: 1 });

const revised = (direction: Params<Tensor>): Params<Tensor> =>
  normalise().revise(ops, proposal(direction), null).direction;

describe('directions of length 1', () => {
  it('law: their length is 1, and they point where they did', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: -150, max: 150, noNaN: true }), (seed, exponent) => {
        const [one, other] = [revised(tree(seed)), revised(times(10 ** exponent, tree(seed)))];
        expect(Math.hypot(...numbers(one))).toBeCloseTo(1, 12);
        expect(scaledError(numbers(times(Math.hypot(...numbers(tree(seed))), one)), numbers(tree(seed)))).toBeLessThan(
          1e-12,
        );
        expect(scaledError(numbers(other), numbers(one))).toBeLessThan(1e-12);
      }),
    );
  });

  it.each([
    ['parameter', [1, 1, 1]],
    ['layer', [Math.SQRT1_2, 1, Math.SQRT1_2]],
    ['whole', [3 ** -0.5, 3 ** -0.5, 3 ** -0.5]],
  ] as const)('option: by %s', (by, expected) => {
    const one = { 'a.weight': tensor([2], [1]), 'b.weight': tensor([2], [1]), 'a.bias': tensor([2], [1]) };
    const { direction } = normalise({ by }).revise(ops, proposal(one), null);
    expect(Object.keys(direction)).toEqual(Object.keys(one));
    expect(scaledError(numbers(direction), expected)).toBeLessThan(1e-12);
  });

  it('zeros, which point nowhere, stay', () => {
    expect(numbers(revised({ a: tensor([0, 0], [2]) }))).toEqual([0, 0]);
  });

  it('momentum after it forgets a direction a million times as long as others by μ a step', () => {
    const mu = 0.5;
    const [first, second] = [revised({ a: tensor([1e6, 0], [2]) }), revised({ a: tensor([0, 1], [2]) })];
    const begun = momentum(mu).revise(ops, proposal(first), null);
    const { direction } = momentum(mu).revise(ops, proposal(second), begun.memory ?? null);
    expect(numbers(direction)).toEqual([mu, 1]);
  });

  onEveryBackend((name, use) => {
    it.each([1e-30, 1, 1e30])(`law: so they are whose squares no precision holds, of %p (${name})`, (size) =>
      use(async ({ ops: on, read }) => {
        const given = proposal({ a: on.constant(tensor([3 * size, 4 * size], [2])) });
        const { data } = orThrow(await read(normalise().revise(on, given, null).direction['a'])());
        expect(data[0]).toBeCloseTo(0.6, 5);
        expect(data[1]).toBeCloseTo(0.8, 5);
      }),
    );
  });
});
