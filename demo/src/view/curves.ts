/**
 * The loss curves.
 *
 * @module
 */
import type { Point } from '../messages.ts';
import type { State } from '../state.ts';
import type { Line } from './chart.ts';
import { chartIn } from './chart.ts';
import { byId, element } from './elements.ts';
import { keyOf, present, styles, titleOf } from './lanes.ts';

/** How much of the last mean is in the next: losses of single batches hide each other's curves. */
const memory = 0.8;

/** The points with running means in place of losses, exact from the first one on. */
const smoothed = (points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const means = points.reduce<{ readonly sum: number; readonly weight: number; readonly all: Array<Point> }>(
    (before, point) => {
      const sum = memory * before.sum + point.loss;
      const weight = memory * before.weight + 1;
      before.all.push({ ...point, loss: sum / weight });
      return { sum, weight, all: before.all };
    },
    { sum: 0, weight: 0, all: [] },
  );
  return means.all;
};

/** More points than this are thinned out: the chart is not wider. */
const mostPoints = 1500;

const thinned = (points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const every = Math.ceil(points.length / mostPoints);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
};

const linesOf = (state: State, x: (point: Point) => number): ReadonlyArray<Line> =>
  present(state).map(({ id, view }) => {
    const points = thinned(smoothed(view.points));
    return { label: titleOf(view.name), ...styles[id], xs: points.map(x), ys: points.map(({ loss }) => loss) };
  });

/** Shows the curves of a state; gives a function that does so. */
export const curves = (): ((state: State) => void) => {
  const empty = 'Curves appear when training starts.';
  const title = 'Loss on the batch, running mean';
  const bySteps = chartIn(byId('by-step', HTMLDivElement), { title, x: 'steps', empty });
  const bySeconds = chartIn(byId('by-second', HTMLDivElement), { title, x: 'seconds of training', empty });
  const legend = byId('legend', HTMLUListElement);
  return (state) => {
    bySteps.show(linesOf(state, ({ step }) => step));
    bySeconds.show(linesOf(state, ({ seconds }) => seconds));
    legend.replaceChildren(...present(state).map(({ id, view }) => element('li', {}, keyOf(id), titleOf(view.name))));
  };
};
