/** Runs that are used again: loaded, judged, asked to write. */
import fc from 'fast-check';

import { runCli } from '../../../src/pipelines/cli/run.ts';
import { loadRun } from '../../../src/pipelines/loading/loadRun.ts';
import type { MemoryFiles, RecordingWorld } from '../support.ts';
import { errorOf, memoryFiles, recordingWorld, smallMnist } from '../support.ts';
import { orThrow } from '../../support/training.ts';

const song = 'la la li lu, only the man in the moon. '.repeat(30);
const tiny = ['context=8', 'features=8', 'blocks=1', 'heads=2'].flatMap((each) => ['--with', each]);
const training = ['--size', 'small', '--backend', 'native', '--threads', '1', '--steps', '3', '--batch', '8'];

const filesOf = (initial: Readonly<Record<string, Uint8Array | string>>): MemoryFiles => memoryFiles(initial);

/** What the program says in a world of these files, and what it ends with. */
const said = async (files: MemoryFiles, ...args: ReadonlyArray<string>) => {
  const world: RecordingWorld = recordingWorld(files);
  const code = await runCli(world, args)();
  return { code, out: world.outLines, err: world.errLines };
};

const files = filesOf({ 'song.txt': song, ...smallMnist('mnist') });

beforeAll(async () => {
  const train = (...args: ReadonlyArray<string>) => said(files, args[0], args[1], ...training, ...args.slice(2));
  const codes = [
    await train(
      'compare',
      'language-model',
      '--optimizers',
      'adam,sgd',
      '--data',
      'song.txt',
      '--out',
      'song',
      ...tiny,
    ),
    await train('train', 'mnist-classifier', '--optimizer', 'adam', '--data', 'mnist', '--out', 'digits'),
    await train(
      'train',
      'fashion-classifier',
      '--optimizer',
      'adam',
      '--data',
      'mnist',
      '--out',
      'norms',
      '--size',
      'full',
    ),
    await train('train', 'mnist-autoencoder', '--optimizer', 'adam', '--data', 'mnist', '--out', 'coded'),
    await train('train', 'gan-ring', '--optimizer', 'adam', '--out', 'ring'),
  ].map(({ code }) => code);
  expect(codes).toEqual([0, 0, 0, 0, 0]);
});

/** The same files with one in another state. */
const withFile = (path: string, content: (before: string) => string | null): MemoryFiles => {
  const changed = filesOf(Object.fromEntries(files.content));
  const text = content(new TextDecoder().decode(files.content.get(path)));
  if (text === null) changed.content.delete(path);
  else changed.content.set(path, new TextEncoder().encode(text));
  return changed;
};

describe('a run that is loaded', () => {
  it('has its task with settings and vocabulary, and the parameters of each optimizer', async () => {
    const run = orThrow(await loadRun(files, 'song')());
    expect(run).toMatchObject({ optimizer: 'adam', isRecalled: true, running: {} });
    expect(run.task.settings).toMatchObject({ network: 'gpt', context: 8, features: 8, blocks: 1, heads: 2 });
    expect(run.task.skills.writer?.vocabulary.size).toBe(new Set(song).size);
    const other = orThrow(await loadRun(files, 'song', { optimizer: 'sgd' })());
    expect(other.params['head.weight'].data).not.toEqual(run.params['head.weight'].data);
    expect(errorOf(await loadRun(files, 'song', { optimizer: 'kfac' })())).toMatchObject({
      _tag: 'BadConfig',
      expected: 'one of adam, sgd',
    });
  });

  it('has the running state of its layers', async () => {
    const run = orThrow(await loadRun(files, 'norms')());
    expect(Object.keys(run.running).length).toBeGreaterThan(0);
    expect(Array.from(Object.values(run.running)[0].data).some((x) => x !== 0 && x !== 1)).toBe(true);
  });

  it.each(['song', 'digits', 'norms', 'coded', 'ring'])(
    'law: what %s is judged at is what its report says',
    async (run) => {
      const line = files.content.get(`${run}/metrics.jsonl`);
      const done =
        new TextDecoder()
          .decode(line)
          .split('\n')
          .find((text) => text.includes('"event":"done"')) ?? '';
      const { trainLoss, testLoss, test } = JSON.parse(done) as Record<string, number | object>;
      const { code, out, err } = await said(files, 'evaluate', run, '--json', '--threads', '1', '--backend', 'native');
      expect({ code, err }).toEqual({ code: 0, err: [] });
      const [first, second] = out.map((text) => JSON.parse(text) as Record<string, number>);
      expect([first['loss'], second['loss']]).toEqual([trainLoss, testLoss]);
      expect(second).toMatchObject({ ...Object(test), on: 'test' });
    },
  );

  it('is judged on other data with the vocabulary that it has', async () => {
    const more = filesOf({
      ...Object.fromEntries(files.content),
      'other.txt': 'lu li la, '.repeat(20),
      'é.txt': 'é'.repeat(200),
    });
    const { code, out } = await said(more, 'evaluate', 'song', '--data', 'other.txt');
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/adam +examples +loss +accuracy[^\n]*perplexity[^]*\ntest/);
    expect(await said(more, 'evaluate', 'song', '--data', 'é.txt')).toMatchObject({
      code: 1,
      err: [expect.stringContaining('é.txt: expected characters that the vocabulary has')],
    });
  });
});

