/**
 * Images of an IDX file as rows of pixels from 0 to 1.
 *
 * Bytes are scaled by their type. Other numbers are taken as they are where they lie between 0 and 1, and scaled, with a
 * word, where they are bytes in all but type.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import { firstFraction, firstOutside } from '../../core/rows.ts';
import { showShape } from '../../core/tensor.ts';
import type { IdxArray } from './idx.ts';

/** Height and width of an image. */
export type ImageSize = readonly [height: number, width: number];

/** Images of equal size. */
export interface Images {
  /** Pixels from 0 to 1, one image per row: rows of shape `[height · width]`. */
  readonly rows: Rows;
  readonly size: ImageSize;
  /** How the pixels were understood, where that is not plain. */
  readonly warnings: ReadonlyArray<string>;
}

const bad = (source: string, expected: string, actual: string, advice: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

/** A factor for the pixels, and a word about it. */
interface Scaling {
  readonly scale: number;
  readonly warnings: ReadonlyArray<string>;
}

const scalingOf = (source: string, { kind, data }: IdxArray, pixels: number): E.Either<KfacError, Scaling> => {
  const aboveOne = firstOutside(data, 0, 1);
  const asTheyAre: Scaling = { scale: 1, warnings: [] };
  if (kind === 'byte') {
    return E.right(
      aboveOne < 0
        ? { scale: 1, warnings: [`${source}: bytes of 0 and 1 only, which are taken as black and white.`] }
        : { scale: 1 / 255, warnings: [] },
    );
  }
  if (aboveOne < 0) return E.right(asTheyAre);
  const outside = firstOutside(data, 0, 255);
  if (outside < 0 && firstFraction(data, 1) < 0) {
    return E.right({ scale: 1 / 255, warnings: [`${source}: pixels from 0 to 255, which are divided by 255.`] });
  }
  const at = outside < 0 ? aboveOne : outside;
  const actual = `${data[at]} in image ${Math.floor(at / pixels)}`;
  return bad(source, 'pixels from 0 to 1, or whole ones from 0 to 255', actual, 'Remove or repair the image.');
};

/**
 * The images of an array `[n, height, width]`.
 *
 * @param array - what a file holds
 * @param source - name of the file, for errors
 */
export const imagesOf = (array: IdxArray, source: string): E.Either<KfacError, Images> => {
  const { shape, data } = array;
  const [, height, width] = shape;
  if (shape.length !== 3 || shape.includes(0)) {
    return bad(source, 'images [n, height, width]', showShape(shape), 'Check that the file has grey images.');
  }
  const pixels = height * width;
  return pipe(
    scalingOf(source, array, pixels),
    E.map(({ scale, warnings }) => ({
      rows: { shape: [pixels], data, scale, dtype: 'f32' },
      size: [height, width],
      warnings,
    })),
  );
};
