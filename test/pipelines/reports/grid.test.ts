import { PNG } from 'pngjs';
import * as E from 'fp-ts/lib/Either.js';

import { tensor } from '../../../src/core/tensor.ts';
import { drawGrid } from '../../../src/pipelines/reports/grid.ts';
import { labelledGrid } from '../../../src/pipelines/reports/labelledGrid.ts';

const rows = [
  { label: 'original', images: tensor([0, 1, 1, 0], [2, 2]) },
  { label: 'kfac', images: tensor([0.5, 2, -1, 1], [2, 2]) },
];

describe('drawGrid', () => {
  it('worked example: two rows of two 1 × 2 images, with gaps, clamped to black and white', () => {
    const { width, height, pixels } = drawGrid(rows, { image: [1, 2], zoom: 1, gap: 1 });
    const g = 96;
    expect([width, height]).toEqual([7, 5]);
    expect(Array.from(pixels)).toEqual([
      ...[g, g, g, g, g, g, g],
      ...[g, 0, 255, g, 255, 0, g],
      ...[g, g, g, g, g, g, g],
      ...[g, 128, 255, g, 0, 255, g],
      ...[g, g, g, g, g, g, g],
    ]);
  });

  it('zooms each pixel to a square', () => {
    const { width, height, pixels } = drawGrid(rows.slice(0, 1), { image: [1, 2], zoom: 3, gap: 0 });
    expect([width, height]).toEqual([12, 3]);
    expect(Array.from(pixels.subarray(12, 24))).toEqual([0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0]);
  });
});

describe('labelledGrid', () => {
  it('is a PNG with the grid at its right and dark letters at its left', async () => {
    const outcome = await labelledGrid(rows, { image: [1, 2], zoom: 10, gap: 2 })();
    if (E.isLeft(outcome)) throw new Error(outcome.left.reason);
    const { width, height, data } = PNG.sync.read(Buffer.from(outcome.right));
    const grid = drawGrid(rows, { image: [1, 2], zoom: 10, gap: 2 });
    const grey = (x: number, y: number) => data[4 * (y * width + x)];
    const left = width - grid.width - 10;
    expect(height).toBe(grid.height + 20);
    for (const [x, y] of [
      [0, 0],
      [5, 5],
      [15, 5],
      [30, 5],
      [5, 17],
    ] as const) {
      expect(grey(left + x, 10 + y)).toBe(grid.pixels[y * grid.width + x]);
    }
    const labels = Array.from({ length: left * height }, (_, i) => grey(i % left, Math.floor(i / left)));
    expect(Math.min(...labels)).toBeLessThan(100);
  });
});
