/**
 * A run as JSON lines, for programs that read it while it goes on or afterwards.
 *
 * @module
 */
import { describeError } from '../../core/errors.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { byStage, withoutSeconds } from '../../core/pipeline/metrics.ts';
import type { TrainEvent } from '../trainer/events.ts';
import type { Memory } from '../world.ts';
import { accountOf } from './account.ts';
import type { Ended } from './ended.ts';
import { courseOf, failureWord, isAboveStart } from './ended.ts';

/** A step's metrics with the seconds per stage apart from the rest. */
const bySort = (metrics: Metrics): Readonly<Record<string, unknown>> => ({
  ...withoutSeconds(metrics),
  stages: byStage(metrics),
});

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
 * @param ended - what came of it
 * @param memory - of the process at the end
 * @param stoppedBy - what has ended it before its time
 */
export const endLine = (ended: Ended, memory: Memory, stoppedBy: string | null = null): string => {
  const { name: optimizer } = ended.optimizer;
  const { history } = courseOf(ended);
  const about = { rssMb: round(memory.now), peakRssMb: round(memory.peak), happened: accountOf(history) };
  if (ended._tag === 'Failed') {
    const seconds = history.length === 0 ? 0 : history[history.length - 1].seconds;
    const error = describeError(ended.error);
    return JSON.stringify({ event: failureWord(ended), optimizer, steps: history.length, seconds, error, ...about });
  }
  const { result } = ended;
  return JSON.stringify({
    event: 'done',
    optimizer,
    steps: result.steps,
    seconds: result.seconds,
    trainLoss: result.train.loss,
    ...about,
    testLoss: result.test.loss,
    parametersFromStep: result.paramsFrom,
    train: result.train.measures,
    test: result.test.measures,
    firstExamples: result.change,
    ...(isAboveStart(ended) ? { endedAboveItsStart: true } : {}),
    ...(result.inverseBytes === undefined ? {} : { inverseMb: round(result.inverseBytes / 2 ** 20) }),
    ...(stoppedBy === null ? {} : { stoppedBy }),
  });
};

/**
 * A whole run as lines: steps and evaluations in the order of the steps.
 *
 * @param ended - what came of it
 */
export const historyLines = (ended: Ended): ReadonlyArray<string> => {
  const { history, evaluations } = courseOf(ended);
  const steps = history.map((record): TrainEvent => ({ ...record, event: 'step' }));
  const judged = evaluations.map((record): TrainEvent => ({ ...record, event: 'evaluation' }));
  return [...steps, ...judged]
    .toSorted((a, b) => a.step - b.step)
    .map((event) => eventLine(ended.optimizer.name, event));
};
