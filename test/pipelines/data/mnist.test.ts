import { gzipSync } from 'node:zlib';

import { gatherRows } from '../../../src/core/rows.ts';
import { readImages, readMnist } from '../../../src/pipelines/data/mnist.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { orThrow } from '../../support/training.ts';
import type { IdxType } from '../support.ts';
import { errorOf, idxFile, memoryFiles, smallMnist } from '../support.ts';

const small = smallMnist('d');

/** The small data set with one file replaced. */
const withFile = (name: string, content: Uint8Array) => memoryFiles({ ...small, [`d/${name}`]: content });

const grey = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i % 256);

const images = (value: number, count = 60): ReadonlyArray<number> =>
  Array.from({ length: count * 784 }, (_, i) => (i === 784 * 7 + 3 ? value : 0.5));

describe('readMnist', () => {
  it('reads the installed data set: counts, first labels and mean pixel of MNIST', async () => {
    const { train, test } = orThrow(await readMnist(nodeFileSystem)());
    expect(train.labels.data).toHaveLength(60_000);
    expect(test.labels.data).toHaveLength(10_000);
    expect(train.images.data).toHaveLength(60_000 * 784);
    expect(Array.from(train.labels.data).slice(0, 5)).toEqual([5, 0, 4, 1, 9]);
    const bytes = train.images.data;
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 1) sum += bytes[i];
    expect((sum / bytes.length) * train.images.scale).toBeCloseTo(0.1307, 4);
  });

  it('reads another data set of the same form, plain or compressed', async () => {
    const plain = orThrow(await readMnist(memoryFiles(small), 'd')());
    const packed = Object.entries(small).map(([path, bytes]) => [`${path}.gz`, gzipSync(bytes)] as const);
    const unpacked = orThrow(await readMnist(memoryFiles(Object.fromEntries(packed)), 'd')());
    expect(unpacked.train.images.data).toEqual(plain.train.images.data);
    expect(gatherRows(plain.test.labels, Int32Array.of(0, 13)).data).toEqual(Int32Array.of(0, 3));
  });

  it('takes images of floats in [0, 1] as they are', async () => {
    const files = withFile('train-images-idx3-ubyte', idxFile('f32', [60, 28, 28], images(0.25)));
    const { train } = orThrow(await readMnist(files, 'd')());
    expect(gatherRows(train.images, Int32Array.of(7)).data[3]).toBe(0.25);
  });

  it.each([NaN, Infinity, -0.5, 1.5])('refuses a pixel of %p and names the image', async (pixel) => {
    const files = withFile('train-images-idx3-ubyte', idxFile('f32', [60, 28, 28], images(pixel)));
    expect(errorOf(await readMnist(files, 'd')())).toMatchObject({
      _tag: 'BadData',
      source: 'd/train-images-idx3-ubyte',
      actual: `${pixel} in image 7`,
    });
  });

  it.each([
    ['train-images-idx3-ubyte', 'a file that was cut off', small['d/train-images-idx3-ubyte'].subarray(0, 1000)],
    ['train-images-idx3-ubyte', 'a wrong magic number', Buffer.from('<html>not found</html>')],
    ['train-images-idx3-ubyte', 'images of another size than those for test', idxFile('u8', [60, 2, 2], grey(240))],
    ['train-images-idx3-ubyte', 'images without a pixel', idxFile('u8', [60, 0, 28], [])],
    ['train-images-idx3-ubyte', 'images in colour', idxFile('u8', [60, 2, 2, 3], grey(720))],
    [
      'train-images-idx3-ubyte',
      'images of 16 bits',
      idxFile('i16', [60, 28, 28], [...images(0).slice(1).map(Math.ceil), 256]),
    ],
    ['train-images-idx3-ubyte', 'no images', idxFile('u8', [0, 28, 28], [])],
    [
      't10k-labels-idx1-ubyte',
      'labels of more classes than it can have',
      idxFile('i32', [20], new Array<number>(20).fill(256)),
    ],
    ['t10k-labels-idx1-ubyte', 'negative labels', idxFile('i8', [20], new Array<number>(20).fill(-1))],
    [
      't10k-labels-idx1-ubyte',
      'labels that are no whole numbers',
      idxFile('f32', [20], new Array<number>(20).fill(1.5)),
    ],
    ['t10k-labels-idx1-ubyte', 'fewer labels than images', idxFile('u8', [19], new Array<number>(19).fill(1))],
    ['t10k-labels-idx1-ubyte', 'images in place of labels', small['d/t10k-images-idx3-ubyte']],
  ])('refuses in %s %s', async (name, _, content) => {
    const error = errorOf(await readMnist(withFile(name, content), 'd')());
    expect(error).toMatchObject({ _tag: 'BadData', source: expect.stringContaining('d/') as string });
  });

  it.each<readonly [string, IdxType]>([
    ['floats of 32 bits', 'f32'],
    ['floats of 64 bits', 'f64'],
    ['integers of 16 bits', 'i16'],
    ['integers of 32 bits', 'i32'],
  ])('scales %s that are bytes in all but type, with a word', async (_, type) => {
    const files = withFile('train-images-idx3-ubyte', idxFile(type, [60, 28, 28], grey(60 * 784)));
    const { train, warnings } = orThrow(await readMnist(files, 'd')());
    expect(gatherRows(train.images, Int32Array.of(0)).data[255]).toBe(1);
    expect(warnings).toEqual(['d/train-images-idx3-ubyte: pixels from 0 to 255, which are divided by 255.']);
  });

  it.each<readonly [string, IdxType, boolean]>([
    ['bytes', 'u8', true],
    ['integers', 'i8', false],
    ['floats', 'f32', false],
  ])('takes %s of 0 and 1 as black and white', async (_, type, isSaid) => {
    const pixels = Array.from({ length: 60 * 784 }, (__, i) => i % 2);
    const { train, warnings } = orThrow(
      await readMnist(withFile('train-images-idx3-ubyte', idxFile(type, [60, 28, 28], pixels)), 'd')(),
    );
    expect(Array.from(gatherRows(train.images, Int32Array.of(0)).data).slice(0, 2)).toEqual([0, 1]);
    expect(warnings).toHaveLength(isSaid ? 1 : 0);
  });

  it('takes labels that are floats and whole', async () => {
    const labels = Array.from({ length: 20 }, (_, i) => i % 10);
    const { test } = orThrow(await readMnist(withFile('t10k-labels-idx1-ubyte', idxFile('f64', [20], labels)), 'd')());
    expect(gatherRows(test.labels, Int32Array.of(3, 13))).toMatchObject({ dtype: 'i32', data: Int32Array.of(3, 3) });
  });

  it('takes size of images and number of classes from the files', async () => {
    const part = (name: string, count: number) => ({
      [`d/${name}-images-idx3-ubyte`]: idxFile('u8', [count, 3, 5], grey(count * 15)),
      [`d/${name}-labels-idx1-ubyte`]: idxFile(
        'u8',
        [count],
        Array.from({ length: count }, (_, i) => 1 + (i % 26)),
      ),
    });
    const data = orThrow(await readMnist(memoryFiles({ ...part('train', 60), ...part('t10k', 30) }), 'd')());
    expect(data).toMatchObject({ size: [3, 5], classes: 27, warnings: [] });
  });

  it.each([
    ['with a dot', 'd', (path: string) => path.replace(/-idx/, '.idx')],
    ['of EMNIST', 'd', (path: string) => path.replace('t10k', 'test')],
    [
      'of EMNIST in a directory of several sets',
      'd/emnist-letters',
      (path: string) => path.replace('d/', 'd/emnist-letters-').replace('t10k', 'test'),
    ],
    [
      'that begin with all but the part',
      'd/emnist-letters-',
      (path: string) => path.replace('d/', 'd/emnist-letters-').replace('t10k', 'test'),
    ],
    ['in a directory with a dash at its end', 'd-', (path: string) => path.replace('d/', 'd-/')],
    ['below a name with a slash at its end', 'd/', (path: string) => path],
  ])('finds files by names %s, compressed or not', async (_, base, rename) => {
    const renamed = Object.entries(small).map(([path, bytes]) => [rename(path), bytes] as const);
    const packed = renamed.map(([path, bytes]) => [`${path}.gz`, gzipSync(bytes)] as const);
    for (const files of [renamed, packed]) {
      const { train, test } = orThrow(await readMnist(memoryFiles(Object.fromEntries(files)), base)());
      expect([train.labels.data.length, test.labels.data.length]).toEqual([60, 20]);
    }
  });

  it('reads images without labels where nobody asks for them', async () => {
    const files = memoryFiles(small);
    files.content.delete('d/train-labels-idx1-ubyte');
    files.content.delete('d/t10k-labels-idx1-ubyte');
    expect(orThrow(await readImages(files, 'd')()).size).toEqual([28, 28]);
    expect(errorOf(await readMnist(files, 'd')())).toMatchObject({ path: 'd/train-labels-idx1-ubyte' });
  });

  it('makes no more of a compressed file than its header says', async () => {
    const bomb = gzipSync(Buffer.concat([idxFile('u8', [60, 28, 28], grey(60 * 784)), Buffer.alloc(2 ** 25)]));
    expect(errorOf(await readMnist(withFile('train-images-idx3-ubyte', bomb), 'd')())).toMatchObject({
      _tag: 'BadData',
      source: 'd/train-images-idx3-ubyte',
      expected: `${16 + 60 * 784} bytes, as the header says`,
      actual: 'more',
    });
    const header = idxFile('u8', [2 ** 31, 2 ** 10, 2 ** 10], []);
    expect(errorOf(await readMnist(withFile('train-images-idx3-ubyte', gzipSync(header)), 'd')())).toMatchObject({
      _tag: 'BadData',
      actual: `a header for ${16 + 2 ** 51} bytes`,
    });
  });

  it.each([
    ['less than a header', Buffer.from([0, 0, 8])],
    ['half a header', Buffer.from([0, 0, 8, 3, 0, 0])],
    ['another format', Buffer.from('<html>not found</html>')],
    ['nothing', Buffer.alloc(0)],
  ])('refuses a compressed file of %s', async (_, content) => {
    const files = withFile('train-images-idx3-ubyte', gzipSync(content));
    expect(errorOf(await readMnist(files, 'd')())).toMatchObject({
      _tag: 'BadData',
      source: 'd/train-images-idx3-ubyte',
    });
  });

  it('refuses a compressed file that was cut off', async () => {
    const name = 'train-labels-idx1-ubyte';
    const files = withFile(name, gzipSync(small[`d/${name}`]).subarray(0, 30));
    expect(errorOf(await readMnist(files, 'd')())).toMatchObject({ _tag: 'BadData', expected: 'a whole gzip file' });
  });

  it('names the file that is missing', async () => {
    const files = memoryFiles(small);
    files.content.delete('d/t10k-images-idx3-ubyte');
    expect(errorOf(await readMnist(files, 'd')())).toMatchObject({
      _tag: 'FileFailed',
      path: 'd/t10k-images-idx3-ubyte',
    });
  });
});
