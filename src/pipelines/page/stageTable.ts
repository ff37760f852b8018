/**
 * Where a step's time goes, stage by stage.
 *
 * @module
 */
import { byStage } from '../../core/pipeline/metrics.ts';
import type { CourseOf } from '../loading/metrics.ts';
import { showNumber } from '../reports/table.ts';
import { escaped, table } from './html.ts';

/** Milliseconds of a stage per step, on average. */
interface StageTime {
  readonly stage: string;
  readonly milliseconds: number;
}

/**
 * Mean times of the stages, the longest first.
 *
 * @param course - of one optimizer
 */
export const stageTimes = ({ history }: Pick<CourseOf, 'history'>): ReadonlyArray<StageTime> => {
  const sums = history.reduce<ReadonlyMap<string, number>>(
    (before, { metrics }) =>
      new Map([
        ...before,
        ...Object.entries(byStage(metrics)).map(([stage, s]) => [stage, (before.get(stage) ?? 0) + s] as const),
      ]),
    new Map(),
  );
  return [...sums]
    .map(([stage, seconds]) => ({ stage, milliseconds: (1000 * seconds) / history.length }))
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
};

/**
 * The times as a table; nothing where they were not taken.
 *
 * @param course - of one optimizer
 */
export const stageTable = (course: CourseOf): ReadonlyArray<string> => {
  const times = stageTimes(course);
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return total === 0
    ? []
    : [
        `<h3>${escaped(course.optimizer)}</h3>`,
        table(
          [{ title: 'stage' }, { title: 'ms per step', isNumber: true }, { title: 'share' }],
          times.map(({ stage, milliseconds }) => [
            escaped(stage),
            showNumber(milliseconds),
            `<meter min="0" max="1" value="${(milliseconds / total).toFixed(4)}"></meter> ${Math.round((100 * milliseconds) / total)} %`,
          ]),
        ),
      ];
};
