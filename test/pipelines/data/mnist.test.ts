import { gzipSync } from 'node:zlib';

import { gatherRows } from '../../../src/core/rows.ts';
import { readMnist } from '../../../src/pipelines/data/mnist.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, idxFile, memoryFiles, smallMnist } from '../support.ts';

const small = smallMnist('d');

/** The small data set with one file replaced. */
const withFile = (name: string, content: Uint8Array) => memoryFiles({ ...small, [`d/${name}`]: content });

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
    ['train-images-idx3-ubyte', 'images of another size', idxFile('u8', [60, 2, 2], new Array<number>(240).fill(0))],
    ['train-images-idx3-ubyte', 'no images', idxFile('u8', [0, 28, 28], [])],
    ['t10k-labels-idx1-ubyte', 'labels beyond nine', idxFile('u8', [20], new Array<number>(20).fill(10))],
    ['t10k-labels-idx1-ubyte', 'labels that are no whole numbers', idxFile('f32', [20], new Array<number>(20).fill(1))],
    ['t10k-labels-idx1-ubyte', 'fewer labels than images', idxFile('u8', [19], new Array<number>(19).fill(1))],
    ['t10k-labels-idx1-ubyte', 'images in place of labels', small['d/t10k-images-idx3-ubyte']],
  ])('refuses in %s %s', async (name, _, content) => {
    const error = errorOf(await readMnist(withFile(name, content), 'd')());
    expect(error).toMatchObject({ _tag: 'BadData', source: expect.stringContaining('d/') as string });
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
