/**
 * Line charts with a logarithmic axis for values: uPlot with the page's colours.
 *
 * A chart is made anew when its lines change, and redrawn when only its numbers do.
 *
 * @module
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { element, shown } from './elements.ts';

/** One line. */
export interface Line {
  readonly label: string;
  /** A CSS colour, or the name of one of the page's, with its dashes. */
  readonly colour: string;
  readonly dash: ReadonlyArray<number>;
  readonly xs: ReadonlyArray<number>;
  readonly ys: ReadonlyArray<number>;
}

/** What stays the same of a chart. */
export interface ChartText {
  /** What is shown, for those who do not see it. */
  readonly title: string;
  readonly x: string;
  /** Shown while there is nothing to show. */
  readonly empty: string;
}

/** A chart on the page. */
export interface Chart {
  readonly show: (lines: ReadonlyArray<Line>) => void;
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour as canvas understands it. */
const resolved = (colour: string): string => (colour.startsWith('--') ? css(colour) : colour);

/** 1, 2 and 5 times powers of ten within bounds; only the powers where these are many. */
const logTicks = (low: number, high: number): Array<number> => {
  const first = Math.floor(Math.log10(low));
  const decades = Math.ceil(Math.log10(high)) - first;
  const steps = decades > 3 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  const every = Math.max(1, Math.ceil(decades / 6));
  return Array.from({ length: decades + 1 }, (_, i) => i)
    .filter((i) => i % every === 0)
    .flatMap((i) => steps.map((step) => step * 10 ** (first + i)))
    .filter((tick) => tick >= low && tick <= high);
};

const tickText = (value: number): string => (value < 1e-3 || value >= 1e4 ? value.toExponential(0) : shown(value));

const optionsOf = (lines: ReadonlyArray<Line>, width: number, height: number): uPlot.Options => {
  const axis = { stroke: css('--quiet'), grid: { stroke: css('--grid'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false },
      y: { distr: 3, range: (_, low, high) => (low > 0 ? [low / 1.08, high * 1.08] : [0.1, 1]) },
    },
    axes: [
      { ...axis, size: 34, gap: 4, values: (_, ticks) => ticks.map(tickText) },
      {
        ...axis,
        size: 52,
        gap: 4,
        splits: (_, __, low, high) => logTicks(low, high),
        filter: (_, ticks) => ticks,
        values: (_, ticks) => ticks.map((tick) => tickText(tick)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour, dash }) => ({
        label,
        stroke: resolved(colour),
        width: 2,
        dash: [...dash],
        spanGaps: true,
        points: { show: false },
      })),
    ],
  };
};

const dataOf = (lines: ReadonlyArray<Line>): uPlot.AlignedData =>
  uPlot.join(lines.map(({ xs, ys }): uPlot.AlignedData => [[...xs], [...ys]]));

/** What a line is, apart from its numbers. */
const kindOf = (lines: ReadonlyArray<Line>): string =>
  JSON.stringify(lines.map(({ label, colour }) => [label, colour]));

const summary = (text: ChartText, lines: ReadonlyArray<Line>): string => {
  const ends = lines.map(({ label, ys }) => `${label} from ${shown(ys[0])} to ${shown(ys[ys.length - 1])}`);
  return `${text.title} against ${text.x}, logarithmic: ${ends.join('; ')}`;
};

/**
 * A chart in an element.
 *
 * @param host - where
 * @param text - what it is
 */
export const chartIn = (host: HTMLElement, text: ChartText): Chart => {
  const memory: { plot: uPlot | null; kind: string; lines: ReadonlyArray<Line> } = { plot: null, kind: '', lines: [] };
  host.setAttribute('role', 'img');

  const clear = (): void => {
    memory.plot?.destroy();
    memory.plot = null;
    host.replaceChildren(element('div', { class: 'empty' }, text.empty));
    host.setAttribute('aria-label', `${text.title}: ${text.empty}`);
  };

  const draw = (lines: ReadonlyArray<Line>): void => {
    const drawn = lines.filter(({ xs }) => xs.length > 1);
    memory.lines = lines;
    if (drawn.length === 0) {
      if (memory.plot !== null || host.childElementCount === 0) clear();
      return;
    }
    const kind = kindOf(drawn);
    host.setAttribute('aria-label', summary(text, drawn));
    if (memory.plot !== null && memory.kind === kind) {
      memory.plot.setData(dataOf(drawn));
      return;
    }
    memory.plot?.destroy();
    host.replaceChildren();
    memory.kind = kind;
    memory.plot = new uPlot(optionsOf(drawn, host.clientWidth, host.clientHeight), dataOf(drawn), host);
  };

  const again = (): void => {
    memory.kind = '';
    draw(memory.lines);
  };
  new ResizeObserver(() => {
    if (memory.plot !== null && memory.plot.width !== host.clientWidth) {
      memory.plot.setSize({ width: host.clientWidth, height: host.clientHeight });
    }
  }).observe(host);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  return { show: draw };
};
