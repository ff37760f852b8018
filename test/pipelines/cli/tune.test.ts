/**
 * `kfac tune` in memory: what it says, writes and refuses.
 */
import { runCli } from '../../../src/pipelines/cli/run.ts';
import type { Interrupted } from '../../../src/pipelines/interruptions.ts';
import type { MemoryFiles, RecordingWorld } from '../support.ts';
import { memoryFiles, recordingWorld, smallMnist } from '../support.ts';

const small = '--size small --data d --batch 5 --backend gpu';
const search = `tune mnist-classifier ${small} --optimizers kfac,sgd --trials 2 --budget 2 --seeds 5,6`;

/** Files of a small data set, and others. */
const filesWith = (others: Readonly<Record<string, string>> = {}): MemoryFiles =>
  memoryFiles({ ...smallMnist('d', 40, 10), ...others });

const written = (files: MemoryFiles): ReadonlyArray<string> =>
  [...files.content.keys()].filter((name) => !name.startsWith('d/')).sort();

interface Ran extends RecordingWorld {
  readonly code: number;
}

const kfac = async (
  args: string,
  files: MemoryFiles = filesWith(),
  more: Partial<RecordingWorld> = {},
): Promise<Ran> => {
  const world = { ...recordingWorld(files), ...more };
  return { ...world, code: await runCli(world, args.split(' '))() };
};

const textOf = (files: MemoryFiles, path: string): string => new TextDecoder().decode(files.content.get(path));

/** Results without what differs from run to run. */
const resultsIn = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => !('search' in line))
    .map((line) => ({ ...line, seconds: 0 }));

describe('kfac tune', () => {
  it('searches, trains with what it found, and leaves table, figure, results and a configuration', async () => {
    const files = filesWith();
    const { code, outLines, errLines } = await kfac(`${search} --out s`, files);
    expect([code, errLines.filter((line) => line.includes('error'))]).toEqual([0, []]);
    expect(written(files)).toEqual(
      ['best.json', 'report.txt', 'search.jsonl', 'search.png', 'search.svg'].map((name) => `s/${name}`),
    );
    expect(outLines.join('\n')).toContain('with the best settings, seeds 5, 6:');
    expect(outLines.join('\n')).toMatch(/^kfac +2 /m);
    expect(errLines[0]).toContain('for each optimizer 2 × 2, then 2 seeds, 8 steps in all');
    expect(resultsIn(textOf(files, 's/search.jsonl'))).toHaveLength(8);
    // What was found trains.
    const again = await kfac('compare mnist-classifier --config s/best.json --backend gpu --json', files);
    expect([again.code, again.outLines.filter((line) => line.includes('"done"')).length]).toEqual([0, 2]);
  });

  it('gives JSON lines and nothing else where a program reads', async () => {
    const files = filesWith();
    const { code, outLines, errLines } = await kfac(`${search} --json`, files);
    expect([code, errLines, written(files)]).toEqual([0, [], []]);
    expect(resultsIn(outLines.join('\n')).map(({ rung, seed }) => [rung, seed])).toEqual([
      ...Array.from({ length: 4 }, () => [0, 1]),
      ...[5, 5, 6, 6].map((seed) => [null, seed]),
    ]);
  });

  it('law: ended by a signal and resumed, it comes to what it comes to at once', async () => {
    const [whole, parts] = [filesWith(), filesWith()];
    await kfac(`${search} --out s`, whole);
    const interrupted: { tell?: Interrupted } = {};
    const world = recordingWorld(parts);
    const ended = await kfac(`${search} --out s`, parts, {
      interruptions: (told) => () => {
        interrupted.tell = told;
        return () => undefined;
      },
      err: (line) => () => {
        world.errLines.push(line);
        if (world.errLines.length === 4) interrupted.tell?.({ by: 'SIGINT', exitCode: 130, isQuiet: false })();
      },
    });
    expect(ended.code).toBe(130);
    expect(world.errLines.at(-1)).toBe('kfac tune mnist-classifier --resume s goes on.');
    const before = resultsIn(textOf(parts, 's/search.jsonl')).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(8);
    const { code } = await kfac('tune mnist-classifier --resume s', parts);
    expect(code).toBe(0);
    expect(resultsIn(textOf(parts, 's/search.jsonl'))).toEqual(resultsIn(textOf(whole, 's/search.jsonl')));
  });

  it.each([
    ['a budget that is none', `${search} --budget soon`, '--budget', '60s'],
    ['a budget that is too small to be halved', `${search} --trials 9 --budget 3`, '--budget', 'at least 8 steps'],
    ['trials that are no number', `${search} --trials many`, '--trials', 'a whole number'],
    ['no trial', `${search} --trials 0`, '--trials', 'from 1'],
    ['seeds that are none', `${search} --seeds a,b`, '--seeds', 'whole numbers'],
    ['an optimizer that there is not', `tune mnist-classifier --optimizers adan`, '--optimizers', 'one of'],
    ['a task that there is not', 'tune digits', 'task', 'one of'],
    ['a setting that there is not', `${search} --set kfac.rate=1`, '--set kfac.rate', 'one of'],
    ['a directory and another one', `${search} --out a --resume b`, '--out', 'nothing beside --resume'],
  ])('refuses %s, and writes nothing', async (_, args, path, words) => {
    const files = filesWith();
    const { code, errLines } = await kfac(args, files);
    expect([code, written(files)]).toEqual([1, []]);
    expect(errLines).toHaveLength(1);
    expect(errLines[0]).toContain(path);
    expect(errLines[0]).toContain(words);
  });

  it.each([
    ['that is not there', {}, 'tune mnist-classifier --resume s', 'there is no such file'],
    ['that is no search', { 's/search.jsonl': 'x' }, 'tune mnist-classifier --resume s', 'line 1'],
    [
      'of another task',
      { 's/search.jsonl': '{"search":1,"task":"translation","flags":{}}\n' },
      'tune mnist-classifier --resume s',
      'one of translation',
    ],
    [
      'with results of another search',
      {
        's/search.jsonl':
          '{"search":1,"task":"mnist-classifier","flags":{}}\n{"optimizer":"kfac","trial":0,"settings":{},"rung":0,"budget":3,' +
          '"seed":1,"loss":1,"measures":{},"steps":3,"seconds":1,"error":null}\n',
      },
      'tune mnist-classifier --resume s',
      'another one',
    ],
    [
      'that would be overwritten',
      { 's/search.jsonl': '{"search":1,"task":"mnist-classifier","flags":{}}\n' },
      'tune mnist-classifier --out s',
      '--resume s',
    ],
    ['that has a run in it', { 's/config.json': '{}' }, 'tune mnist-classifier --out s', 'holds a run'],
  ])('refuses a directory %s', async (_, stored: Record<string, string>, args, words) => {
    const files = filesWith(stored);
    const { code, errLines } = await kfac(args, files);
    expect([code, written(files)]).toEqual([1, Object.keys(stored)]);
    expect(errLines.join('\n')).toContain(words);
  });
});
