/**
 * A run as JSON lines, for programs that read it while it goes on or afterwards.
 *
 * @module
 */
import type { Outcome } from '../experiment.ts';
import type { TrainEvent } from '../trainer/events.ts';
import type { Memory } from '../world.ts';

const stagePrefix = 'seconds.';

/** A step's metrics with the seconds per stage apart from the rest. */
const bySort = (metrics: Readonly<Record<string, number>>): Readonly<Record<string, unknown>> => {
  const all = Object.entries(metrics);
  const stages = all.filter(([name]) => name.startsWith(stagePrefix));
  return {
    ...Object.fromEntries(all.filter(([name]) => !name.startsWith(stagePrefix))),
    stages: Object.fromEntries(stages.map(([name, seconds]) => [name.slice(stagePrefix.length), seconds])),
  };
};

/**
 * A step or an evaluation as a line.
 *
 * @param optimizer - name of the optimizer
 * @param event - what happened
 */
export const eventLine = (optimizer: string, event: TrainEvent): string => {
  const { step, seconds, loss } = event;
  return event.event === 'step'
    ? JSON.stringify({ event: 'step', step, seconds, loss, optimizer, ...bySort(event.metrics) })
    : JSON.stringify({ event: 'evaluation', step, seconds, loss, optimizer, ...event.measures });
};

const round = (mebibytes: number): number => Math.round(10 * mebibytes) / 10;

/**
 * The end of a run as a line.
 *
 * @param outcome - what came of it
 * @param memory - of the process at the end
 */
export const doneLine = ({ optimizer, result }: Outcome, memory: Memory): string =>
  JSON.stringify({
    event: 'done',
    optimizer: optimizer.name,
    steps: result.steps,
    seconds: result.seconds,
    trainLoss: result.train.loss,
    rssMb: round(memory.now),
    peakRssMb: round(memory.peak),
    testLoss: result.test.loss,
    parametersFromStep: result.paramsFrom,
    train: result.train.measures,
    test: result.test.measures,
  });

/**
 * A whole run as lines: steps and evaluations in the order of the steps.
 *
 * @param outcome - what came of it
 */
export const historyLines = ({ optimizer, result }: Outcome): ReadonlyArray<string> => {
  const steps = result.history.map((record): TrainEvent => ({ event: 'step', ...record }));
  const evaluations = result.evaluations.map((record): TrainEvent => ({ event: 'evaluation', ...record }));
  return [...steps, ...evaluations]
    .toSorted((a, b) => a.step - b.step)
    .map((event) => eventLine(optimizer.name, event));
};
