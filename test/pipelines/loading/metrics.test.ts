/** Metrics that were written as JSON lines, read back. */
import fc from 'fast-check';

import { coursesIn } from '../../../src/pipelines/loading/metrics.ts';
import { eventLine } from '../../../src/pipelines/reports/jsonLines.ts';
import { orThrow } from '../../support/training.ts';

const number = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((x) => x + 0),
  fc.constant(NaN),
);
const name = fc.constantFrom('damping', 'head.damping', 'seconds.solve', 'seconds.update', 'accuracy');
const time = fc.double({ min: 0, max: 1e6, noNaN: true });

const stepsOf = fc
  .array(fc.tuple(time, number, fc.dictionary(name, number)), { maxLength: 5 })
  .map((all) =>
    all.map(([seconds, loss, others], i) => ({ step: i + 1, seconds, loss, metrics: { ...others, loss } })),
  );

const evaluationsOf = fc
  .array(fc.tuple(time, number, number), { maxLength: 3 })
  .map((all) => all.map(([seconds, loss, accuracy], i) => ({ step: i, seconds, loss, measures: { accuracy } })));

describe('coursesIn', () => {
  it('reads back what was written of every optimizer, numbers that are not finite as NaN', () => {
    const course = fc.record({ history: stepsOf, evaluations: evaluationsOf });
    fc.assert(
      fc.property(fc.array(course, { maxLength: 3 }), (courses) => {
        const named = courses.map((each, i) => ({ optimizer: `o${i}`, ...each }));
        const lines = named.flatMap(({ optimizer, history, evaluations }) => [
          ...history.map((record) => eventLine(optimizer, { event: 'step', ...record })),
          ...evaluations.map((record) => eventLine(optimizer, { event: 'evaluation', ...record })),
          JSON.stringify({ event: 'done', optimizer }),
        ]);
        const there = named.filter(({ history, evaluations }) => history.length + evaluations.length > 0);
        expect(orThrow(coursesIn(lines.map((line) => `${line}\n`).join(''), 'metrics.jsonl'))).toEqual(there);
      }),
    );
  });
});
