import fc from 'fast-check';

import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import type { Params } from '../../../../src/core/params.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { clipByGlobalNorm } from '../../../../src/solvers/update/rules/clipByGlobalNorm.ts';
import { innerProduct } from '../../../../src/core/ops/innerProduct.ts';
import { klClip } from '../../../../src/solvers/update/rules/klClip.ts';
import { momentum } from '../../../../src/solvers/update/rules/momentum.ts';
import type { Proposal, UpdateRule } from '../../../../src/solvers/update/rules/rule.ts';
import { weightDecay } from '../../../../src/solvers/update/rules/weightDecay.ts';
import { gaussian } from '../../../support/training.ts';
import { loopBackend } from '../../../core/backends/host/support.ts';

const { ops } = referenceBackend();

const tree = (seed: number): Params<Tensor> => ({ a: gaussian(seed, [2, 3]), b: gaussian(seed + 1, [3]) });

const proposal = (direction: Params<Tensor>, rest: Partial<Proposal<Tensor>> = {}): Proposal<Tensor> => ({
  direction,
  gradient: direction,
  params: tree(99),
  learningRate: 0.1,
  memory: undefined,
  ...rest,
});

const inner = (x: Params<Tensor>, y: Params<Tensor>): number => innerProduct(ops, x, y).data[0];

const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

describe('KL clip', () => {
  it('law: met with equality when active, η² ⟨νΔ, ν∇⟩ = κ ν … that is η² ν² ⟨Δ, ∇⟩ = κ; otherwise nothing changes', () => {
    fc.assert(
      fc.property(fc.nat(), positive, positive, (seed, kappa, eta) => {
        const delta = tree(seed);
        const { direction } = klClip(kappa).revise(ops, proposal(delta, { learningRate: eta }));
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
    const { direction, metrics } = klClip(1).revise(ops, proposal(delta, { learningRate: 1 }));
    expect(Array.from(direction['a'].data)).toEqual([1]);
    expect(metrics).toMatchObject({ klScale: { data: Float64Array.of(0.5) } });
  });

  it('worked example: in f32, η = 1e30 is bounded like any other, not to a step of nothing', () => {
    const single = loopBackend('f32').backend.ops;
    const delta = { a: tensor([2], [1], 'f32') };
    const { direction } = klClip(1).revise(single, { ...proposal(delta, { learningRate: 1e30 }), params: delta });
    expect(1e30 * direction['a'].data[0]).toBeCloseTo(1, 6);
  });

  it('a zero direction stays zero', () => {
    const { direction } = klClip(1).revise(ops, proposal({ a: tensor([0, 0], [2]) }));
    expect(Array.from(direction['a'].data)).toEqual([0, 0]);
  });
});

describe('clip by global norm', () => {
  it('law: the norm is at most the bound, and short directions pass', () => {
    fc.assert(
      fc.property(fc.nat(), positive, (seed, bound) => {
        const d = tree(seed);
        const { direction } = clipByGlobalNorm(bound).revise(ops, proposal(d));
        const norm = Math.sqrt(inner(direction, direction));
        expect(norm).toBeLessThanOrEqual(bound * (1 + 1e-12));
        if (Math.sqrt(inner(d, d)) <= bound) expect(direction['a'].data).toEqual(d['a'].data);
      }),
    );
  });
});

describe('momentum', () => {
  const run = (rule: UpdateRule, directions: ReadonlyArray<number>): ReadonlyArray<number> =>
    directions.reduce(
      (seen: { readonly out: ReadonlyArray<number>; readonly memory: Params<Tensor> | undefined }, d) => {
        const revision = rule.revise(ops, proposal({ a: tensor([d], [1]) }, { memory: seen.memory }));
        return { out: [...seen.out, revision.direction['a'].data[0]], memory: revision.memory };
      },
      { out: [], memory: undefined },
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
    const { direction } = weightDecay(0.3).revise(ops, proposal(d));
    const expected = ops.add(d['b'], ops.scale(0.3, tree(99)['b']));
    expect(direction['b'].data).toEqual(expected.data);
  });
});

describe('purity', () => {
  it.each([klClip(0.01), clipByGlobalNorm(0.01), momentum(0.9), weightDecay(0.1)])(
    'law: $name leaves its inputs bit-identical',
    (rule) => {
      const given = proposal(tree(3), { memory: tree(5) });
      const before = structuredClone(given);
      rule.revise(ops, given);
      expect(given).toEqual(before);
    },
  );
});
