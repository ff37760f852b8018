/**
 * A step's metrics: merged from those of its stages, and read at its end, the only values that leave the device in a step.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import type { Shaped } from '../tensor.ts';

/** Scalars of a step, of shape `[]` or plain numbers, by name. */
export type Scalars<T> = Readonly<Record<string, T | number>>;

const prefix = 'seconds.';

/** Whether a metric is the seconds of a stage, which add up wherever two meet. */
export const isSeconds = (metric: string): boolean => metric.startsWith(prefix);

/** The seconds of a stage as a metric. */
export const secondsAt = (stage: string, seconds: number): Scalars<never> => ({ [`${prefix}${stage}`]: seconds });

const numberAt = (metrics: Scalars<unknown>, name: string): number => {
  const value = metrics[name];
  return typeof value === 'number' ? value : 0;
};

/** The seconds of each stage in some metrics, by its name. */
export const byStage = (metrics: Scalars<unknown>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.keys(metrics)
      .filter(isSeconds)
      .map((name) => [name.slice(prefix.length), numberAt(metrics, name)]),
  );

/**
 * All seconds in some metrics: those of the stages that a stage has run itself.
 *
 * @param metrics - what the stage reports
 */
export const secondsIn = (metrics: Scalars<unknown>): number =>
  Object.keys(metrics)
    .filter(isSeconds)
    .reduce((sum, name) => sum + numberAt(metrics, name), 0);

/** Metrics of the stages so far, as who runs them puts them together. */
export type Reports<T> = Record<string, T | number>;

/**
 * Adds metrics of a part of a step to those of the parts before it: where both have a name, the later one's, and the sum of
 * seconds.
 *
 * @param all - metrics so far, changed in place by who made them
 * @param part - metrics of the next stage
 */
export const addMetrics = <T>(all: Reports<T>, part: Scalars<T>): void => {
  for (const name of Object.keys(part)) {
    all[name] = isSeconds(name) ? numberAt(all, name) + numberAt(part, name) : part[name];
  }
};

/**
 * Metrics of several parts of a step as one: where two have a name, the later one's, and the sum of seconds.
 *
 * @param parts - metrics of stages, in order
 */
export const mergeMetrics = <T>(parts: ReadonlyArray<Scalars<T>>): Scalars<T> => {
  const all: Reports<T> = {};
  parts.forEach((part) => addMetrics(all, part));
  return all;
};

/** Numbers of one step by name: `loss`, `learningRate`, `seconds.forward`, …. */
export type Metrics = Readonly<Record<string, number>>;

/** Metrics that are no seconds of a stage. */
export const withoutSeconds = (metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).filter(([name]) => !isSeconds(name)));

/**
 * Metrics as plain numbers, in the order of their names.
 *
 * @param backend - where the scalars are
 * @param metrics - numbers and arrays of shape `[]`
 * @example
 * ```ts
 * import { readMetrics, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const metrics = { loss: tensor([0.5], []), learningRate: 0.1 };
 * await readMetrics(referenceBackend(), metrics)(); // => { _tag: 'Right', right: { loss: 0.5, learningRate: 0.1 } }
 * ```
 */
export const readMetrics =
  <T extends Shaped>(backend: Backend<T>, metrics: Scalars<T>): TE.TaskEither<KfacError, Metrics> =>
  async () => {
    const numbers: Record<string, number> = {};
    for (const name of Object.keys(metrics).sort()) {
      const value = metrics[name];
      if (typeof value === 'number') {
        numbers[name] = value;
        continue;
      }
      const read = await backend.read(value)();
      if (E.isLeft(read)) return read;
      numbers[name] = read.right.data[0];
    }
    return E.right(numbers);
  };
