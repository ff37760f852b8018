import { PNG } from 'pngjs';

import { profileFigure } from '../../../src/pipelines/reports/profileFigure.ts';
import { orThrow } from '../../support/training.ts';

describe('profileFigure', () => {
  const points = [1, 2, 4, 16].map((tau, i) => ({ tau, share: i / 3 }));

  it('names its axes, its lines and itself, in SVG and in a PNG of twice the size', async () => {
    const lines = ['kfac', 'adam, best of 4 rates'].map((name) => ({ name, optimizer: 'kfac', points }));
    const { svg, png } = orThrow(await profileFigure(lines, '20 problems')());
    for (const text of ['20 problems', 'share of problems within τ', 'kfac', 'adam, best of 4 rates', '16', '100%']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    const image = PNG.sync.read(Buffer.from(png));
    expect([image.width, image.height]).toEqual([2 * Number(width), 2 * Number(height)]);
  });

  it('has steps: a share holds from its factor on', async () => {
    const { svg } = orThrow(await profileFigure([{ name: 'kfac', optimizer: 'kfac', points }], 'one')());
    const [, path] = /<path[^>]*aria-roledescription="line mark"[^>]*d="([^"]+)"/.exec(svg) ?? [];
    const corners = [...(path ?? '').matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(corners.length).toBeGreaterThan(points.length);
    expect(corners.slice(1).every(([x, y], i) => x === corners[i][0] || y === corners[i][1])).toBe(true);
  });

  /** Colour and dashes of the lines, in the order in which they are drawn. */
  const drawn = (svg: string) =>
    [...svg.matchAll(/<path[^>]*aria-roledescription="line mark"[^>]*>/g)].map(([path]) => ({
      colour: /stroke="([^"]+)"/.exec(path)?.[1],
      dash: /stroke-dasharray="([^"]+)"/.exec(path)?.[1],
      width: /stroke-width="([^"]+)"/.exec(path)?.[1],
    }));

  it('what was tried at several rates has a frame of its own; in each the leader of the other is broad and grey', async () => {
    const half = points.map(({ tau, share }) => ({ tau, share: share / 2 }));
    const { svg } = orThrow(
      await profileFigure(
        [
          { name: 'slow', optimizer: 'sgd', points: half },
          { name: 'kfac', optimizer: 'kfac', points },
          { name: 'adam, default', optimizer: 'adam', rated: 'default', points: half },
          { name: 'adam, best of 4 rates', optimizer: 'adam', rated: 'best', points },
        ],
        'two frames',
      )(),
    );
    const lines = drawn(svg);
    expect(lines.filter(({ width }) => width === '7')).toHaveLength(2);
    expect(svg).toContain('>broad and grey: kfac</text>');
    expect(svg).toContain('>broad and grey: adam, best of 4 rates</text>');
    const ofAdam = lines.filter(({ colour }) => colour === '#d55e00');
    expect(ofAdam.map(({ dash }) => dash).toSorted()).toEqual(['4,3', undefined]);
    // Legends begin with the best.
    expect(svg.indexOf('>kfac</text>')).toBeLessThan(svg.indexOf('>slow</text>'));
    expect(svg.indexOf('>adam, best of 4 rates</text>')).toBeLessThan(svg.indexOf('>adam, default</text>'));
  });
});
