/**
 * Files in memory, IDX files to order, a world that only remembers, and small tasks.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../src/core/errors.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { uniform } from '../../src/core/random/uniform.ts';
import type { FileSystem } from '../../src/pipelines/files/fileSystem.ts';
import type { World } from '../../src/pipelines/world.ts';

/** The error of a computation that must fail. */
export const errorOf = <A>(result: E.Either<KfacError, A>): KfacError => {
  if (E.isRight(result)) throw new Error('expected an error');
  return result.left;
};

/** Files that exist in memory only. */
export interface MemoryFiles extends FileSystem {
  readonly content: Map<string, Uint8Array>;
}

/** A file system in memory. */
export const memoryFiles = (initial: Readonly<Record<string, Uint8Array | string>> = {}): MemoryFiles => {
  const toBytes = (content: Uint8Array | string): Uint8Array =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const content = new Map(Object.entries(initial).map(([path, bytes]) => [path, toBytes(bytes)]));
  return {
    content,
    read: (path) => {
      const bytes = content.get(path);
      return bytes === undefined
        ? TE.left({ _tag: 'FileFailed', path, operation: 'read', reason: 'there is no such file' })
        : TE.right(bytes);
    },
    exists: (path) => TE.right(content.has(path)),
    write: (path, bytes) => TE.fromIO(() => void content.set(path, toBytes(bytes))),
    refuseLink: () => TE.right(undefined),
    append: (path, bytes) =>
      TE.fromIO(() => void content.set(path, Buffer.concat([content.get(path) ?? new Uint8Array(), bytes]))),
    writeDirectory: (path, files) =>
      TE.fromIO(() => {
        [...content.keys()].filter((name) => name.startsWith(`${path}/`)).forEach((name) => content.delete(name));
        Object.entries(files).forEach(([name, bytes]) => content.set(`${path}/${name}`, toBytes(bytes)));
      }),
    removeDirectory: (path) =>
      TE.fromIO(() =>
        [...content.keys()].filter((name) => name.startsWith(`${path}/`)).forEach((name) => content.delete(name)),
      ),
    list: (directory) => {
      const inside = [...content.keys()].filter((name) => name.startsWith(`${directory}/`));
      return TE.right([...new Set(inside.map((name) => name.slice(directory.length + 1).split('/')[0]))]);
    },
    remove: (path) => TE.fromIO(() => void content.delete(path)),
    canWrite: () => TE.right(undefined),
    canWriteFile: (path) =>
      [...content.keys()].some((name) => name.startsWith(`${path.replace(/\/$/, '')}/`))
        ? TE.left({ _tag: 'FileFailed', path, operation: 'write', reason: 'it is a directory' })
        : TE.right(undefined),
    lock: () => TE.right(() => Promise.resolve()),
    claim: (directory) => {
      const isTaken = (name: string): boolean => [...content.keys()].some((path) => path.startsWith(`${name}/`));
      const free = [directory, ...Array.from({ length: 9 }, (_, i) => `${directory}-${i + 2}`)];
      return TE.right(free.find((name) => !isTaken(name)) ?? directory);
    },
    installed: () => O.none,
  };
};

/** A world in which time passes by 10 ms per look and everything said is kept. */
export interface RecordingWorld extends World {
  readonly outLines: Array<string>;
  readonly errLines: Array<string>;
}

/** A recording world with the given files. */
export const recordingWorld = (files: FileSystem = memoryFiles()): RecordingWorld => {
  const outLines: Array<string> = [];
  const errLines: Array<string> = [];
  let looks = 0;
  return {
    outLines,
    errLines,
    out: (line) => () => void outLines.push(line),
    err: (line) => () => void errLines.push(line),
    isWatched: false,
    files,
    clock: () => (looks += 1) / 100,
    date: () => new Date('2026-01-31T14:25:01Z'),
    memory: () => ({ now: 100, peak: 120 }),
  };
};

const codes = { u8: 0x08, i8: 0x09, i16: 0x0b, i32: 0x0c, f32: 0x0d, f64: 0x0e } as const;

/** Element types of IDX files. */
export type IdxType = keyof typeof codes;

const writers: Readonly<Record<IdxType, (buffer: Buffer, value: number, offset: number) => number>> = {
  u8: (b, value, offset) => b.writeUInt8(value, offset),
  i8: (b, value, offset) => b.writeInt8(value, offset),
  i16: (b, value, offset) => b.writeInt16BE(value, offset),
  i32: (b, value, offset) => b.writeInt32BE(value, offset),
  f32: (b, value, offset) => b.writeFloatBE(value, offset),
  f64: (b, value, offset) => b.writeDoubleBE(value, offset),
};

const widths: Readonly<Record<IdxType, number>> = { u8: 1, i8: 1, i16: 2, i32: 4, f32: 4, f64: 8 };

/** The bytes of an IDX file. */
export const idxFile = (type: IdxType, shape: ReadonlyArray<number>, values: ReadonlyArray<number>): Uint8Array => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, codes[type], shape.length]);
  shape.forEach((extent, axis) => header.writeUInt32BE(extent, 4 + 4 * axis));
  const body = Buffer.alloc(values.length * widths[type]);
  values.forEach((value, i) => writers[type](body, value, i * widths[type]));
  return Buffer.concat([header, body]);
};

/** Images with a bright stripe whose height tells the class, in noise: something that can be learned. */
const stripes = (count: number, seed: number): { images: Uint8Array; labels: Uint8Array } => {
  const noise = uniform(keyOf(seed), [count, 28, 28], 'f32').data;
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  const pixels = Array.from({ length: count * 784 }, (_, i) => {
    const row = Math.floor((i % 784) / 28);
    const bright = Math.floor(row / 3) === labels[Math.floor(i / 784)] ? 200 : 0;
    return Math.floor(bright + 55 * noise[i]);
  });
  return { images: idxFile('u8', [count, 28, 28], pixels), labels: idxFile('u8', [count], labels) };
};

/** The four files of a small data set in the form of MNIST, below a directory. */
export const smallMnist = (directory: string, train = 60, test = 20): Record<string, Uint8Array> => {
  const [a, b] = [stripes(train, 1), stripes(test, 2)];
  return {
    [`${directory}/train-images-idx3-ubyte`]: a.images,
    [`${directory}/train-labels-idx1-ubyte`]: a.labels,
    [`${directory}/t10k-images-idx3-ubyte`]: b.images,
    [`${directory}/t10k-labels-idx1-ubyte`]: b.labels,
  };
};
