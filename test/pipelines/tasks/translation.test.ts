/** Pairs of texts: where they come from, how they are padded, what is lost by neither. */
import fc from 'fast-check';
import * as O from 'fp-ts/lib/Option.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { permutation } from '../../../src/core/random/permutation.ts';
import type { ReadonlyVector, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { batchIndices } from '../../../src/pipelines/data/batches.ts';
import { messageLanguages, readMessages } from '../../../src/pipelines/data/compilerMessages.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { parsePairs, readPairs } from '../../../src/pipelines/data/parallelText.ts';
import { encodedPairs, pairDataset } from '../../../src/pipelines/data/tokenPairs.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { evaluate } from '../../../src/pipelines/trainer/evaluate.ts';
import { translation } from '../../../src/pipelines/tasks/translation.ts';
import { characterVocabulary, charactersOf } from '../../../src/pipelines/vocabularies/characters.ts';
import { spelled } from '../../../src/pipelines/vocabularies/vocabulary.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';

const languages = { from: 'en', to: 'de' };

describe('pairs of texts', () => {
  it('by hand: a pair on each line, blank lines and further columns left out', () => {
    expect(orThrow(parsePairs('red\trot\n\n blue \t blau \tby hand\n', 'colours.tsv')).pairs).toEqual([
      { source: 'red', target: 'rot' },
      { source: 'blue', target: 'blau' },
    ]);
  });

  it.each([
    ['red\trot\nblue\n', 'colours.tsv, line 2', '"blue" without a tab'],
    ['red\trot\n\n\tblau\n', 'colours.tsv, line 3', 'nothing before the tab'],
    ['red\t\n', 'colours.tsv, line 1', 'nothing after the tab'],
    ['red\t \tx\n', 'colours.tsv, line 1', 'nothing after the tab'],
  ])('%j: the line is named', (text, source, actual) => {
    expect(errorOf(parsePairs(text, 'colours.tsv'))).toMatchObject({ _tag: 'BadData', source, actual });
  });

  it('come from two files line by line', async () => {
    const files = memoryFiles({
      'a.en': 'red\n\nblue\n',
      'a.de': 'rot\r\n\r\nblau\r\n',
      'b.en': 'red\nblue',
      'b.de': 'rot',
      'c.en': 'red\nblue\n',
      'c.de': 'rot\n\n',
    });
    expect(orThrow(await readPairs(files, 'a', languages)())).toMatchObject({
      name: 'a.en',
      pairs: [
        { source: 'red', target: 'rot' },
        { source: 'blue', target: 'blau' },
      ],
    });
    expect(errorOf(await readPairs(files, 'b', languages)())).toMatchObject({
      source: 'b.en and b.de',
      actual: '2 lines in b.en, 1 in b.de',
    });
    expect(errorOf(await readPairs(files, 'c', languages)())).toMatchObject({
      source: 'c.de, line 2',
      actual: 'nothing',
    });
    expect(errorOf(await readPairs(files, 'a', { from: 'en', to: 'fr' })())).toMatchObject({ path: 'a.fr' });
    expect(errorOf(await readPairs(files, 'nowhere', languages)())).toMatchObject({ path: 'nowhere' });
  });
});

describe('messages of TypeScript', () => {
  it('are in every language that is named, and belong together', async () => {
    for (const to of messageLanguages.filter((language) => language !== 'en')) {
      const { pairs, name } = orThrow(await readMessages(nodeFileSystem, { from: 'en', to })());
      expect(name).toBe(`messages of TypeScript, en to ${to}`);
      expect(pairs.length).toBeGreaterThan(2000);
    }
    const { pairs } = orThrow(await readMessages(nodeFileSystem, languages)());
    expect(pairs).toContainEqual({
      source: "Cannot find name '{0}'.",
      target: 'Der Name "{0}" wurde nicht gefunden.',
    });
    const back = orThrow(await readMessages(nodeFileSystem, { from: 'de', to: 'fr' })());
    expect(back.pairs.length).toBeGreaterThan(2000);
  });

  it('are refused in other languages, and where the package is not there or another one', async () => {
    const read = async (from: string, to: string, files = memoryFiles({})) =>
      errorOf(await readMessages(files, { from, to })());
    expect(await read('en', 'tlh')).toMatchObject({ _tag: 'BadConfig', path: 'with.to', actual: '"tlh"' });
    expect(await read('tlh', 'en')).toMatchObject({ _tag: 'BadConfig', path: 'with.from' });
    expect(await read('de', 'de')).toMatchObject({ path: 'with.to', expected: 'another language than de' });
    expect(await read('en', 'de')).toMatchObject({ expected: 'the package typescript' });
    const other = { ...memoryFiles({ 'ts/lib/typescript.js': 'module.exports = {}' }), installed: () => O.some('ts') };
    expect(await read('en', 'de', other)).toMatchObject({ source: 'ts/lib/typescript.js', actual: 'none' });
    const broken = {
      ...memoryFiles({ 'ts/lib/de/diagnosticMessages.generated.json': '{"a": ' }),
      installed: () => O.some('ts'),
    };
    expect(await read('de', 'en', broken)).toMatchObject({ actual: 'text that is no JSON' });
  });
});

const words = 'abcde';
const vocabulary = characterVocabulary(charactersOf(words));
const longest = 20;

const pairsOf = fc.array(
  fc.record({
    source: fc.string({ unit: fc.constantFrom(...Array.from(words)), minLength: 1, maxLength: longest }),
    target: fc.string({ unit: fc.constantFrom(...Array.from(words)), minLength: 1, maxLength: longest - 1 }),
  }),
  { minLength: 1, maxLength: 12 },
);

const datasetOf = (pairs: Parameters<typeof encodedPairs>[1]): Dataset =>
  pairDataset('pairs', orThrow(encodedPairs('pairs', pairs, vocabulary, longest)), vocabulary, longest);

const all = ({ size }: Dataset): ReadonlyVector => Int32Array.from({ length: size }, (_, i) => i);

/** More columns, of anything that a token may be; the mask says that nothing is there. */
const wider = (x: Tensor, more: number, filler: number): Tensor => {
  const [n, extent] = x.shape;
  const width = extent + more;
  return generate(
    [n, width],
    (i) => (i % width < extent ? x.data[Math.floor(i / width) * extent + (i % width)] : filler),
    x.dtype,
  );
};

describe('examples of pairs', () => {
  it('law: tokens that are there spell the texts, targets are the inputs one further, up to the end', () => {
    fc.assert(
      fc.property(pairsOf, (pairs) => {
        const data = datasetOf(pairs);
        const { inputs, targets, mask, source, sourceMask, sourceLengths } = data.batch(all(data));
        const [n, t] = mask.shape;
        const [, s] = sourceMask.shape;
        expect(data.size).toBe(pairs.length);
        expect([s, t].every((extent) => extent % 8 === 0 || extent === longest)).toBe(true);
        const texts = Array.from({ length: n }, (_, row) => {
          const there = (x: Tensor, of: Tensor, extent: number): ReadonlyArray<number> =>
            Array.from({ length: extent }, (__, i) => row * extent + i)
              .filter((at) => of.data[at] === 1)
              .map((at) => x.data[at]);
          const [read, written, next] = [there(source, sourceMask, s), there(inputs, mask, t), there(targets, mask, t)];
          expect(written[0]).toBe(vocabulary.size);
          expect(next.at(-1)).toBe(vocabulary.size + 1);
          expect(next.slice(0, -1)).toEqual(written.slice(1));
          expect(sourceLengths.data[row]).toBe(read.length);
          return { source: spelled(vocabulary, read), target: spelled(vocabulary, written) };
        });
        const keyed = (list: ReadonlyArray<{ readonly source: string; readonly target: string }>) =>
          list.map((pair) => `${pair.source} ${pair.target}`).sort();
        expect(keyed(texts)).toEqual(keyed(pairs));
        const lengths = Array.from(data.lengths ?? []);
        expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
      }),
    );
  });

  it.each(['transformer', 'gru'])(
    'law: padding, chunks and the order of examples change no loss (%s)',
    async (network) => {
      const backend = referenceBackend();
      const settings = { network, longest, features: 8, heads: 2, blocks: 1, tokens: 'characters' };
      const recalled = translation.recalled?.('small', settings, { 'vocabulary.json': vocabulary.content });
      if (recalled === undefined) throw new Error('recalled');
      const task = orThrow(recalled);
      const { params } = task.initial(keyOf(1), 'f64');
      const judged = async (data: Dataset, chunk: number) =>
        orThrow(await evaluate(backend, task, params, data, { chunk })());
      await fc.assert(
        fc.asyncProperty(
          pairsOf,
          fc.integer({ min: 1, max: 5 }),
          fc.nat(4),
          fc.nat(1000),
          async (pairs, chunk, more, seed) => {
            const data = datasetOf(pairs);
            const plain = await judged(data, 100);
            const { data: order } = permutation(keyOf(seed), data.size);
            const shuffled: Dataset = {
              name: 'shuffled',
              size: data.size,
              batch: (indices) => {
                const { sourceLengths, ...arrays } = data.batch(Int32Array.from(indices, (i) => order[i]));
                const room = Math.max(
                  0,
                  Math.min(more, longest - arrays['source'].shape[1], longest - arrays['inputs'].shape[1]),
                );
                const filled = Object.entries(arrays).map(([name, x]) => [
                  name,
                  wider(x, room, name.toLowerCase().endsWith('mask') ? 0 : 3),
                ]);
                return { ...(Object.fromEntries(filled) as Record<string, Tensor>), sourceLengths };
              },
            };
            const other = await judged(shuffled, chunk);
            expect(other.loss).toBeCloseTo(plain.loss, 9);
            Object.keys(plain.measures).forEach((name) =>
              expect(other.measures[name]).toBeCloseTo(plain.measures[name], 9),
            );
          },
        ),
        { numRuns: 8 },
      );
    },
  );

  it('law: batches by length: each epoch has each example once, and a batch has neighbours', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (found, batch, seed) => {
          const lengths = Int32Array.from(found);
          const plan = { key: keyOf(seed), size: lengths.length, batch, lengths };
          const steps = Math.ceil((2 * lengths.length) / batch);
          const stream = Array.from({ length: steps }, (_, step) =>
            Array.from(batchIndices(plan, step).indices),
          ).flat();
          for (const epoch of [0, 1]) {
            const part = stream.slice(epoch * lengths.length, (epoch + 1) * lengths.length);
            expect(part.toSorted((a, b) => a - b)).toEqual(Array.from(lengths, (_, i) => i));
          }
          // All fit into one pool here: batches of the first epoch are runs of the sorted lengths.
          const sorted = lengths.toSorted();
          const runs = Array.from({ length: Math.floor(lengths.length / batch) }, (_, i) =>
            Array.from(sorted.slice(i * batch, (i + 1) * batch)).join(' '),
          );
          const batches = Array.from({ length: runs.length }, (_, i) =>
            stream
              .slice(i * batch, (i + 1) * batch)
              .map((at) => lengths[at])
              .sort((a, b) => a - b)
              .join(' '),
          );
          expect(batches.sort()).toEqual(runs.sort());
        },
      ),
    );
  });
});
