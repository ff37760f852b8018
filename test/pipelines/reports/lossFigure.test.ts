import * as E from 'fp-ts/lib/Either.js';
import { PNG } from 'pngjs';

import type { Curve } from '../../../src/pipelines/reports/lossFigure.ts';
import type { Figure } from '../../../src/pipelines/reports/vegaFigure.ts';
import { optimizerNames } from '../../../src/solvers/presets/registry.ts';
import { stylesOf } from '../../../src/pipelines/reports/curveStyles.ts';
import { orThrow } from '../../support/training.ts';
import { lossFigure } from '../../../src/pipelines/reports/lossFigure.ts';

const history = (steps: number, start: number) =>
  Array.from({ length: steps }, (_, i) => ({ step: i + 1, seconds: i / 10, loss: start / (i + 1), metrics: {} }));

const draw = async (losses: ReadonlyArray<ReturnType<typeof history>>): Promise<Figure> => {
  const curves = losses.map((records, i) => ({ name: ['kfac', 'adam'][i], history: records }));
  const outcome = await lossFigure(curves, { title: 'a title', loss: 'loss (nats)' })();
  if (E.isLeft(outcome)) throw new Error(outcome.left.reason);
  return outcome.right;
};

describe('lossFigure', () => {
  it('names its axes with units, its lines and itself, in SVG and in a PNG of twice the size', async () => {
    const { svg, png } = await draw([history(50, 500), history(50, 700)]);
    for (const text of ['a title', 'loss (nats)', 'steps', 'training time (seconds)', 'kfac', 'adam']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    const image = PNG.sync.read(Buffer.from(png));
    expect([image.width, image.height]).toEqual([2 * Number(width), 2 * Number(height)]);
  });

  it('draws letters whatever fonts the machine has: there is dark ink where the title is', async () => {
    const { png } = await draw([history(5, 5)]);
    const { width, data } = PNG.sync.read(Buffer.from(png));
    const ink = Array.from({ length: 200 * 60 }, (_, i) => data[4 * (Math.floor(i / 200) * width + (i % 200))]);
    expect(ink.filter((grey) => grey < 80).length).toBeGreaterThan(100);
  });

  it('has a logarithmic axis for positive losses and a linear one otherwise', async () => {
    const ticks = (svg: string) => /aria-label="Y-axis titled[^"]*"/.exec(svg)?.[0];
    const positive = await draw([history(10, 100)]);
    const mixed = await draw([[...history(10, 100), { step: 11, seconds: 2, loss: -1, metrics: {} }]]);
    expect(ticks(positive.svg)).toContain('log scale');
    expect(ticks(mixed.svg)).toContain('linear scale');
  });

  const figureOf = async (curves: ReadonlyArray<Curve>): Promise<string> => {
    const outcome = await lossFigure(curves, { title: 'a title', loss: 'loss (nats)' })();
    return orThrow(outcome).svg;
  };

  it('has a colour and a dash for each optimizer, presets and others, in its lines and beside its names', async () => {
    const names = [...optimizerNames, 'mine', 'yours'];
    const svg = await figureOf(names.map((name, i) => ({ name, history: history(50, 100 + i) })));
    stylesOf(names).forEach(({ colour, dash }) => {
      const lines = svg.match(new RegExp(`<path[^>]*stroke="${colour}"[^>]*>`, 'g')) ?? [];
      const dashed = lines.filter((line) => line.includes(`stroke-dasharray="${dash.join()}"`));
      expect(dashed.length).toBeGreaterThanOrEqual(3); // a line in each panel and one in the legend
    });
  });

  it('has room for names', async () => {
    const name = 'a-name-of-sixty-four-letters'.padEnd(64, '-x');
    const svg = await figureOf([{ name, history: history(50, 100) }]);
    expect(svg).toContain(`>${name}</text>`);
    expect(Number(/width="(\d+)"/.exec(svg)?.[1])).toBeGreaterThan(800 + 64 * 7);
  });

  it('has whole steps on its axis', async () => {
    const svg = await figureOf([{ name: 'kfac', history: history(3, 100) }]);
    const axis = /aria-label="X-axis titled 'steps'[^]*?role-axis-title/.exec(svg)?.[0] ?? '';
    const labels = [...axis.matchAll(/>([\d.,]+)<\/text>/g)].map(([, label]) => label);
    expect(labels).toEqual(['1', '2', '3']);
  });

  it('shows the loss of each batch below its mean, which is smoother, and says over how many steps', async () => {
    const noisy = history(400, 100).map((mark, i) => ({ ...mark, loss: 100 + (i % 2 === 0 ? 50 : -50) }));
    const svg = await figureOf([{ name: 'kfac', history: noisy }]);
    expect(svg).toContain('>faint: loss of each batch; lines: mean over 11 steps</text>');
    const paths = [...svg.matchAll(/<path[^>]*aria-roledescription="line mark"[^>]*d="([^"]+)"/g)].map(([, d]) => d);
    const spreadOf = (d: string): number => {
      const ys = [...d.matchAll(/[ML][\d.]+,([\d.]+)/g)].map(([, y]) => Number(y)).slice(20, -20);
      return Math.max(...ys) - Math.min(...ys);
    };
    const [batches, mean] = paths.map(spreadOf);
    expect(mean).toBeLessThan(batches / 5);
  });

  it('shows losses on the test examples as circles where there are some', async () => {
    const marks = history(60, 100);
    const evaluations = marks.filter(({ step }) => step % 20 === 0);
    const without = await figureOf([{ name: 'kfac', history: marks }]);
    const svg = await figureOf([{ name: 'kfac', history: marks, evaluations }]);
    const circles = (text: string): number => text.match(/aria-roledescription="point"/g)?.length ?? 0;
    expect(circles(svg) - circles(without)).toBe(2 * 3); // in each panel
    expect(svg).toContain('circles: test examples</text>');
    expect(without).not.toContain('circles');
  });

  it('draws runs without a step', async () => {
    expect(await figureOf([{ name: 'kfac', history: [] }])).toContain('>a title</text>');
    expect(await figureOf([])).toContain('>a title</text>');
  });

  it('thins out long runs', async () => {
    const { svg } = await draw([history(20_000, 100)]);
    expect(svg.length).toBeLessThan(200_000);
  });
});
