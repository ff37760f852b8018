import fc from 'fast-check';

import type { Params } from '../../../src/core/params.ts';
import { mapParams } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { driftOf } from '../../../src/solvers/solver/drift.ts';
import { gaussian, orThrow, referenceEnv } from '../../support/training.ts';

const { backend } = referenceEnv();
const { ops } = backend;

type Averages = Readonly<Record<string, Params<Tensor>>>;

const drift = async (averages: Averages, from: Averages): Promise<number> =>
  orThrow(await driftOf(backend, averages, from)());

describe('driftOf', () => {
  it('worked example: A from (3, 4) to (3, 7) changes by 3 / 5, G from 1 to 1.5 by ½; the largest counts', async () => {
    const from = { x: { A: tensor([3, 4], [2]), G: tensor([1], [1]) } };
    const averages = { x: { A: tensor([3, 7], [2]), G: tensor([1.5], [1]) } };
    expect(await drift(averages, from)).toBeCloseTo(0.6, 14);
  });

  it('law: scaling invariance. drift(c X, c X₀) = drift(X, X₀), and drift((1 + t) X₀, X₀) = |t|', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: -0.9, max: 3, noNaN: true }),
        async (seed, c, t) => {
          const from = { x: { A: gaussian(seed, [3, 3]), G: gaussian(seed + 1, [2, 2]) } };
          const averages = { x: { A: gaussian(seed + 2, [3, 3]), G: gaussian(seed + 3, [2, 2]) } };
          const scaled = (by: number, { x }: typeof from) => ({ x: mapParams(x, (m) => ops.scale(by, m)) });
          const plain = await drift(averages, from);
          expect(Math.abs((await drift(scaled(c, averages), scaled(c, from))) / plain - 1)).toBeLessThan(1e-12);
          expect(Math.abs((await drift(scaled(1 + t, from), from)) - Math.abs(t))).toBeLessThan(1e-12);
        },
      ),
    );
  });

  it('the same averages have not drifted, and nor have zeros that stay zeros', async () => {
    const zeros = { x: { A: tensor([0, 0], [2]) } };
    expect(await drift(zeros, zeros)).toBe(0);
    expect(await drift({ x: { A: tensor([0, 0], [2]) } }, zeros)).toBe(0);
    expect(await drift({}, {})).toBe(0);
  });

  it('a change from zero, and an average that was not there, are infinite', async () => {
    const zeros = { x: { A: tensor([0], [1]) } };
    expect(await drift({ x: { A: tensor([1e-9], [1]) } }, zeros)).toBe(Infinity);
    expect(await drift({ ...zeros, y: zeros.x }, zeros)).toBe(Infinity);
    expect(await drift({ x: { ...zeros.x, G: tensor([1], [1]) } }, zeros)).toBe(Infinity);
  });

  it('what is not a number has drifted to NaN', async () => {
    expect(await drift({ x: { A: tensor([Number.NaN], [1]) } }, { x: { A: tensor([1], [1]) } })).toBeNaN();
  });
});
