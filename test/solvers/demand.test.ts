import fc from 'fast-check';

import type { KfacError } from '../../src/core/errors.ts';
import { learn } from '../../src/core/pipeline/withObjective.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import type { Foresee } from '../../src/core/pipeline/stage.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { turns } from '../../src/solvers/games/turns.ts';
import { partition } from '../../src/solvers/groups/partition.ts';
import { foreseeing } from '../../src/solvers/demand.ts';
import { kfac } from '../../src/solvers/presets/kfac.ts';
import { sgd } from '../../src/solvers/presets/sgd.ts';
import type { GradientOptimizer } from '../../src/solvers/presets/optimizer.ts';
import { gradientOptimizer } from '../../src/solvers/presets/optimizer.ts';
import { constant, cosine, exponential } from '../../src/solvers/schedules.ts';
import type { Schedule } from '../../src/solvers/schedules.ts';
import { identity } from '../../src/solvers/solver/firstOrder.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { update } from '../../src/solvers/update/update.ts';
import { descent } from '../../src/core/pipeline/descent.ts';
import { none, stateOf, tryStage } from '../support/training.ts';
import { tensor } from '../../src/core/tensor.ts';

const positive = { path: 'number', expected: 'a number above 0', holds: (value: number) => value > 0 };

describe('what a schedule will give', () => {
  it('law: it is foreseen to fail where it does, first of all steps of the run', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (from, length, end) => {
        const schedule: Schedule = (step) => end - step;
        const error = foreseeing(schedule, positive)(from, from + length);
        const failing = Array.from({ length }, (_, i) => from + i).find((step) => !(schedule(step) > 0));
        expect(error).toEqual(
          failing === undefined
            ? null
            : {
                _tag: 'BadConfig',
                path: 'number',
                expected: 'a number above 0 at every step',
                actual: `${end - failing} at step ${failing}`,
              },
        );
      }),
    );
  });

  it('of a run too long to look at every step, the last one is looked at', () => {
    const schedule: Schedule = (step) => (step < 5e6 ? 1 : 0);
    expect(foreseeing(schedule, positive)(0, 4e6)).toBeNull();
    expect(foreseeing(schedule, positive)(0, 6e6)).toMatchObject({ actual: '0 at step 5999999' });
  });
});

/** An optimizer that has both kinds of schedule and goes no further. */
const scheduled = (damping: Schedule, learningRate: Schedule): GradientOptimizer =>
  gradientOptimizer({
    name: 'scheduled',
    hyperparameters: {},
    descent: descent(damp(damping), solve(identity), update({ learningRate })),
  });

const fading = cosine(1, 10);
const one = constant(1);
const askedAt = (found: { readonly foresee?: Foresee }, to: number): KfacError | null => found.foresee?.(0, to) ?? null;

describe('a step foresees', () => {
  it('a damping that becomes 0 and a learning rate that is no number, wherever they stand', () => {
    const damping = { _tag: 'BadConfig', path: 'damping', actual: '0 at step 10' };
    const { step } = scheduled(fading, one);
    expect(askedAt(step, 10)).toBeNull();
    expect(askedAt(step, 11)).toMatchObject(damping);
    expect(askedAt(pipeline(forward, backward, scheduled(fading, one).descent), 11)).toMatchObject(damping);
    expect(askedAt(learn(none, step), 11)).toMatchObject(damping);
    // (−2)^½ is no number.
    expect(askedAt(scheduled(one, exponential(1, -2, 2, -9)).step, 2)).toMatchObject({
      path: 'learningRate',
      expected: 'a finite number at every step',
      actual: 'NaN at step 1',
    });
  });

  it('what groups and players do, under their names', () => {
    const groups = {
      head: { parameters: ['0'], optimizer: sgd() },
      body: { parameters: 'rest', optimizer: scheduled(fading, one) },
    } as const;
    expect(askedAt(partition(groups).step, 11)).toMatchObject({ path: 'body.damping' });
    expect(askedAt(partition(groups).step, 10)).toBeNull();
    const still = partition({ ...groups, head: { parameters: ['0'], optimizer: null } });
    expect(askedAt(still.step, 11)).toMatchObject({ path: 'body.damping' });
    const players = turns([
      { name: 'first', parameters: ['0'], objective: none, optimizer: sgd() },
      { name: 'second', parameters: 'rest', objective: none, optimizer: scheduled(fading, one) },
    ]);
    expect(askedAt(players, 11)).toMatchObject({ path: 'second.damping' });
  });

  it('settings of a preset that are out of range, which its first step refuses as well', async () => {
    const { step } = kfac({ damping: -1 });
    expect(askedAt(step, 1)).toMatchObject({ _tag: 'BadConfig', path: 'kfac.damping' });
    const data = { inputs: tensor([1], [1, 1]), targets: tensor([1], [1, 1]) };
    expect(await tryStage(step, stateOf(none.model, 1), data)).toMatchObject({ left: { path: 'kfac.damping' } });
  });
});

it('a learning rate that is no number is refused in a step, too', async () => {
  const { step } = scheduled(one, () => Number.NaN);
  const data = { inputs: tensor([1], [1, 1]), targets: tensor([1], [1, 1]) };
  expect(await tryStage(step, stateOf(none.model, 1), data)).toMatchObject({
    left: { _tag: 'BadConfig', path: 'learningRate', actual: 'NaN at step 0' },
  });
});
