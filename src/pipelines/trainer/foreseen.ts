/**
 * What a step can know of its settings before it is taken.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { answered } from './events.ts';
import type { Learning, TaskStep } from './learning.ts';

/**
 * A task's step with an optimizer, or what the task throws in its place.
 *
 * @param task - what is learned
 * @param optimizer - whose step
 */
export const stepOf = (task: Learning, optimizer: Optimizer): E.Either<KfacError, TaskStep> =>
  answered(`the task ${task.name}, asked for a step,`, () => task.step(optimizer));

/**
 * A step whose settings hold for some steps of training; its schedules may be functions of whoever wrote it.
 *
 * @param step - the step
 * @param from - steps that have been taken already
 * @param to - steps at the end
 * @returns the step, or what its settings will be at one of them and must not, or a schedule that throws
 */
export const foreseen = (step: TaskStep, from: number, to: number): E.Either<KfacError, TaskStep> =>
  pipe(
    answered(`a schedule of ${step.name}`, () => step.foresee?.(from, to) ?? null),
    E.chain((error) => (error === null ? E.right(step) : E.left(error))),
  );
