import { planProduct, planSymmetric } from '../../../../../src/core/backends/gpu/hostMemory/plan.ts';

const plan = (m: number, n: number, k: number, transposeA = false, transposeB = false) =>
  planProduct({ m, n, k, transposeA, transposeB });

describe('plans', () => {
  it('take plain loops where a kernel call costs more', () => {
    expect(plan(8, 8, 8)).toEqual({ by: 'loops' });
    expect(plan(1, 1000, 784, false, true)).toEqual({ by: 'loops' }); // a kernel computes four rows at least
    expect(plan(256, 1000, 1)).toEqual({ by: 'loops' });
    expect(planSymmetric(8, 8)).toEqual({ by: 'loops' });
  });

  it('read rows as they come, and pack columns of large operands', () => {
    expect(plan(256, 784, 1000)).toEqual({ by: 'kernel', swapped: false, left: 'rows', right: 'panels' });
    expect(plan(1000, 784, 256, true)).toEqual({ by: 'kernel', swapped: false, left: 'panels', right: 'panels' });
    expect(planSymmetric(785, 256)).toEqual({ by: 'kernel', layout: 'panels' });
  });

  it('turn a product round when that spares packing, or packs the smaller operand', () => {
    expect(plan(256, 1000, 784, false, true)).toEqual({ by: 'kernel', swapped: true, left: 'rows', right: 'panels' });
    expect(plan(1000, 256, 784, false, true)).toEqual({ by: 'kernel', swapped: false, left: 'rows', right: 'panels' });
    expect(plan(64, 32, 48, true, true)).toEqual({ by: 'kernel', swapped: true, left: 'rows', right: 'columns' });
  });

  it('do not pack what is small or read only a few times, unless it does not fill groups of four', () => {
    expect(plan(64, 64, 64, true)).toEqual({ by: 'kernel', swapped: false, left: 'columns', right: 'columns' });
    expect(plan(4, 1000, 784)).toEqual({ by: 'kernel', swapped: false, left: 'rows', right: 'columns' });
    expect(plan(4, 1001, 784)).toEqual({ by: 'kernel', swapped: false, left: 'rows', right: 'panels' });
    expect(planSymmetric(28, 256)).toEqual({ by: 'kernel', layout: 'columns' });
    expect(planSymmetric(30, 256)).toEqual({ by: 'kernel', layout: 'panels' });
  });
});
