/** A translation through the program: trained, judged, asked; and what is wrong with what it is given. */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { runCli } from '../../../src/pipelines/cli/run.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import type { MemoryFiles } from '../support.ts';
import { memoryFiles, recordingWorld } from '../support.ts';

const colours = ['red', 'blue', 'green', 'white', 'black', 'brown', 'grey', 'pink', 'gold', 'old'];
const things = ['house', 'car', 'tree', 'bird'];
const farben = ['rote', 'blaue', 'grüne', 'weiße', 'schwarze', 'braune', 'graue', 'rosa', 'goldene', 'alte'];
const dinge = ['Haus', 'Auto', 'Baum', 'Vogel'];
const pairs = colours.flatMap((colour, i) =>
  things.map((thing, k) => [`the ${colour} ${thing}`, `das ${farben[i]} ${dinge[k]}`]),
);
const tsv = pairs.map((pair) => pair.join('\t')).join('\n');

const tiny = ['longest=24', 'features=16', 'blocks=1', 'heads=2', 'tokens=characters'].flatMap((each) => [
  '--with',
  each,
]);
const training = ['--size', 'small', '--backend', 'native', '--threads', '1', '--batch', '8', '--optimizer', 'adam'];

const files = memoryFiles({
  'colours.tsv': tsv,
  'corpus.en': pairs.map(([source]) => source).join('\n'),
  'corpus.de': pairs.map(([, target]) => target).join('\n'),
});

/** What the program says in a world of these files, and what it ends with. */
const said = async (from: MemoryFiles, args: ReadonlyArray<string>, input?: Uint8Array) => {
  const world = recordingWorld(from);
  const code = await runCli(input === undefined ? world : { ...world, input: TE.right(input) }, args)();
  return { code, out: world.outLines, err: world.errLines };
};

const train = (out: string, ...args: ReadonlyArray<string>) =>
  said(files, ['train', 'translation', ...training, ...tiny, '--out', out, ...args]);

beforeAll(async () => {
  expect((await train('run', '--data', 'colours.tsv', '--steps', '4')).code).toBe(0);
});

describe('a translation', () => {
  it('reports BLEU, and shows test texts with their references', () => {
    const text = new TextDecoder().decode(files.content.get('run/translations.txt'));
    expect(text).toMatch(/^adam: BLEU \d+\.\d\d \(brevity penalty \d\.\d{3}\) on 4 test texts, greedy\n/);
    expect(text.match(/^reference {4}das /gm)).toHaveLength(4);
    expect(new TextDecoder().decode(files.content.get('run/report.txt'))).toMatch(/test bleu +test exact/);
  });

  it('law: is judged at what its report says, BLEU included', async () => {
    const lines = new TextDecoder().decode(files.content.get('run/metrics.jsonl')).split('\n');
    const done = JSON.parse(lines.find((line) => line.includes('"event":"done"')) ?? '') as Record<string, unknown>;
    const { code, out } = await said(files, ['evaluate', 'run', '--json', '--backend', 'native', '--threads', '1']);
    expect(code).toBe(0);
    expect(JSON.parse(out[1])).toMatchObject({ on: 'test', loss: done['testLoss'], ...Object(done['test']) });
    expect(Object.keys(done['test'] as object)).toEqual(['accuracy', 'bitsPerToken', 'perplexity', 'bleu', 'exact']);
  });

  it.each(['transformer', 'gru'])(
    'learns: a %s that has seen a text says it again',
    async (network) => {
      const out = `learned-${network}`;
      const { code } = await train(
        out,
        '--data',
        'corpus',
        '--steps',
        '500',
        '--lr',
        '0.01',
        '--with',
        `network=${network}`,
        '--with',
        'smoothing=0',
        '--with',
        'features=32',
      );
      expect(code).toBe(0);
      const world = pairs.map(([source]) => source).join('\n');
      const { out: lines } = await said(
        files,
        ['translate', out, '--backend', 'native', '--threads', '1'],
        new TextEncoder().encode(world),
      );
      const right = lines.filter((line, i) => line === pairs[i][1]).length;
      expect(lines).toHaveLength(pairs.length);
      // A tenth of the texts was set aside.
      expect(right).toBeGreaterThan(0.8 * pairs.length);
    },
    120_000,
  );
});

