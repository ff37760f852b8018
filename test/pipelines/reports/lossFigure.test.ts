import * as E from 'fp-ts/lib/Either.js';
import { PNG } from 'pngjs';

import type { Figure } from '../../../src/pipelines/reports/lossFigure.ts';
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

  it('thins out long runs', async () => {
    const { svg } = await draw([history(20_000, 100)]);
    expect(svg.length).toBeLessThan(200_000);
  });
});
