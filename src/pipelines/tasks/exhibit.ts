/**
 * What a task has to show, as data: whoever writes a report, or a page, draws it.
 *
 * @module
 */
import type { Tensor } from '../../core/tensor.ts';

/** Images of one kind, side by side. */
export interface ImageRow {
  readonly label: string;
  /** Grey levels in [0, 1], one image per row: `[n, height · width]`. */
  readonly images: Tensor;
}

/** A grid of images, a row for each kind. */
export interface ImageGrid {
  readonly kind: 'images';
  /** Name of the file, without an ending. */
  readonly name: string;
  readonly rows: ReadonlyArray<ImageRow>;
  /** Height and width of each image. */
  readonly image: readonly [height: number, width: number];
}

/** A file as it is: text, or the bytes of whatever was drawn elsewhere. */
export interface PlainFile {
  readonly kind: 'file';
  /** Name of the file. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** Points in the plane, beside others that they are compared with. */
export interface PointPanel {
  readonly label: string;
  /** `[n, 2]`. */
  readonly points: Tensor;
}

/** Panels of points, a row for each kind. */
export interface PointGrid {
  readonly kind: 'points';
  /** Name of the file, without an ending. */
  readonly name: string;
  readonly rows: ReadonlyArray<{ readonly label: string; readonly panels: ReadonlyArray<PointPanel> }>;
  /** Points that stand in every panel, for comparison: `[m, 2]`. */
  readonly behind: Tensor;
}

/** Something to show. */
export type Exhibit = ImageGrid | PointGrid | PlainFile;
