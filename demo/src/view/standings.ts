/**
 * The table of numbers, an optimizer a column.
 *
 * @module
 */
import type { LaneView, State } from '../state.ts';
import { recentLoss, secondsPerStep } from '../state.ts';
import { byId, element, shown } from './elements.ts';
import { keyOf, present, titleOf } from './lanes.ts';

interface Row {
  readonly title: string;
  readonly value: (view: LaneView) => number | string | null | undefined;
}

const measureTitles: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy on test examples',
  squaredError: 'Squared error on test examples',
  modes: 'Modes covered, of 8',
  nearby: 'Share of points near a mode',
  bitsPerCharacter: 'Bits per character of the test text',
  perplexity: 'Perplexity on the test text',
};

const measureRow = (name: string): Row => ({
  title: measureTitles[name] ?? name,
  value: ({ look }) => {
    const value = look?.measures[name];
    return value === undefined ? null : name === 'accuracy' ? `${(100 * value).toFixed(1)} %` : value;
  },
});

const rowsOf = (state: State): ReadonlyArray<Row> => {
  const measures = present(state).flatMap(({ view }) => Object.keys(view.look?.measures ?? {}));
  return [
    { title: 'Steps', value: ({ points }) => points.at(-1)?.step ?? 0 },
    { title: 'Seconds of training', value: ({ points }) => points.at(-1)?.seconds.toFixed(1) },
    { title: 'Loss, mean of the last 5 batches', value: recentLoss },
    { title: 'Loss on test examples', value: ({ look }) => look?.loss },
    ...[...new Set(measures)].map(measureRow),
    {
      title: 'Milliseconds a step',
      value: (view) => {
        const seconds = secondsPerStep(view);
        return seconds === null ? null : 1000 * seconds;
      },
    },
    {
      title: 'GFLOP/s',
      value: (view) => {
        const seconds = secondsPerStep(view);
        return seconds === null ? null : view.flops / seconds / 1e9;
      },
    },
  ];
};

const textOf = (value: number | string | null | undefined): string =>
  value === null || value === undefined ? '–' : typeof value === 'string' ? value : shown(value);

/** Gives a function that shows the numbers of a state. */
export const standings = (): ((state: State) => void) => {
  const table = byId('standings', HTMLTableElement);
  return (state) => {
    const columns = present(state);
    if (columns.length === 0) {
      table.replaceChildren(element('caption', { class: 'empty-note' }, 'Numbers appear when training starts.'));
      return;
    }
    const head = columns.map(({ id, view }) => element('th', { scope: 'col' }, keyOf(id), titleOf(view.name)));
    const body = rowsOf(state).map(({ title, value }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, title),
        ...columns.map(({ view }) => element('td', {}, textOf(value(view)))),
      ),
    );
    table.replaceChildren(
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Optimizer'), ...head)),
      element('tbody', {}, ...body),
    );
  };
};
