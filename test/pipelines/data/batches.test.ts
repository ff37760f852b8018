import fc from 'fast-check';

import { keyOf } from '../../../src/core/random/key.ts';
import type { BatchPlan } from '../../../src/pipelines/data/batches.ts';
import { batchIndices, epochOf, range } from '../../../src/pipelines/data/batches.ts';

const planOf: fc.Arbitrary<BatchPlan> = fc.record({
  key: fc.nat().map(keyOf),
  size: fc.integer({ min: 1, max: 40 }),
  batch: fc.integer({ min: 1, max: 50 }),
});

/** The first examples of a run, in the order in which steps see them. */
const stream = (plan: BatchPlan, steps: number): ReadonlyArray<number> =>
  Array.from({ length: steps }, (_, step) => Array.from(batchIndices(plan, step).indices)).flat();

describe('batches', () => {
  it('law: each epoch of the stream is a permutation of the data set', () => {
    fc.assert(
      fc.property(planOf, (plan) => {
        const examples = stream(plan, Math.ceil((3 * plan.size) / plan.batch));
        for (const epoch of [0, 1, 2]) {
          const part = examples.slice(epoch * plan.size, (epoch + 1) * plan.size);
          expect(part.toSorted((a, b) => a - b)).toEqual(Array.from(range(0, plan.size)));
        }
      }),
    );
  });

  it('law: a batch depends on key and step alone. known epochs change nothing, so resumed = uninterrupted', () => {
    fc.assert(
      fc.property(planOf, fc.nat({ max: 30 }), fc.nat({ max: 5 }), (plan, step, epoch) => {
        const direct = batchIndices(plan, step);
        const carried = batchIndices(plan, step, step === 0 ? undefined : batchIndices(plan, step - 1).epoch);
        const unrelated = batchIndices(plan, step, epochOf(plan, epoch));
        expect(carried).toEqual(direct);
        expect(unrelated).toEqual(direct);
      }),
    );
  });

  it('law: all batches have the same size', () => {
    fc.assert(
      fc.property(planOf, fc.nat({ max: 30 }), (plan, step) => {
        expect(batchIndices(plan, step).indices).toHaveLength(plan.batch);
      }),
    );
  });

  it('orders differ between epochs and between keys', () => {
    const plan = { key: keyOf(1), size: 1000, batch: 1000 };
    const order = (step: number, key = plan.key): ReadonlyArray<number> =>
      Array.from(batchIndices({ ...plan, key }, step).indices);
    expect(order(0)).not.toEqual(order(1));
    expect(order(0)).not.toEqual(order(0, keyOf(2)));
  });

  it('worked example: a batch across two epochs takes the end of one and the start of the next', () => {
    const plan = { key: keyOf(3), size: 5, batch: 4 };
    const [first, second] = [epochOf(plan, 0), epochOf(plan, 1)];
    const expected = [first.order[4], second.order[0], second.order[1], second.order[2]];
    expect(Array.from(batchIndices(plan, 1).indices)).toEqual(expected);
    expect(batchIndices(plan, 1).epoch).toEqual(second);
  });
});
