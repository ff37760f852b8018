import fc from 'fast-check';

import type { Backend } from '../../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import * as E from 'fp-ts/lib/Either.js';

import { attempt } from '../../../../src/core/errors.ts';
import type { Params } from '../../../../src/core/params.ts';
import { mapParams, zipParams } from '../../../../src/core/params.ts';
import type { RuleMemory } from '../../../../src/core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { clipByGlobalNorm } from '../../../../src/solvers/update/rules/clipByGlobalNorm.ts';
import { innerProduct } from '../../../../src/core/ops/innerProduct.ts';
import { klClip } from '../../../../src/solvers/update/rules/klClip.ts';
import { momentum } from '../../../../src/solvers/update/rules/momentum.ts';
import { onlyFor } from '../../../../src/solvers/update/rules/onlyFor.ts';
import type { Proposal, UpdateRule } from '../../../../src/solvers/update/rules/rule.ts';
import { renamed, rule } from '../../../../src/solvers/update/rules/rule.ts';
import { weightDecay } from '../../../../src/solvers/update/rules/weightDecay.ts';
import { scaledError } from '../../../support/closeness.ts';
import { onEveryBackend } from '../../../support/everyBackend.ts';
import { gaussian, orThrow } from '../../../support/training.ts';
import { singleBackend } from '../../../support/single.ts';
import { loopBackend } from '../../../core/backends/host/support.ts';

const { ops } = referenceBackend();

const tree = (seed: number): Params<Tensor> => ({ a: gaussian(seed, [2, 3]), b: gaussian(seed + 1, [3]) });

const proposal = (direction: Params<Tensor>, rest: Partial<Proposal<Tensor>> = {}): Proposal<Tensor> => ({
  direction,
  gradient: direction,
  params: tree(99),
  learningRate: 0.1,
  ...rest,
});

const inner = (x: Params<Tensor>, y: Params<Tensor>): number => innerProduct(ops, x, y).data[0];

const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

describe('bounds', () => {
  const of32 = singleBackend().ops;
  const still = { a: tensor([0, 0], [2]) };
  it.each([1e-300, 1e-30, 1, 1e30, 1e300])('law: %p leaves 0 at 0, in 32 bits as well', (bound) => {
    for (const made of [klClip(bound), clipByGlobalNorm(bound)]) {
      const { direction, metrics } = made.revise(of32, proposal(still), null);
      expect(Array.from(direction['a'].data)).toEqual([0, 0]);
      expect(Object.values(metrics ?? {})).toMatchObject([{ data: Float64Array.of(1) }]);
    }
  });

  it.each([1e39, 1e300])('law: one of %p, which 32 bits do not hold, bounds nothing', (bound) => {
    const delta = { a: tensor([3, 4], [2]) };
    for (const made of [klClip(bound ** 2 < Infinity ? bound ** 2 : bound), clipByGlobalNorm(bound)]) {
      expect(Array.from(made.revise(of32, proposal(delta), null).direction['a'].data)).toEqual([3, 4]);
    }
  });
});

