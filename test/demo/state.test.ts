import type { Point, Report } from '../../demo/src/messages.ts';
import { defaultSetup } from '../../demo/src/setup.ts';
import type { Event, State } from '../../demo/src/state.ts';
import { initial, recentLoss, reduce, secondsPerStep, silence } from '../../demo/src/state.ts';

const heard = (report: Report, now = 1): Event => ({ type: 'heard', report, now });

const entered: Report = { type: 'entered', lane: 'adam', name: 'adam', flops: 2e9 };

const stepped = (...points: ReadonlyArray<Point>): Report => ({ type: 'stepped', lane: 'adam', points });

const point = (step: number): Point => ({ step, seconds: step / 4, loss: 10 - step });

const after = (...events: ReadonlyArray<Event>): State => events.reduce(reduce, initial(defaultSetup, true));

const started: Event = { type: 'started', now: 0 };

/** The state with everything in it frozen, so that a reducer that changes it fails. */
const frozen = <A>(value: A): A => {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
};

describe('the state of the page', () => {
  it('runs from the first step on, and keeps points in order', () => {
    const begun = after(started, heard(entered));
    expect(begun.phase).toBe('starting');
    const running = [heard(stepped(point(1))), heard(stepped(point(2), point(3)))].reduce(reduce, begun);
    expect(running.phase).toBe('running');
    expect(running.lanes.adam?.points.map(({ step }) => step)).toEqual([1, 2, 3]);
  });

  it('law: reduction changes nothing that it is given', () => {
    const events: ReadonlyArray<Event> = [
      started,
      heard(entered),
      heard(stepped(point(1))),
      { type: 'paused' },
      { type: 'resumed', now: 2 },
      { type: 'ticked', now: 3 },
      { type: 'saw', view: { step: 1, spectra: [] } },
      { type: 'broke', sentence: 'gone' },
      { type: 'reset' },
    ];
    expect(() =>
      events.map(frozen).reduce((state, event) => frozen(reduce(state, event)), frozen(after())),
    ).not.toThrow();
  });

  it('law: reset. What was learned is gone, what was chosen stays', () => {
    const setup = { ...defaultSetup, batch: 7 };
    const reset = after({ type: 'edited', setup }, started, heard(entered), heard(stepped(point(1))), {
      type: 'reset',
    });
    expect(reset).toEqual(initial(setup, true));
  });

  it('does not listen to a worker that was told to stop', () => {
    const reset = after(started, { type: 'reset' });
    expect(reduce(reset, heard(entered))).toBe(reset);
    const failed = after(started, heard({ type: 'failed', sentence: 'no' }));
    expect(failed).toMatchObject({ phase: 'failed', failure: 'no' });
    expect(reduce(failed, heard(entered))).toBe(failed);
  });

  it('pauses what runs, and resumes what is paused, and nothing else', () => {
    expect(after({ type: 'paused' }).phase).toBe('idle');
    expect(after(started, { type: 'paused' }).phase).toBe('paused');
    expect(after(started, { type: 'paused' }, { type: 'resumed', now: 1 }).phase).toBe('starting');
    const running = after(started, heard(entered), heard(stepped(point(1))));
    expect([{ type: 'paused' } as const, { type: 'resumed', now: 1 } as const].reduce(reduce, running).phase).toBe(
      'running',
    );
    expect(after({ type: 'resumed', now: 1 }).phase).toBe('idle');
  });

  it('a change of settings while it runs keeps the curve and takes the new cost', () => {
    const running = after(started, heard(entered), heard(stepped(point(1))), heard({ ...entered, flops: 3e9 }));
    expect(running.lanes.adam).toMatchObject({ flops: 3e9, points: [point(1)] });
  });

  it('says when nothing was heard for more than twenty seconds, but not in a pause', () => {
    const running = after(started, heard(entered, 5), heard(stepped(point(1)), 6));
    expect(silence(reduce(running, { type: 'ticked', now: 26 }))).toBeNull();
    expect(silence(reduce(running, { type: 'ticked', now: 27 }))).toBe(21);
    const paused = [{ type: 'paused' } as const, { type: 'ticked', now: 60 } as const].reduce(reduce, running);
    expect(silence(paused)).toBeNull();
  });

  it('worked example: four steps a second, and the mean of the last five losses', () => {
    const view = { name: 'adam', flops: 1, look: null, points: Array.from({ length: 40 }, (_, i) => point(i + 1)) };
    expect(secondsPerStep(view)).toBeCloseTo(0.25, 12);
    expect(recentLoss(view)).toBeCloseTo(10 - 38, 12);
    expect(secondsPerStep({ ...view, points: [point(1)] })).toBeNull();
    expect(recentLoss({ ...view, points: [] })).toBeNull();
  });
});
