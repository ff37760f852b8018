/**
 * How often checkpoints are written, as settings say it: a number of steps, or minutes.
 *
 * @module
 */
import * as t from 'io-ts';

import type { Every } from '../checkpoints/checkpointing.ts';

const minutes = /^(\d{1,6}(?:\.\d+)?) ?min$/;

/**
 * What a setting says, `null` where it says nothing.
 *
 * @param setting - a number of steps, or minutes as in `10min`
 */
export const everyOf = (setting: unknown): Every | null => {
  if (typeof setting === 'number') return Number.isSafeInteger(setting) && setting >= 1 ? { steps: setting } : null;
  const [, digits] = typeof setting === 'string' ? (minutes.exec(setting.trim()) ?? []) : [];
  return digits !== undefined && Number(digits) > 0 ? { minutes: Number(digits) } : null;
};

const isSetting = (value: unknown): value is number | string => everyOf(value) !== null;

/** A codec of the setting. */
export const everyText: t.Type<number | string> = new t.Type(
  'a number of steps, or minutes as in 10min',
  isSetting,
  (value, context) => (isSetting(value) ? t.success(value) : t.failure(value, context)),
  t.identity,
);