describe('KL clip', () => {
  it('law: met with equality when active, η² ⟨νΔ, ν∇⟩ = κ ν … that is η² ν² ⟨Δ, ∇⟩ = κ; otherwise nothing changes', () => {
    fc.assert(
      fc.property(fc.nat(), positive, positive, (seed, kappa, eta) => {
        const delta = tree(seed);
        const { direction } = klClip(kappa).revise(ops, proposal(delta, { learningRate: eta }), null);
        const before = eta ** 2 * inner(delta, delta);
        // Here ∇ = Δ, so both are scaled by ν.
        const after = eta ** 2 * inner(direction, direction);
        if (before > kappa) expect(Math.abs(after / kappa - 1)).toBeLessThan(1e-10);
        else expect(direction['a'].data).toEqual(delta['a'].data);
      }),
    );
  });

  it('worked example: κ = 1, η = 1, ⟨Δ, ∇⟩ = 4 gives ν = 1/2', () => {
    const delta = { a: tensor([2], [1]) };
    const { direction, metrics } = klClip(1).revise(ops, proposal(delta, { learningRate: 1 }), null);
    // √2 √2 is not 2 in floating point, but next to it.
    expect(direction['a'].data[0]).toBeCloseTo(1, 14);
    const { klScale } = metrics ?? {};
    expect(typeof klScale === 'object' ? klScale.data[0] : NaN).toBeCloseTo(0.5, 14);
  });

  it('worked example: in f32, η = 1e30 is bounded like any other, not to a step of nothing', () => {
    const single = loopBackend('f32').backend.ops;
    const delta = { a: tensor([2], [1], 'f32') };
    const { direction } = klClip(1).revise(single, { ...proposal(delta, { learningRate: 1e30 }), params: delta }, null);
    expect(1e30 * direction['a'].data[0]).toBeCloseTo(1, 6);
  });

  onEveryBackend((name, use) => {
    it(`law: in 32 bits, whatever the sizes of direction and gradient, ν is what it is in exact numbers (${name})`, () =>
      use(async <T extends Shaped>(backend: Backend<T>) => {
        const filled = (value: number): T => backend.ops.constant(generate([4], () => value));
        for (const [d, g, eta] of [
          [1e20, 1e20, 1],
          [1e30, 1e-30, 3],
          [1e-30, 1e30, 3],
          [1e-30, 1e-30, 1e32],
          [1e36, 1e36, 1e-30],
          [1e-36, 1, 1e-3],
        ]) {
          const [direction, gradient] = [{ a: filled(d) }, { a: filled(g) }];
          const given = { direction, gradient, params: direction, learningRate: eta };
          const { metrics, direction: clipped } = klClip(2).revise(backend.ops, given, null);
          // √κ / (η √⟨Δ, ∇⟩), in an order that 64 bits hold.
          const expected = Math.min(1, Math.sqrt(2) / (eta * 2 * Math.sqrt(d) * Math.sqrt(g)));
          const nu = metrics?.['klScale'];
          const found = nu === undefined || typeof nu === 'number' ? NaN : orThrow(await backend.read(nu)()).data[0];
          // A factor below what the precision holds is nothing.
          if (expected > 1e-37) expect(found / expected).toBeCloseTo(1, 4);
          const [made] = orThrow(await backend.read(clipped['a'])()).data;
          if (expected * d > 1e-37 && expected > 1e-37) expect(made / (expected * d)).toBeCloseTo(1, 4);
        }
      }));
  });

  it('a zero direction stays zero', () => {
    const { direction } = klClip(1).revise(ops, proposal({ a: tensor([0, 0], [2]) }), null);
    expect(Array.from(direction['a'].data)).toEqual([0, 0]);
  });
});

describe('clip by global norm', () => {
  it('law: the norm is at most the bound, and short directions pass', () => {
    fc.assert(
      fc.property(fc.nat(), positive, (seed, bound) => {
        const d = tree(seed);
        const { direction } = clipByGlobalNorm(bound).revise(ops, proposal(d), null);
        const norm = Math.sqrt(inner(direction, direction));
        expect(norm).toBeLessThanOrEqual(bound * (1 + 1e-12));
        if (Math.sqrt(inner(d, d)) <= bound) expect(direction['a'].data).toEqual(d['a'].data);
      }),
    );
  });
});

onEveryBackend((name, use) => {
  it.each([
    [3e19, 5],
    [1.8e38, 5e-1],
    [3e-25, 5e-26],
    [3e37, 5e20],
  ])(
    `law: directions are clipped whose squares no precision holds: (%p, 4/3 of it) to %p: ${name}`,
    async (x, bound) => {
      await use(async <T extends Shaped>({ ops: on, read }: Backend<T>) => {
        const direction = { a: on.constant(tensor([x], [1])), b: on.constant(tensor([(4 / 3) * x], [1])) };
        const seen = { direction, gradient: direction, params: direction, learningRate: 0.1 };
        const { a, b } = clipByGlobalNorm(bound).revise(on, seen, null).direction;
        const found = [orThrow(await read(a)()).data[0], orThrow(await read(b)()).data[0]];
        expect(scaledError(found, [0.6 * bound, 0.8 * bound])).toBeLessThan(1e-6);
        expect(found[0] / (0.6 * bound)).toBeCloseTo(1, 5);
      });
    },
  );
});

describe('momentum', () => {
  const run = (revised: UpdateRule, directions: ReadonlyArray<number>): ReadonlyArray<number> =>
    directions.reduce(
      (seen: { readonly out: ReadonlyArray<number>; readonly memory: RuleMemory<Tensor> | null }, d) => {
        const { direction, memory = null } = revised.revise(ops, proposal({ a: tensor([d], [1]) }), seen.memory);
        return { out: [...seen.out, direction['a'].data[0]], memory };
      },
      { out: [], memory: null },
    ).out;

  it('worked example: v ← ½ v + d on 8, 0, 0, 2', () => {
    expect(run(momentum(0.5), [8, 0, 0, 2])).toEqual([8, 4, 2, 3]);
  });

  it('worked example: Nesterov looks ahead, d + ½ v', () => {
    expect(run(momentum(0.5, { nesterov: true }), [8, 0, 2])).toEqual([12, 2, 4]);
  });

  it('law: μ = 0 is the identity', () => {
    expect(run(momentum(0), [3, -1, 2])).toEqual([3, -1, 2]);
  });
});