describe('a run that writes', () => {
  const generate = (...args: ReadonlyArray<string>) =>
    said(files, 'generate', 'song', '--backend', 'reference', ...args);

  it('goes on with a prompt, greedily at temperature 0', async () => {
    const { code, out } = await generate('--prompt', 'la la ', '--tokens', '12');
    expect(code).toBe(0);
    expect(out).toHaveLength(1);
    expect(out[0]).toMatch(/^la la [^]{12}$/);
    const greedy = await generate('--prompt', 'la la ', '--tokens', '12', '--temperature', '0', '--json');
    const top = await generate('--prompt', 'la la ', '--tokens', '12', '--top-k', '1', '--seed', '7', '--json');
    expect(JSON.parse(greedy.out[0])).toMatchObject({ prompt: 'la la ', tokens: 12 });
    expect(top.out).toEqual(greedy.out);
  });

  it('streams: every token is there before the next', async () => {
    const world = recordingWorld(files);
    const printed: Array<string> = [];
    const args = ['generate', 'song', '--backend', 'reference', '--prompt', 'la ', '--tokens', '5'];
    expect(await runCli({ ...world, print: (text) => () => void printed.push(text) }, args)()).toBe(0);
    expect(printed).toHaveLength(7);
    expect(printed.join('')).toMatch(/^la [^]{5}\n$/);
  });

  it.each([
    [['--prompt', 'lä'], '--prompt: expected characters that the vocabulary has, 14 of them, got "ä", character 2.'],
    [['--prompt', ''], '--prompt: expected a text to go on with, got an empty one.'],
    [[], '--prompt: expected a text to go on with, got none.'],
    [['--prompt', 'la', '--tokens', '0'], '--tokens: expected a whole number of at least 1, got "0".'],
    [['--prompt', 'la', '--temperature', '-1'], '--temperature: expected a number of at least 0, got "-1".'],
    [['--prompt', 'la', '--top-k', 'x'], '--top-k: expected a whole number of at least 1, got "x".'],
    [['--prompt', 'la', '--optimizer', 'kfac'], '--optimizer: expected one of adam, sgd, got kfac.'],
    [['--prompt', 'la', '--backend', 'abacus'], '--backend: expected one of'],
  ])('%j: a sentence', async (args, sentence) => {
    const { code, out, err } = await generate(...args);
    expect({ code, out, errors: err.length }).toEqual({ code: 1, out: [], errors: 1 });
    expect(err[0]).toContain(sentence);
  });
});

describe('a folder that is no run, or not whole', () => {
  const generate = async (from: MemoryFiles, run = 'song') => {
    const { code, out, err } = await said(from, 'generate', run, '--prompt', 'la', '--backend', 'reference');
    expect({ code, out, errors: err.length }).toEqual({ code: 1, out: [], errors: 1 });
    return err[0];
  };
  const config = 'song/config.json';

  it.each([
    ['nothing', () => files, 'nowhere', 'nowhere: expected a folder with the config.json of a run, got none there.'],
    [
      'another task',
      () => files,
      'digits',
      'digits: expected a run of a task that writes text, as language-model does',
    ],
    ['a configuration cut off', () => withFile(config, (x) => x.slice(0, 200)), 'song', 'cut off or is no JSON'],
    ['another version', () => withFile(config, (x) => x.replace('"format": 1', '"format": 2')), 'song', 'got format 2'],
    [
      'no version',
      () => withFile(config, (x) => x.replace('"format": 1,', '')),
      'song',
      'a configuration without a format',
    ],
    ['an unknown task', () => withFile(config, (x) => x.replace('language-model', 'poet')), 'song', 'got "poet"'],
    ['a setting out of range', () => withFile(config, (x) => x.replace('"heads": 2', '"heads": 0')), 'song', 'heads'],
    [
      'another width',
      () => withFile(config, (x) => x.replace('"features": 8', '"features": 16')),
      'song',
      'song/adam.safetensors',
    ],
    ['no vocabulary', () => withFile('song/vocabulary.json', () => null), 'song', 'Cannot read song/vocabulary.json'],
    [
      'a vocabulary cut off',
      () => withFile('song/vocabulary.json', (x) => x.slice(0, 30)),
      'song',
      'song/vocabulary.json: expected',
    ],
    [
      'another vocabulary',
      () => withFile('song/vocabulary.json', (x) => x.replace('"characters": "', '"characters": "é')),
      'song',
      'song/adam.safetensors',
    ],
    ['no parameters', () => withFile('song/adam.safetensors', () => null), 'song', 'Cannot read song/adam.safetensors'],
    [
      'parameters cut off',
      () => withFile('song/adam.safetensors', (x) => x.slice(0, 500)),
      'song',
      'song/adam.safetensors: expected',
    ],
    [
      'a file elsewhere',
      () => withFile(config, (x) => x.replace(/"kept": \[[^\]]*\]/, '"kept": ["../secret"]')),
      'song',
      'names of its files',
    ],
  ])('%s', async (_, changed, run, sentence) => {
    expect(await generate(changed(), run)).toContain(sentence);
  });
});

