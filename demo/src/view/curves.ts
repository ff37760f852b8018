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

/** More points than this are thinned out: the chart is not wider. */
const mostPoints = 1500;

const thinned = (points: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const every = Math.ceil(points.length / mostPoints);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
};

const linesOf = (state: State, x: (point: Point) => number): ReadonlyArray<Line> =>
  present(state).map(({ id, view }) => {
    const points = thinned(view.points);
    return { label: titleOf(view.name), ...styles[id], xs: points.map(x), ys: points.map(({ loss }) => loss) };
  });

/** Shows the curves of a state; gives a function that does so. */
export const curves = (): ((state: State) => void) => {
  const empty = 'Curves appear when training starts.';
  const title = 'Loss on the batch';
  const bySteps = chartIn(byId('by-step', HTMLDivElement), { title, x: 'steps', empty });
  const bySeconds = chartIn(byId('by-second', HTMLDivElement), { title, x: 'seconds of training', empty });
  const legend = byId('legend', HTMLUListElement);
  return (state) => {
    bySteps.show(linesOf(state, ({ step }) => step));
    bySeconds.show(linesOf(state, ({ seconds }) => seconds));
    legend.replaceChildren(...present(state).map(({ id, view }) => element('li', {}, keyOf(id), titleOf(view.name))));
  };
};