describe('weight decay', () => {
  it('law: decoupled, the direction gains w θ', () => {
    const d = tree(1);
    const { direction } = weightDecay(0.3).revise(ops, proposal(d), null);
    const expected = ops.add(d['b'], ops.scale(0.3, tree(99)['b']));
    expect(direction['b'].data).toEqual(expected.data);
  });
});

describe('purity', () => {
  it.each([klClip(0.01), clipByGlobalNorm(0.01), momentum(0.9), weightDecay(0.1), onlyFor(['a'], momentum(0.9))])(
    'law: $name leaves its inputs bit-identical',
    (revised) => {
      const given = { proposal: proposal(tree(3)), memory: { velocity: tree(5) } };
      const before = structuredClone(given);
      revised.revise(ops, given.proposal, given.memory);
      expect(given).toEqual(before);
    },
  );
});

describe('memory', () => {
  /** The mean of the last directions, counted. */
  const mean = rule({
    name: 'mean',
    remembers: { sum: 'params', count: 'number', norm: 'array' },
    revise: (on, { direction }, memory) => {
      const sum = memory === null ? direction : zipParams(direction, memory.sum, (d, s) => on.add(d, s));
      const count = (memory?.count ?? 0) + 1;
      return {
        direction: mapParams(sum, (s) => on.scale(1 / count, s)),
        memory: { sum, count, norm: on.sqrt(innerProduct(on, sum, sum)) },
        metrics: { count },
      };
    },
  });

  it('worked example: a rule of parameters, a number and an array remembers all three', () => {
    const first = mean.revise(ops, proposal({ a: tensor([3, 4], [2]) }), null);
    expect(first.memory).toEqual({ sum: { a: tensor([3, 4], [2]) }, count: 1, norm: tensor([5], []) });
    const second = mean.revise(ops, proposal({ a: tensor([1, 0], [2]) }), first.memory ?? null);
    expect(Array.from(second.direction['a'].data)).toEqual([2, 2]);
  });

  it.each<[string, RuleMemory<Tensor>]>([
    ['lacks a name', { count: 1, norm: tensor([1], []) }],
    ['has a number for an array', { sum: tree(1), count: 1, norm: 1 }],
    ['has an array for parameters', { sum: tensor([1], []), count: 1, norm: tensor([1], []) }],
  ])('a memory that %s is refused', (_, memory) => {
    const outcome = attempt(() => mean.revise(ops, proposal(tree(1)), memory));
    expect(outcome).toMatchObject(E.left({ _tag: 'BadConfig', path: 'rules.mean' }));
  });

  it('law: a rule under another name does what it did, and its metrics carry the name', () => {
    const [own, other] = [mean, renamed('slow', mean)].map((r) => r.revise(ops, proposal(tree(1)), null));
    expect(renamed('slow', mean).name).toBe('slow');
    expect(other).toEqual({ ...own, metrics: { 'slow.count': 1 } });
  });
});

describe('only for some parameters', () => {
  it('law: the others stay as they are; the rule does what it does to a model without them', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('a', 'b'), (seed, path) => {
        const d = tree(seed);
        for (const revised of [klClip(1e-3), clipByGlobalNorm(0.1), momentum(0.9), weightDecay(0.1)]) {
          const only = onlyFor([path], revised).revise(ops, proposal(d), null);
          const alone = revised.revise(
            ops,
            proposal({ [path]: d[path] }, { params: { [path]: tree(99)[path] } }),
            null,
          );
          expect(only).toEqual({ ...alone, direction: { ...d, ...alone.direction } });
        }
      }),
    );
  });

  it('worked example: weights decay, biases and gains do not', () => {
    const params = { 'l.weight': tensor([2], [1, 1]), 'l.bias': tensor([2], [1]), gain: tensor([2], [1]) };
    const zero = mapParams(params, (p) => ops.scale(0, p));
    const { direction } = onlyFor('weights', weightDecay(0.5)).revise(ops, proposal(zero, { params }), null);
    expect(mapParams(direction, ({ data }) => data[0])).toEqual({ 'l.weight': 1, 'l.bias': 0, gain: 0 });
  });

  it('where it has none of the parameters, nothing changes and nothing is remembered', () => {
    const d = tree(1);
    expect(onlyFor(() => false, momentum(0.9)).revise(ops, proposal(d), null)).toEqual({ direction: d });
  });

  it('a word that is no selection is refused when the rule is made', () => {
    const word = JSON.parse('"biases"') as 'weights';
    expect(attempt(() => onlyFor(word, momentum(0.9)))).toMatchObject({
      left: { _tag: 'BadConfig', path: 'rules.momentum', actual: '"biases"' },
    });
  });
});