describe('files of a run that were changed at random', () => {
  const names = ['song/config.json', 'song/vocabulary.json', 'song/adam.safetensors'];

  it('law: give a run or an error, and never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
          maxLength: 4,
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (name, changes, kept) => {
          const bytes = Uint8Array.from(files.content.get(name) ?? []);
          changes.forEach(([at, byte]) => bytes.set([byte], Math.floor(at * bytes.length)));
          // Half of them are whole.
          const changed = filesOf({
            ...Object.fromEntries(files.content),
            [name]: bytes.slice(0, Math.ceil(Math.min(1, 2 * kept) * bytes.length)),
          });
          const loaded = await loadRun(changed, 'song')();
          if (loaded._tag === 'Left')
            expect(loaded.left._tag).toMatch(/^(BadCheckpoint|BadConfig|BadData|ShapeMismatch)$/);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe.each([
  ['lstm', ['network=lstm']],
  ['gru', ['network=gru', 'blocks=2']],
  ['byte pairs', ['tokens=bytePairs', 'vocabulary=270']],
])('a language model with %s', (name, settings) => {
  it('is trained, judged and writes', async () => {
    const out = `runs/${name}`;
    const flags = [
      '--data',
      'song.txt',
      '--optimizer',
      'kfac',
      '--out',
      out,
      ...tiny,
      ...settings.flatMap((each) => ['--with', each]),
    ];
    expect(await said(files, 'train', 'language-model', ...training, ...flags)).toMatchObject({ code: 0 });
    const judged = await said(files, 'evaluate', out, '--json', '--backend', 'native', '--threads', '1');
    const [first] = judged.out.map((line) => JSON.parse(line) as Record<string, number>);
    expect(first['natsPerCharacter']).toBeCloseTo(first['bitsPerCharacter'] * Math.LN2, 10);
    expect(first['perplexity']).toBeCloseTo(Math.exp(first['loss'] / 8), 6);
    // Where a token is a character, both are the same number.
    if (name !== 'byte pairs') expect(Math.log2(first['perplexity'])).toBeCloseTo(first['bitsPerCharacter'], 5);
    else expect(Math.log2(first['perplexity'])).toBeGreaterThan(first['bitsPerCharacter']);
    const written = await said(files, 'generate', out, '--prompt', 'la la', '--tokens', '9', '--backend', 'reference');
    expect(written).toMatchObject({ code: 0, err: [] });
    expect(written.out[0]).toMatch(/^la la/);
  });
});

describe('settings of a task', () => {
  it.each([
    ['language-model', 'network=rnn', '--with network: expected one of gpt, lstm, gru, got "rnn".'],
    ['language-model', 'contxt=8', '--with contxt: expected one of tokens, vocabulary, network, context'],
    ['language-model', 'heads=3', 'multiHeadAttention.heads: expected a divisor of the 32 features, got 3.'],
    ['language-model', 'context', '--with: expected NAME=VALUE, got context.'],
    ['mnist-classifier', 'width=8', '--with width: expected no setting, since mnist-classifier has none, got 8.'],
  ])('%s --with %s: a sentence, and nothing is written', async (task, given, sentence) => {
    const before = files.content.size;
    const { code, err } = await said(files, 'train', task, ...training, '--data', 'song.txt', '--with', given);
    expect({ code, errors: err.length, size: files.content.size }).toEqual({ code: 1, errors: 1, size: before });
    expect(err[0]).toContain(sentence);
  });
});
