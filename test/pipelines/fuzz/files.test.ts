/**
 * Files that are not what they should be, of every kind that is read: none brings the program down, hangs it, makes much of
 * little, or is answered with more than a sentence. FC_RUNS says how many of each kind; `npm run fuzz` tries more and counts.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import fc from 'fast-check';

import type { KfacError } from '../../../src/core/errors.ts';
import { describeError } from '../../../src/core/errors.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { tasks } from '../../../src/pipelines/catalogue/tasks.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/pipelines/checkpoints/files.ts';
import { loadLatest } from '../../../src/pipelines/checkpoints/store.ts';
import { tunePlan } from '../../../src/pipelines/cli/tunePlan.ts';
import { decodeConfigFile } from '../../../src/pipelines/config/file.ts';
import { parseCsv } from '../../../src/pipelines/data/csv.ts';
import { announcedLength, decodeIdx } from '../../../src/pipelines/data/idx.ts';
import { readMaybeCompressed } from '../../../src/pipelines/files/compressed.ts';
import { readDescription } from '../../../src/pipelines/loading/configuration.ts';
import { decodeSafetensors } from '../../../src/pipelines/safetensors/decode.ts';
import { encodeSafetensors } from '../../../src/pipelines/safetensors/encode.ts';
import { parseRecord } from '../../../src/pipelines/tuning/records.ts';
import { areOf } from '../../../src/pipelines/tuning/search.ts';
import type { Snapshot } from '../../../src/pipelines/trainer/snapshot.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { vocabularyIn } from '../../../src/pipelines/vocabularies/saved.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import type { Mutation } from '../../support/fuzz/mutations.ts';
import { mutations } from '../../support/fuzz/mutations.ts';
import { processorTime } from '../../support/processorTime.ts';
import { orThrow } from '../../support/training.ts';
import { idxFile, memoryFiles } from '../support.ts';
import { sineTask } from '../trainer/support.ts';

/** A kind of file. */
interface Kind {
  readonly isText: boolean;
  /** What is changed. */
  readonly whole: () => Promise<Uint8Array>;
  readonly read: (changed: Uint8Array) => Promise<E.Either<KfacError, unknown>>;
  /** Bytes that may be made of one. */
  readonly largest: number;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A checkpoint in the middle of a run, with a preparation under way. */
const checkpoint = async (): Promise<Readonly<Record<string, Uint8Array>>> => {
  const kept: Array<Snapshot> = [];
  const optimizer = orThrow(optimizerOf('ekfac', { inverseEvery: 3, inverseDrift: 0.1, inverseStaleness: 2 }));
  orThrow(
    await train({ backend: referenceBackend(), clock: () => 0 }, sineTask(), optimizer, {
      duration: { steps: 5 },
      batch: 7,
      seed: 3,
      evaluateEvery: 2,
      earlyStopping: { patience: 3 },
      saving: { isDue: ({ step }) => step === 4, save: (snapshot) => TE.fromIO(() => kept.push(snapshot)) },
    })(),
  );
  return orThrow(await encodeCheckpoint({ snapshot: kept[0], about: { config: { task: 'sine' } } })());
};

const made = checkpoint();

/** A checkpoint of which one file is another; its hash says so, or is made to fit. */
const checkpointWith = (name: string, isHashed: boolean): Pick<Kind, 'whole' | 'read'> => ({
  whole: async () => (await made)[name],
  read: async (changed) => {
    const files: Record<string, Uint8Array> = { ...(await made), [name]: changed };
    if (isHashed) {
      const hash = createHash('sha256').update(changed).digest('hex');
      const sums = text(files['SHA256SUMS']).replace(new RegExp(`^\\w+(?=  ${name}$)`, 'm'), hash);
      files['SHA256SUMS'] = bytesOf(sums);
    }
    return decodeCheckpoint('folder', (file) => TE.right(files[file]))();
  },
});

const configuration = {
  task: 'mnist-classifier',
  size: 'small',
  steps: 30,
  batch: 64,
  seed: 1,
  settings: { kfac: { damping: 0.1 } },
  optimizers: [
    'kfac',
    {
      name: 'own',
      estimator: { kind: 'monteCarlo', samples: 1 },
      curvature: { kind: 'kfac', decay: 0.95 },
      solver: { kind: 'kroneckerInverse', damping: 0.5, every: { drift: 0.05 }, staleness: 2 },
      update: { learningRate: { kind: 'cosine', start: 0.2, steps: 3 }, rules: [{ kind: 'momentum', mu: 0.8 }] },
    },
  ],
  about: { format: 1, files: ['kfac.safetensors'], kept: ['vocabulary.json'] },
};

const idx = idxFile(
  'u8',
  [6, 4, 5],
  Array.from({ length: 120 }, (_, i) => i),
);

const gzipped = (largest: number): Pick<Kind, 'largest' | 'read'> => ({
  largest,
  read: async (changed) => {
    const found = await readMaybeCompressed(memoryFiles({ x: changed }), ['x'], announcedLength)();
    return E.isLeft(found) ? found : decodeIdx(found.right.bytes, 'x');
  },
});

const kinds: Readonly<Record<string, Kind>> = {
  safetensors: {
    isText: true,
    largest: 4, // bytes of a file become integers of four
    whole: () =>
      Promise.resolve(
        encodeSafetensors(
          { a: tensor([1, 2, 3, 4], [2, 2], 'f32'), b: tensor([1, 2], [2]), c: tensor([1, 2, 3], [3], 'i32') },
          { of: 'fuzz' },
        ),
      ),
    read: (changed) => Promise.resolve(decodeSafetensors(changed, 'x.safetensors')),
  },
  'arrays of a checkpoint': { isText: false, largest: 4, ...checkpointWith('arrays.safetensors', true) },
  'document of a checkpoint': { isText: true, largest: 20, ...checkpointWith('checkpoint.json', true) },
  'document of a checkpoint, by its hash': { isText: false, largest: 20, ...checkpointWith('checkpoint.json', false) },
  'hashes of a checkpoint': { isText: true, largest: 100, ...checkpointWith('SHA256SUMS', false) },
  'name of the latest checkpoint': {
    isText: true,
    largest: 1e5, // of a few bytes
    whole: () => Promise.resolve(bytesOf('step-000000004\n')),
    read: async (changed) => {
      const files = Object.entries(await made).map(([name, bytes]) => [`c/step-000000004/${name}`, bytes] as const);
      return loadLatest(memoryFiles({ ...Object.fromEntries(files), 'c/latest': changed }), 'c')();
    },
  },
  'configuration in JSON': {
    isText: true,
    largest: 50,
    whole: () => Promise.resolve(bytesOf(JSON.stringify(configuration, null, 1))),
    read: (changed) => Promise.resolve(decodeConfigFile(text(changed), 'x.json')),
  },
  'configuration in YAML': {
    isText: true,
    largest: 50,
    whole: () =>
      Promise.resolve(
        bytesOf('task: x\nsteps: 3\nsettings:\n  kfac: &a { damping: 0.1 }\n  adam: { <<: *a }\nhold: [a, b]\n'),
      ),
    read: (changed) => Promise.resolve(decodeConfigFile(text(changed), 'x.yaml')),
  },
  'configuration of a run': {
    isText: true,
    largest: 50,
    whole: () => Promise.resolve(bytesOf(JSON.stringify(configuration))),
    read: (changed) => readDescription(memoryFiles({ 'run/config.json': changed }), 'run')(),
  },
  vocabulary: {
    isText: true,
    largest: 100,
    whole: () => Promise.resolve(bytesOf(JSON.stringify({ kind: 'characters', characters: 'abé\n' }))),
    read: (changed) => Promise.resolve(vocabularyIn(text(changed), 'vocabulary.json')),
  },
  'record of a search': {
    isText: true,
    largest: 50,
    whole: () =>
      Promise.resolve(
        bytesOf(
          '{"search":1,"task":"gan-ring","flags":{"size":"small","budget":"8","trials":"3","set":["kfac.momentum=0"]}}\n' +
            '{"optimizer":"kfac","trial":0,"settings":{"momentum":0},"rung":0,"budget":4,"seed":1,"loss":1.5,' +
            '"measures":{"modes":3},"steps":4,"seconds":0.1,"error":null}\n',
        ),
      ),
    read: (changed) =>
      Promise.resolve(
        pipe(
          parseRecord('search.jsonl', text(changed)),
          E.chainW(({ asked, results }) =>
            pipe(
              tunePlan(asked, tasks),
              E.map(({ search }) => areOf(search, results)),
            ),
          ),
        ),
      ),
  },
  IDX: {
    isText: false,
    largest: 4,
    whole: () => Promise.resolve(idx),
    read: (changed) => Promise.resolve(decodeIdx(changed, 'x')),
  },
  'IDX, compressed': { isText: false, whole: () => Promise.resolve(gzipSync(idx)), ...gzipped(1100) },
  'IDX, compressed, of much': {
    isText: false,
    whole: () =>
      Promise.resolve(
        gzipSync(
          idxFile(
            'u8',
            [200, 50, 50],
            Array.from({ length: 500000 }, () => 0),
          ),
        ),
      ),
    ...gzipped(1100),
  },
  CSV: {
    isText: true,
    largest: 100,
    whole: () => Promise.resolve(bytesOf('width,height,kind\n1,2,"a, b"\n3,4,c\n-1e3,,"q""q"\n')),
    read: (changed) => Promise.resolve(parseCsv(text(changed), 'x.csv')),
  },
};

/** Bytes of all arrays in a value. */
const arraysIn = (value: unknown, seen = new Set<object>()): number => {
  if (typeof value !== 'object' || value === null || seen.has(value)) return 0;
  seen.add(value);
  if (ArrayBuffer.isView(value)) {
    const isCounted = seen.has(value.buffer);
    seen.add(value.buffer);
    return isCounted ? 0 : value.byteLength;
  }
  return Object.values(value).reduce((sum: number, part) => sum + arraysIn(part, seen), 0);
};

/** What is wrong with an answer, or nothing. */
const faultsIn = (answer: E.Either<KfacError, unknown>, given: number, largest: number): ReadonlyArray<string> => {
  if (E.isRight(answer)) {
    const bytes = arraysIn(answer.right);
    return bytes <= largest * given + 8192 ? [] : [`${bytes} bytes of ${given}`];
  }
  const sentence = describeError(answer.left);
  const known = ['BadCheckpoint', 'BadData', 'BadConfig', 'FileFailed'];
  return [
    ...(known.includes(answer.left._tag) ? [] : [`a ${answer.left._tag}`]),
    ...(sentence.length < 4000 ? [] : [`a sentence of ${sentence.length} characters`]),
    ...(/\n\s+at |TypeError|RangeError|call stack|undefined|\[object/.test(sentence) ? [sentence] : []),
  ];
};

const numRuns = Number(process.env['FC_RUNS'] ?? 50);
const count = { files: 0, refused: 0, slowest: 0 };

describe.each(Object.entries(kinds))('%s', (_, { isText, whole, read, largest }) => {
  it('is read as it is', async () => {
    const bytes = await whole();
    const answer = await read(bytes);
    expect(answer).toMatchObject({ _tag: 'Right' });
    expect(faultsIn(answer, bytes.length, largest)).toEqual([]);
  });

  it('law: whatever is in it, the answer is a value or a sentence', async () => {
    const bytes = await whole();
    await fc.assert(
      fc.asyncProperty(mutations(isText), async (change: Mutation) => {
        const changed = change(bytes);
        const spent = processorTime();
        const answer = await read(changed);
        count.slowest = Math.max(count.slowest, spent());
        count.files += 1;
        count.refused += E.isLeft(answer) ? 1 : 0;
        expect(faultsIn(answer, changed.length, largest)).toEqual([]);
      }),
      { numRuns },
    );
  }, 3_600_000);
});

it('law: a header that claims terabytes is refused by arithmetic', async () => {
  const header = (json: string): Uint8Array => {
    const head = new Uint8Array(8 + json.length);
    new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
    head.set(bytesOf(json), 8);
    return head;
  };
  const before = process.memoryUsage().arrayBuffers;
  for (const extents of [
    '[1099511627776]',
    '[2147483647,2147483647]',
    '[9007199254740991]',
    '[65536,65536,65536,65536]',
  ]) {
    for (const offsets of ['[0,4398046511104]', '[0,0]', '[0,9007199254740991]', '[4398046511104,8796093022208]']) {
      const answer = decodeSafetensors(
        header(`{"a":{"dtype":"F32","shape":${extents},"data_offsets":${offsets}}}`),
        'x',
      );
      expect(answer).toMatchObject({ _tag: 'Left', left: { _tag: 'BadCheckpoint' } });
    }
  }
  const idxOfMuch = new Uint8Array([0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
  for (const file of [idxOfMuch, gzipSync(idxOfMuch)]) {
    const answer = await readMaybeCompressed(memoryFiles({ x: file }), ['x'], announcedLength)();
    expect(E.isLeft(answer) || E.isLeft(decodeIdx(answer.right.bytes, 'x'))).toBe(true);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
});

it('law: none takes long', () => {
  expect(count.slowest).toBeLessThan(20);
  if (process.env['FUZZ_FIGURE'] !== undefined) {
    process.stdout.write(
      `${count.files} files, ${count.refused} refused in a sentence, none more; the slowest took ${Math.ceil(1000 * count.slowest)} ms\n`,
    );
  }
});
