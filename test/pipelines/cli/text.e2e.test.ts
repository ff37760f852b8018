/**
 * Texts through the built program, on real data, on BLAS and in WebAssembly: trained, judged, written, translated. Needs
 * `npm run build` first, as `npm test` does.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { directoryOfTests, runAlone, servedToTests } from '../../support/program.ts';

/** English that is installed wherever this runs. */
const book = resolve('node_modules/typescript/LICENSE.txt');

const directory = directoryOfTests();
const kfac = servedToTests(directory);

const withAll = (...settings: ReadonlyArray<string>): ReadonlyArray<string> =>
  settings.flatMap((each) => ['--with', each]);

const linesOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What the report of a run says at its end. */
const doneIn = (run: string): Record<string, unknown> =>
  linesOf(readFileSync(join(directory(), run, 'metrics.jsonl'), 'utf8')).find(({ event }) => event === 'done') ?? {};

describe.each(['native', 'portable'])('on %s', (backend) => {
  const where = ['--backend', backend, '--threads', '1'];
  const quick = ['--size', 'small', '--optimizer', 'kfac', '--steps', '4', '--batch', '8', '--seed', '3', ...where];

  it('a language model of byte pairs is trained on a text, judged again, and goes on with a prompt', async () => {
    const run = `words-${backend}`;
    const settings = withAll('tokens=bytePairs', 'vocabulary=300', 'context=16', 'features=16', 'blocks=1', 'heads=2');
    const { code, err } = await kfac(['train', 'language-model', '--data', book, '--out', run, ...quick, ...settings]);
    expect({ code, err: err.split('\n').filter((line) => line.startsWith('error')) }).toEqual({ code: 0, err: [] });
    expect(readdirSync(join(directory(), run)).sort()).toEqual(
      expect.arrayContaining(['config.json', 'kfac.safetensors', 'report.txt', 'text.txt', 'vocabulary.json']),
    );
    const [, judged] = linesOf((await kfac(['evaluate', run, '--json', ...where])).out);
    const done = doneIn(run);
    expect(judged).toMatchObject({ loss: done['testLoss'], ...(done['test'] as object) });
    const greedy = [
      'generate',
      run,
      '--prompt',
      'Licensed under the ',
      '--tokens',
      '20',
      '--temperature',
      '0',
      ...where,
    ];
    const written = await kfac(greedy);
    expect(written).toMatchObject({ code: 0, err: '' });
    expect(written.out).toMatch(/^Licensed under the [^]+\n$/);
    const top = [...greedy.slice(0, -6), '--top-k', '1', ...where];
    expect((await kfac(top)).out).toBe(written.out);
    expect(runAlone(greedy, { cwd: directory() })).toEqual(written);
  });

  it('a translation is trained on messages, judged again, and translates arguments and lines', async () => {
    const run = `messages-${backend}`;
    const settings = withAll('longest=24', 'vocabulary=400', 'features=16', 'heads=2');
    const { code } = await kfac(['train', 'translation', '--to', 'fr', '--out', run, ...quick, ...settings]);
    expect(code).toBe(0);
    expect(readFileSync(join(directory(), run, 'translations.txt'), 'utf8')).toMatch(/^kfac: BLEU \d/);
    const [, judged] = linesOf((await kfac(['evaluate', run, '--json', ...where])).out);
    const done = doneIn(run);
    expect(judged).toMatchObject({ loss: done['testLoss'], ...(done['test'] as object) });
    const given = await kfac(['translate', run, 'Unexpected token.', 'Expression expected.', ...where]);
    const input = 'Unexpected token.\nExpression expected.\n';
    const read = runAlone(['translate', run, ...where], { cwd: directory(), input });
    expect(given).toMatchObject({ code: 0, err: '' });
    expect(given.out.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect(read).toEqual(given);
  });
});

it('a translation has a vocabulary for each language, where that is asked for', async () => {
  const flags = withAll('joint=false', 'longest=24', 'vocabulary=300', 'features=16', 'heads=2');
  const command = ['train', 'translation', '--to', 'ru', '--size', 'small', '--steps', '3', '--backend', 'native'];
  expect((await kfac([...command, '--out', 'apart', ...flags])).code).toBe(0);
  const kept = ['vocabulary.json', 'source-vocabulary.json'].map((name) =>
    readFileSync(join(directory(), 'apart', name), 'utf8'),
  );
  // Pairs that are frequent in one language are not in the other.
  expect(kept[0]).not.toBe(kept[1]);
  const [, judged] = linesOf((await kfac(['evaluate', 'apart', '--json', '--backend', 'native'])).out);
  const done = doneIn('apart');
  expect(judged).toMatchObject({ loss: done['testLoss'], ...(done['test'] as object) });
  const texts = readFileSync(join(directory(), 'apart', 'translations.txt'), 'utf8');
  expect(texts).toMatch(/^source {7}[\x20-\x7e]+$/m);
  expect(texts).toMatch(/^reference {4}.*\p{Script=Cyrillic}/mu);
  expect((await kfac(['translate', 'apart', 'Unexpected token.', '--backend', 'native'])).code).toBe(0);
  rmSync(join(directory(), 'apart', 'source-vocabulary.json'));
  expect((await kfac(['translate', 'apart', 'Unexpected token.'])).err).toContain('source-vocabulary.json');
});

describe('what is wrong is one sentence, an exit code, and nothing that is half-written', () => {
  const quick = ['--size', 'small', '--steps', '2', '--backend', 'native'];
  it.each([
    ['an empty text', ['train', 'language-model', '--data', 'empty.txt'], 'empty.txt: expected a text of at least'],
    ['one line', ['train', 'language-model', '--data', 'line.txt'], 'line.txt: expected a text of at least'],
    ['no UTF-8', ['train', 'language-model', '--data', 'latin.txt'], 'latin.txt: expected text in UTF-8'],
    ['a folder', ['train', 'language-model', '--data', '.'], 'Cannot read .: it is a directory.'],
    ['a missing column', ['train', 'translation', '--data', 'pairs.tsv'], 'pairs.tsv, line 2: expected a text, a tab'],
    ['an unknown language', ['train', 'translation', '--to', 'tlh'], 'got "tlh"'],
    ['a language of another task', ['train', 'mnist-classifier', '--to', 'de'], '--with to: expected no setting'],
  ])('%s', async (_, args, sentence) => {
    writeFileSync(join(directory(), 'empty.txt'), '');
    writeFileSync(join(directory(), 'line.txt'), 'just a line');
    writeFileSync(join(directory(), 'latin.txt'), Buffer.from([0x6c, 0xe4]));
    writeFileSync(join(directory(), 'pairs.tsv'), 'red\trot\nblue blau\n');
    const { code, out, err } = await kfac([...args, ...quick, '--out', 'never']);
    expect({ code, out, lines: err.trimEnd().split('\n').length }).toEqual({ code: 1, out: '', lines: 1 });
    expect(err).toContain(sentence);
    expect(existsSync(join(directory(), 'never'))).toBe(false);
  });
});
