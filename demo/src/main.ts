/**
 * The page: one state, one reducer, views that show it, and two workers.
 *
 * @module
 */
import './style.css';

import { setupOfQuery } from './address.ts';
import type { Command, Report, SpectraReport, SpectraRequest } from './messages.ts';
import { defaultSetup } from './setup.ts';
import type { Event, State } from './state.ts';
import { initial, isBusy, reduce } from './state.ts';
import { controls } from './view/controls.ts';
import { curves } from './view/curves.ts';
import { gallery } from './view/gallery.ts';
import { spectraView } from './view/spectra.ts';
import { standings } from './view/standings.ts';
import { status } from './view/status.ts';

const clock = (): number => performance.now() / 1000;

/** What changes: the state, the workers, whether the workers of spectra has something to do. */
interface Desk {
  state: State;
  trainer: Worker | null;
  analyst: Worker | null;
  isAnalysing: boolean;
  isDrawing: boolean;
}

const threads = crossOriginIsolated ? navigator.hardwareConcurrency : 1;

const asked = setupOfQuery(location.search, { ...defaultSetup, threads });

const desk: Desk = {
  state: initial(asked.setup, crossOriginIsolated, asked.refused),
  trainer: null,
  analyst: null,
  isAnalysing: false,
  isDrawing: false,
};

const send = (command: Command): void => desk.trainer?.postMessage(command);

/** How often numbers and curves may move. */
const calm = matchMedia('(prefers-reduced-motion: reduce)');

const dispatch = (event: Event): void => {
  desk.state = reduce(desk.state, event);
  if (desk.isDrawing) return;
  desk.isDrawing = true;
  const draw = (): void => {
    desk.isDrawing = false;
    show(desk.state);
  };
  if (event.type === 'heard' && calm.matches) setTimeout(draw, 1000);
  else requestAnimationFrame(draw);
};

const lost = (what: string) => (event: ErrorEvent | MessageEvent) => {
  const reason = event instanceof ErrorEvent && event.message !== '' ? event.message : 'it could not be loaded or read';
  return `The ${what} worker failed: ${reason}. Press Start again; if that does not help, reload the page.`;
};

const stopWorkers = (): void => {
  desk.trainer?.terminate();
  desk.analyst?.terminate();
  desk.trainer = null;
  desk.analyst = null;
  desk.isAnalysing = false;
};

const openAnalyst = (): Worker => {
  const analyst = new Worker(new URL('./spectra.ts', import.meta.url), { type: 'module', name: 'spectra' });
  analyst.addEventListener('message', ({ data }: MessageEvent<SpectraReport>) => {
    desk.isAnalysing = false;
    dispatch(data.type === 'spectra' ? { type: 'saw', view: data } : { type: 'blinded', sentence: data.sentence });
  });
  analyst.addEventListener('error', (event) => dispatch({ type: 'blinded', sentence: lost('spectra')(event) }));
  return analyst;
};

/** Hands factors on, unless the last ones are still being looked at. */
const analyse = (request: SpectraRequest): void => {
  if (desk.isAnalysing) return;
  desk.isAnalysing = true;
  desk.analyst ??= openAnalyst();
  desk.analyst.postMessage(request);
};

const openTrainer = (): Worker => {
  const trainer = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'training' });
  const broke = (event: ErrorEvent | MessageEvent): void => {
    if (desk.trainer !== trainer) return;
    dispatch({ type: 'broke', sentence: lost('training')(event) });
    stopWorkers();
  };
  trainer.addEventListener('message', ({ data: report }: MessageEvent<Report>) => {
    if (desk.trainer !== trainer) return;
    if (report.type === 'factors') analyse(report);
    dispatch({ type: 'heard', report, now: clock() });
    if (report.type === 'failed') stopWorkers();
  });
  trainer.addEventListener('error', broke);
  trainer.addEventListener('messageerror', broke);
  return trainer;
};

const start = (): void => {
  stopWorkers();
  dispatch({ type: 'started', now: clock() });
  desk.trainer = openTrainer();
  send({ type: 'start', setup: desk.state.setup, files: new URL('.', location.href).href });
};

const go = (): void => {
  const { state } = desk;
  if (isBusy(state)) {
    send({ type: 'pause' });
    dispatch({ type: 'paused' });
  } else if (state.phase === 'paused') {
    send({ type: 'resume' });
    dispatch({ type: 'resumed', now: clock() });
  } else start();
};

const views = [
  controls({
    edit: (setup) => {
      dispatch({ type: 'edited', setup });
      send({ type: 'adjust', setup });
    },
    go,
    reset: () => {
      stopWorkers();
      dispatch({ type: 'reset' });
    },
  }),
  status(),
  curves(),
  standings(),
  gallery(),
  spectraView(),
];

const show = (state: State): void => views.forEach((view) => view(state));

setInterval(() => dispatch({ type: 'ticked', now: clock() }), 1000);
show(desk.state);
