import fc from 'fast-check';

import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { exponential } from '../../../src/solvers/schedules.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { runStage, tryStage } from '../../support/training.ts';

const one = tensor([1], [1]);
const start = initialState({ w: one }, keyOf(1));
const batch = { inputs: one, targets: one };

describe('damp', () => {
  it('law: λ of the step is that of its schedule, and is reported', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (step) => {
        const schedule = exponential(10, 0.5, 100, 0.1);
        const found = await runStage(pipeline(damp(schedule)), { ...start, step }, batch);
        expect(found).toMatchObject({ damping: schedule(step), metrics: { damping: schedule(step) } });
      }),
    );
  });

  it('law: an adapted λ in the state wins', async () => {
    const found = await runStage(pipeline(damp(3)), { ...start, scalars: { damping: 0.25 } }, batch);
    expect(found.damping).toBe(0.25);
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses λ = %p, with the step', async (lambda) => {
    expect(await tryStage(pipeline(damp(lambda)), { ...start, step: 7 }, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'damping', actual: `${lambda} at step 7` },
    });
  });
});
