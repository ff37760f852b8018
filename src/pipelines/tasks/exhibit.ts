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

/** Something to show. */
export type Exhibit = ImageGrid | PlainFile;
