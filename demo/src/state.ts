/**
 * What the page knows, and how it changes: one immutable value and one pure function.
 *
 * @module
 */
import type { BackendReport } from 'kfac-ts/core';

import type { Examples, Look, Point, Report, Spectrum } from './messages.ts';
import type { LaneId, Setup } from './setup.ts';

/** What the page is doing. */
export type Phase = 'idle' | 'starting' | 'running' | 'paused' | 'failed';

/** What is known of a lane. */
export interface LaneView {
  readonly name: string;
  readonly flops: number;
  readonly points: ReadonlyArray<Point>;
  readonly look: Look | null;
}

/** Eigenvalues of the factors at a step. */
export interface SpectraView {
  readonly step: number;
  readonly spectra: ReadonlyArray<Spectrum>;
}

/** What the page knows. */
export interface State {
  readonly phase: Phase;
  readonly setup: Setup;
  readonly backend: BackendReport | null;
  readonly isolated: boolean;
  readonly sizes: { readonly train: number; readonly test: number } | null;
  readonly examples: Examples | null;
  readonly lanes: Partial<Readonly<Record<LaneId, LaneView>>>;
  readonly spectra: SpectraView | null;
  /** Why there are no spectra. */
  readonly noSpectra: string | null;
  readonly failure: string | null;
  /** Seconds on the page's clock: now, and when a worker was last heard. */
  readonly now: number;
  readonly heardAt: number;
}

/** What can happen. */
export type Event =
  | { readonly type: 'edited'; readonly setup: Setup }
  | { readonly type: 'started'; readonly now: number }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed'; readonly now: number }
  | { readonly type: 'reset' }
  | { readonly type: 'heard'; readonly report: Report; readonly now: number }
  | { readonly type: 'saw'; readonly view: SpectraView }
  | { readonly type: 'blinded'; readonly sentence: string }
  | { readonly type: 'broke'; readonly sentence: string }
  | { readonly type: 'ticked'; readonly now: number };

/**
 * The state before anything has happened.
 *
 * @param setup - what is chosen
 * @param isolated - whether the page may share memory with workers
 * @param refused - what of the address was refused, in sentences
 */
export const initial = (setup: Setup, isolated: boolean, refused: ReadonlyArray<string> = []): State => ({
  phase: 'idle',
  setup,
  backend: null,
  isolated,
  sizes: null,
  examples: null,
  lanes: {},
  spectra: null,
  noSpectra: null,
  failure: refused.length === 0 ? null : refused.join(' '),
  now: 0,
  heardAt: 0,
});

const withLane = (state: State, lane: LaneId, change: (view: LaneView) => LaneView): State => {
  const known = state.lanes[lane];
  return known === undefined ? state : { ...state, lanes: { ...state.lanes, [lane]: change(known) } };
};

const hear = (state: State, report: Report): State => {
  switch (report.type) {
    case 'opened':
      return { ...state, backend: report.backend, isolated: report.isolated };
    case 'loaded':
      return { ...state, sizes: { train: report.train, test: report.test }, examples: report.examples };
    case 'entered': {
      const { lane, name, flops } = report;
      const { points = [], look = null } = state.lanes[lane] ?? {};
      return { ...state, lanes: { ...state.lanes, [lane]: { name, flops, points, look } } };
    }
    case 'stepped':
      return withLane(
        { ...state, phase: state.phase === 'starting' ? 'running' : state.phase },
        report.lane,
        (view) => ({ ...view, points: [...view.points, ...report.points] }),
      );
    case 'looked':
      return withLane(state, report.lane, (view) => ({ ...view, look: report.look }));
    case 'factors':
      return state;
    case 'failed':
      return { ...state, phase: 'failed', failure: report.sentence };
  }
};

/** Whether work is under way. */
export const isBusy = ({ phase }: State): boolean => phase === 'starting' || phase === 'running';

/**
 * The state after an event.
 *
 * @param state - before
 * @param event - what happened
 */
export const reduce = (state: State, event: Event): State => {
  switch (event.type) {
    case 'edited':
      return { ...state, setup: event.setup };
    case 'started':
      return { ...initial(state.setup, state.isolated), phase: 'starting', now: event.now, heardAt: event.now };
    case 'paused':
      return isBusy(state) ? { ...state, phase: 'paused' } : state;
    case 'resumed':
      return state.phase === 'paused'
        ? {
            ...state,
            phase: Object.values(state.lanes).some(({ points }) => points.length > 0) ? 'running' : 'starting',
            now: event.now,
            heardAt: event.now,
          }
        : state;
    case 'reset':
      return initial(state.setup, state.isolated);
    case 'heard':
      // A worker that was told to stop may still have something to say.
      return state.phase === 'idle' || state.phase === 'failed'
        ? state
        : hear({ ...state, now: event.now, heardAt: event.now }, event.report);
    case 'saw':
      return state.phase === 'idle' ? state : { ...state, spectra: event.view, noSpectra: null };
    case 'blinded':
      return { ...state, noSpectra: event.sentence };
    case 'broke':
      return state.phase === 'idle' ? state : { ...state, phase: 'failed', failure: event.sentence };
    case 'ticked':
      return isBusy(state) ? { ...state, now: event.now } : state;
  }
};

/** Seconds without a word after which the page says so. */
const patience = 20;

/** Seconds that nothing has been heard, where they are too many. */
export const silence = (state: State): number | null => {
  const seconds = state.now - state.heardAt;
  return isBusy(state) && seconds > patience ? seconds : null;
};

/** How many of the last steps speed is measured on. */
const window = 20;

/** Mean seconds per step lately, or `null` before there are two points. */
export const secondsPerStep = ({ points }: LaneView): number | null => {
  const last = points.at(-1);
  const first = points.at(-1 - window) ?? points.at(0);
  return first === undefined || last === undefined || last.step === first.step
    ? null
    : (last.seconds - first.seconds) / (last.step - first.step);
};

/** Mean loss over the last batches, which is steadier than that of one. */
export const recentLoss = ({ points }: LaneView): number | null => {
  const recent = points.slice(-5);
  return recent.length === 0 ? null : recent.reduce((sum, { loss }) => sum + loss, 0) / recent.length;
};
