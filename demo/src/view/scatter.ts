/**
 * Points in a square: those of the data, and over them those that a network makes.
 *
 * @module
 */
import type { ReadonlyVector } from 'kfac-ts/core';

import { element } from './elements.ts';

/** Pixels of a side, twice as many as are shown, for screens that have them. */
const side = 400;

/** What is shown, from the middle to a side. */
const reach = 3;

const place = (coordinate: number): number => (side / 2) * (1 + coordinate / reach);

const draw = (context: CanvasRenderingContext2D, points: ReadonlyVector, colour: string, size: number): void => {
  context.fillStyle = colour;
  Array.from({ length: points.length / 2 }, (_, i) =>
    context.fillRect(place(points[2 * i]) - size / 2, place(-points[2 * i + 1]) - size / 2, size, size),
  );
};

/**
 * A picture of points.
 *
 * @param data - pairs of coordinates
 * @param made - those of a network, `null` where there are none
 * @param label - for those who do not see it
 */
export const scatter = (data: ReadonlyVector, made: ReadonlyVector | null, label: string): HTMLCanvasElement => {
  const canvas = element('canvas', {
    class: 'scatter',
    width: `${side}`,
    height: `${side}`,
    role: 'img',
    'aria-label': label,
  });
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  draw(context, data, '#9aa4b2', 6);
  if (made !== null) draw(context, made, '#ffb000', 7);
  return canvas;
};
