/**
 * Schedules from configuration: a number, or a part that says how a number changes with the step.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { Schedule } from '../../../solvers/schedules.ts';
import {
  after,
  constant,
  cosine,
  exponential,
  inverseSquareRoot,
  piecewise,
  product,
  warmUp,
} from '../../../solvers/schedules.ts';
import type { Range } from '../../../solvers/settings/range.ts';
import { codecOf, finite, wholeFrom } from '../codecs/codecs.ts';
import type { Table } from './setting.ts';
import { listOf, optional, partIn, required, row, structured } from './setting.ts';

const steps = wholeFrom(1);

const kindsOfSchedules = (): Table<Schedule> => schedules;

const scheduled = partIn('a number or a schedule', kindsOfSchedules);

/** A number, or `{ kind, … }`. */
export const schedule: t.Type<Schedule> = structured(
  { _tag: 'either', of: [finite, scheduled] },
  new t.Type<Schedule>(
    scheduled.name,
    scheduled.is,
    (value, context) => (finite.is(value) ? t.success(constant(value)) : scheduled.validate(value, context)),
    t.identity,
  ),
);

/**
 * A number in a range, or a schedule that begins in it.
 *
 * @param range - which values there may be
 */
export const scheduleIn = (range: Range<number>): t.Type<Schedule> =>
  structured(
    { _tag: 'either', of: [codecOf(range), scheduled] },
    new t.Type<Schedule>(
      `${range.words}, or a schedule of such`,
      schedule.is,
      (value, context) =>
        pipe(
          schedule.validate(value, context),
          E.chain((made) => (range.holds(made(0)) ? t.success(made) : t.failure(value, context))),
        ),
      t.identity,
    ),
  );

/** Every kind of schedule. */
export const schedules: Table<Schedule> = {
  constant: row(
    'The same number always; a bare number is one.',
    { value: required(finite, 'the number') },
    ({ value }) => constant(value),
  ),
  cosine: row(
    'Half a cosine from start to end.',
    {
      start: required(finite, 'value at step 0'),
      steps: required(steps, 'steps until the end'),
      end: optional(finite, 0, 'value from then on'),
    },
    ({ start, steps: length, end }) => cosine(start, length, end),
  ),
  exponential: row(
    'start · factor^(step / steps), not below end.',
    {
      start: required(finite, 'value at step 0'),
      factor: required(finite, 'factor per `steps`'),
      steps: required(steps, 'steps per factor'),
      end: optional(finite, 0, 'lower bound'),
    },
    ({ start, factor, steps: length, end }) => exponential(start, factor, length, end),
  ),
  piecewise: row(
    'Multiplied by a factor at each boundary.',
    {
      start: required(finite, 'value before the first boundary'),
      factor: required(finite, 'factor at each boundary'),
      boundaries: required(t.readonlyArray(wholeFrom(0), 'a list of steps'), 'steps from which the factor applies'),
    },
    ({ start, factor, boundaries }) => piecewise(start, factor, boundaries),
  ),
  inverseSquareRoot: row(
    'value / √(step / steps) from `steps` on.',
    { value: required(finite, 'value until then'), steps: required(steps, 'step at which the decay begins') },
    ({ value, steps: length }) => inverseSquareRoot(value, length),
  ),
  warmUp: row(
    'Rises linearly to 1, then stays: a factor in a product.',
    { steps: required(steps, 'length of the rise') },
    ({ steps: length }) => warmUp(length),
  ),
  product: row(
    'The product of schedules.',
    { of: required(listOf('a list of schedules', schedule), 'factors') },
    ({ of }) => product(...of),
  ),
  after: row(
    'One schedule until a step, another from then on with its own count from 0.',
    {
      first: required(schedule, 'until the change'),
      at: required(steps, 'step of the change'),
      second: required(schedule, 'from the change on'),
    },
    ({ first, at, second }) => after(first, at, second),
  ),
};