describe('texts to translate', () => {
  const translate = (args: ReadonlyArray<string>, input?: Uint8Array) =>
    said(files, ['translate', 'run', '--backend', 'reference', ...args], input);
  const text = (given: string): Uint8Array => new TextEncoder().encode(given);

  it('are arguments, or the lines of standard input', async () => {
    const given = await translate(['the red house', 'the old car', '--beam', '2']);
    const read = await translate(['--beam', '2'], text('the red house\n\nthe old car\n'));
    expect(given).toMatchObject({ code: 0, err: [] });
    expect(given.out).toHaveLength(2);
    expect(read).toEqual(given);
    const [json] = (await translate(['the red house', '--json'])).out;
    expect(JSON.parse(json)).toMatchObject({ text: 'the red house', logProbability: expect.any(Number) as number });
  });

  it.each([
    [['tha xylophone'], 'text 1: expected characters that the vocabulary has'],
    [['the red house and the old car'], 'text 1: expected a text of at most 24 tokens, got one of 29.'],
    [[''], 'text: expected a text to translate, or lines of text on standard input, got an empty one.'],
    [['a', '--beam', '0'], '--beam: expected a whole number of at least 1, got "0".'],
    [['a', '--length-penalty', '-1'], '--length-penalty: expected a number of at least 0, got "-1".'],
  ])('%j: a sentence', async (args, sentence) => {
    const { code, out, err } = await translate(args);
    expect({ code, out, errors: err.length }).toEqual({ code: 1, out: [], errors: 1 });
    expect(err[0]).toContain(sentence);
  });

  it('on standard input are named by their lines', async () => {
    const sentence = async (input: Uint8Array) => (await translate([], input)).err;
    expect(await sentence(text('the car\n\nžluťoučký\n'))).toEqual([
      expect.stringContaining('standard input, line 3: expected'),
    ]);
    expect(await sentence(text('\n'))).toEqual([expect.stringContaining('got none.')]);
    expect(await sentence(new Uint8Array([0x6c, 0xe4]))).toEqual([
      expect.stringContaining('standard input: expected text in UTF-8'),
    ]);
  });
});

describe('bad pairs', () => {
  it.each([
    ['nothing', '', 'bad.tsv: expected at least 10 pairs of texts'],
    [
      'one line',
      'red\trot\n',
      'bad.tsv: expected at least 10 pairs of texts, one of them short enough on either side of the split, got 1.',
    ],
    [
      'a missing column',
      tsv.replace('the old car\t', 'the old car '),
      'bad.tsv, line 38: expected a text, a tab, and the text in the other language',
    ],
    [
      'only long texts',
      pairs.map(([a, b]) => `${a.repeat(9)}\t${b}`).join('\n'),
      'got 0 of 40 with at most 24 tokens on each side',
    ],
    ['bytes that are no text', new Uint8Array([0x61, 0x09, 0xe4]), 'bad.tsv: expected text in UTF-8'],
  ])('%s: a sentence, and nothing is written', async (_, content, sentence) => {
    const from = memoryFiles({ 'bad.tsv': content });
    const { code, err } = await said(from, [
      'train',
      'translation',
      ...training,
      ...tiny,
      '--steps',
      '2',
      '--data',
      'bad.tsv',
      '--out',
      'x',
    ]);
    expect({ code, errors: err.length, files: from.content.size }).toEqual({ code: 1, errors: 1, files: 1 });
    expect(err[0]).toContain(sentence);
  });

  it('a language that is not there: the flag is named', async () => {
    const installed = { ...files, installed: nodeFileSystem.installed, read: nodeFileSystem.read };
    const { code, err } = await said(installed, ['train', 'translation', ...training, '--steps', '2', '--to', 'tlh']);
    expect(code).toBe(1);
    expect(err).toEqual([expect.stringContaining('--with to: expected one of en, cs, de')]);
  });

  it('a run of another task translates nothing', async () => {
    const { code, err } = await said(files, ['generate', 'run', '--prompt', 'the']);
    expect({ code, err }).toEqual({
      code: 1,
      err: [expect.stringContaining('run: expected a run of a task that writes text')],
    });
  });
});
