import { PNG } from 'pngjs';

import { profileFigure } from '../../../src/pipelines/reports/profileFigure.ts';
import { orThrow } from '../../support/training.ts';

describe('profileFigure', () => {
  const points = [1, 2, 4, 16].map((tau, i) => ({ tau, share: i / 3 }));

  it('names its axes, its lines and itself, in SVG and in a PNG of twice the size', async () => {
    const lines = ['kfac', 'adam, best of 4 rates'].map((name) => ({ name, points }));
    const { svg, png } = orThrow(await profileFigure(lines, '20 problems')());
    for (const text of ['20 problems', 'share of problems within τ', 'kfac', 'adam, best of 4 rates', '16', '100%']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    const image = PNG.sync.read(Buffer.from(png));
    expect([image.width, image.height]).toEqual([2 * Number(width), 2 * Number(height)]);
  });

  it('has steps: a share holds from its factor on', async () => {
    const { svg } = orThrow(await profileFigure([{ name: 'kfac', points }], 'one')());
    const [, path] = /<path[^>]*aria-roledescription="line mark"[^>]*d="([^"]+)"/.exec(svg) ?? [];
    const corners = [...(path ?? '').matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(corners.length).toBeGreaterThan(points.length);
    expect(corners.slice(1).every(([x, y], i) => x === corners[i][0] || y === corners[i][1])).toBe(true);
  });
});
