/**
 * Small images side by side: rows of originals and of what models make of them.
 *
 * @module
 */
import type { ImageRow } from '../tasks/exhibit.ts';
import type { GreyImage } from './png.ts';

/** How a grid is drawn. */
export interface GridLayout {
  /** Height and width of one image. */
  readonly image: readonly [number, number];
  /** Pixels of the grid per pixel of an image. */
  readonly zoom: number;
  /** Grey pixels between images and around them. */
  readonly gap: number;
}

/** Grey level between images. */
const background = 96;

const toByte = (level: number): number => Math.round(255 * Math.min(1, Math.max(0, level)));

/** Position in a row of equal cells with gaps around them: which cell, and where in it; `null` in a gap. */
const locate = (pixel: number, extent: number, { zoom, gap }: GridLayout): readonly [number, number] | null => {
  const pitch = extent * zoom + gap;
  const inCell = (pixel % pitch) - gap;
  return inCell < 0 ? null : [Math.floor(pixel / pitch), Math.floor(inCell / zoom)];
};

/**
 * Draws a grid. All rows have as many images as the first.
 *
 * @param rows - rows from top to bottom
 * @param layout - sizes
 */
export const drawGrid = (rows: ReadonlyArray<ImageRow>, layout: GridLayout): GreyImage => {
  const { image, zoom, gap } = layout;
  const [imageHeight, imageWidth] = image;
  const columns = rows.length === 0 ? 0 : rows[0].images.shape[0];
  const width = gap + columns * (imageWidth * zoom + gap);
  const height = gap + rows.length * (imageHeight * zoom + gap);
  const pixelAt = (position: number): number => {
    const vertical = locate(Math.floor(position / width), imageHeight, layout);
    const horizontal = locate(position % width, imageWidth, layout);
    if (vertical === null || horizontal === null) return background;
    const [row, y] = vertical;
    const [column, x] = horizontal;
    return toByte(rows[row].images.data[(column * imageHeight + y) * imageWidth + x]);
  };
  return { width, height, pixels: Uint8Array.from({ length: width * height }, (_, position) => pixelAt(position)) };
};
