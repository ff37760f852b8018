import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { benchPlan } from '../../../src/pipelines/cli/benchPlan.ts';
import { allChoices } from '../../../src/pipelines/problems/choices.ts';
import { contenderName } from '../../../src/pipelines/problems/contenders.ts';
import { optimizerNames } from '../../../src/solvers/presets/registry.ts';
import { runCli } from '../../../src/pipelines/cli/run.ts';
import { problemsOf } from '../../../src/pipelines/problems/halves.ts';
import { resultLine } from '../../../src/pipelines/problems/results.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import type { TrialResult } from '../../../src/pipelines/problems/trial.ts';
import { notEnded } from '../../../src/pipelines/problems/trial.ts';
import { orThrow } from '../../support/training.ts';
import type { MemoryFiles, RecordingWorld } from '../support.ts';
import { memoryFiles, recordingWorld } from '../support.ts';

interface Ran extends RecordingWorld {
  readonly code: number;
  readonly stored: MemoryFiles;
}

/** Runs the program; packages are where they are. */
const kfac = async (args: ReadonlyArray<string>, extra: Readonly<Record<string, string>> = {}): Promise<Ran> => {
  const stored = memoryFiles(extra);
  const world = recordingWorld({ ...stored, installed: nodeFileSystem.installed });
  const code = await runCli(world, ['bench', ...args])();
  return { ...world, code, stored };
};

const quick = ['--problems', 'few-examples,linear-regression', '--longer', '0.05'];

const parsed = (lines: ReadonlyArray<string>): ReadonlyArray<TrialResult> =>
  lines.map((line) => JSON.parse(line) as TrialResult);

describe('kfac bench', () => {
  it('--json gives a line for each problem, optimizer and seed, and nothing else', async () => {
    const { code, outLines, errLines } = await kfac([
      ...quick,
      '--optimizers',
      'adam@0.01,sgd',
      '--seeds',
      '1,2',
      '--json',
    ]);
    expect([code, errLines]).toEqual([0, []]);
    expect(parsed(outLines).map(({ problem, optimizer, seed }) => [problem, optimizer, seed])).toEqual(
      ['linear-regression', 'few-examples'].flatMap((problem) =>
        ['adam', 'sgd'].flatMap((optimizer) => [1, 2].map((seed) => [problem, optimizer, seed])),
      ),
    );
    for (const result of parsed(outLines)) {
      expect(result).toMatchObject({ ended: true, error: null, steps: 5, longer: 0.05 });
      expect(result.settings).toEqual(result.optimizer === 'adam' ? { learningRate: 0.01 } : {});
      expect(result.trainLoss).toBeGreaterThan(result.floor);
      expect(result.seconds).toBeGreaterThan(0);
    }
  });

  it('prints a row for each, compares several, and writes lines and a figure', async () => {
    const { code, outLines, stored } = await kfac([
      ...[...quick, '--optimizers', 'adam@0.001,adam@0.01,kfac'],
      ...['--set', 'kfac.damping=0.1', '--out', 'r/a.jsonl', '--figure', 'r/profile.svg'],
    ]);
    expect(code).toBe(0);
    const text = outLines.join('\n');
    for (const word of ['kfac damping=0.1', 'adam, best of 2 rates', 'τ 2.00', '× Adam', 'below']) {
      expect(text).toContain(word);
    }
    expect([...stored.content.keys()].sort()).toEqual(['r/a.jsonl', 'r/profile.png', 'r/profile.svg']);
    const written = new TextDecoder().decode(stored.content.get('r/a.jsonl'));
    expect(parsed(written.trimEnd().split('\n'))).toHaveLength(6);
    expect(new TextDecoder().decode(stored.content.get('r/profile.svg'))).toContain('>kfac damping=0.1');

    // Those lines again, with nothing run: the same comparison.
    const again = await kfac(['--from', 'a.jsonl'], { 'a.jsonl': written });
    expect(again.code).toBe(0);
    expect(outLines.slice(-2)).toEqual(['r/profile.svg', 'r/profile.png']);
    expect(outLines.slice(-again.outLines.length - 2, -2)).toEqual(again.outLines);
  });

  it('tries what flags say: a half, seeds, settings of one preset or of all', () => {
    const { trials, processes } = orThrow(
      benchPlan({
        half: 'tune',
        seeds: '1,2,3',
        optimizers: 'kfac,adam@0.003',
        set: ['kfac.damping=0.5'],
        processes: '2',
      }),
    );
    expect(trials).toHaveLength(problemsOf('tune').length * 3 * 2);
    expect(new Set(trials.map(({ problem }) => problem))).toEqual(new Set(problemsOf('tune').map(({ name }) => name)));
    expect(trials[0]).toEqual({ problem: trials[0].problem, optimizer: 'kfac', settings: { damping: 0.5 }, seed: 1 });
    expect(trials[3].settings).toEqual({ learningRate: 0.003 });
    expect(processes).toBe(2);
  });

  it('all: every preset, those whose rate has to be found at four of them as well, class-kfac on classes alone', () => {
    const { trials } = orThrow(benchPlan({ optimizers: 'all', half: 'report' }));
    const on = (name: string) => trials.filter(({ problem }) => problem === name).map(contenderName);
    const expected = [...optimizerNames, ...allChoices.map(contenderName).filter((name) => name.includes('@'))];
    expect(on('label-noise').toSorted()).toEqual(expected.toSorted());
    expect(on('friedman').toSorted()).toEqual(expected.filter((name) => name !== 'class-kfac').toSorted());
    expect(expected.filter((name) => name.startsWith('sgd'))).toEqual([
      'sgd',
      'sgd@0.003',
      'sgd@0.01',
      'sgd@0.03',
      'sgd@0.1',
    ]);
    expect(expected).toHaveLength(optimizerNames.length + 6 * 4);
  });

  it('class-kfac is told the classes of a problem, and compared on those that have some', async () => {
    const { code, outLines, stored } = await kfac([
      ...[...quick, '--optimizers', 'class-kfac,adam', '--out', 'a.jsonl', '--figure', 'profile'],
    ]);
    expect(code).toBe(0);
    const results = parsed(new TextDecoder().decode(stored.content.get('a.jsonl')).trimEnd().split('\n'));
    expect(results.map(({ problem, optimizer, ended }) => [problem, optimizer, ended])).toEqual([
      ['linear-regression', 'adam', true],
      ['few-examples', 'class-kfac', true],
      ['few-examples', 'adam', true],
    ]);
    expect(outLines.join('\n')).toContain(
      'class-kfac, 0.05 × steps is for classes: its numbers are of the 1 of 2 problems with them.',
    );
    expect(new TextDecoder().decode(stored.content.get('profile.svg'))).toContain(
      '>class-kfac, 0.05 × steps (1 of 2)</text>',
    );
  });

  it.each([
    [['--optimizers', 'kfec'], '--optimizers: expected one of kfac, ', '"kfec"'],
    [['--optimizers', ','], '--optimizers', 'at least one optimizer'],
    [['--optimizers', 'adam@fast'], 'adam.learningRate', 'NaN'],
    [['--half', 'rpeort'], '--half: expected tune, report or all', '"rpeort"'],
    [['--problems', 'sin'], '--problems: expected some of ', '"sin"'],
    [['--problems', 'sine', '--half', 'report'], '--problems: expected some of ', '"sine"'],
    [['--seeds', '1,x'], '--seeds: expected whole numbers', '"1,x"'],
    [['--seeds', '-1'], '--seeds: expected whole numbers', '"-1"'],
    [['--processes', '0'], '--processes: expected a whole number', '"0"'],
    [['--processes', '1,2'], '--processes: expected a whole number', '"1,2"'],
    [['--longer', '0'], '--longer: expected a number above 0', '"0"'],
    [['--figure', 'profile.svg'], '--figure: expected two optimizers at least, or --from', 'one'],
    [['--from', 'bad.jsonl'], 'bad.jsonl: expected a result of kfac bench in line ', 'got'],
    [['--set', 'kfac.dampng=1'], 'kfac.dampng', 'an unknown setting'],
    [['--set', 'adam.learningRate=1'], '--set adam.learningRate', 'an optimizer of this run, kfac'],
    [['--from', 'nothing.jsonl'], 'nothing.jsonl', 'no such file'],
    [['--from', 'empty.jsonl'], '--from: expected results to compare', 'none'],
    [['--from', 'apart.jsonl'], '--from: expected a problem that all have results for', 'kfac, adam'],
    [['--from', 'bad.jsonl'], 'bad.jsonl', 'kfac bench'],
    [['--out', 'there'], 'there', 'it is a directory'],
    [['--optimizers', 'adam,sgd', '--figure', 'there'], 'there', 'it is a directory'],
    [['--speed', '9'], '--speed: expected one of ', 'an unknown option'],
  ])('%j: one line that says what would be right, exit code 1, nothing run', async (args, ...words) => {
    const apart = [
      notEnded(problems[0], { problem: problems[0].name, optimizer: 'kfac', settings: {}, seed: 1 }),
      notEnded(problems[1], { problem: problems[1].name, optimizer: 'adam', settings: {}, seed: 1 }),
    ];
    const { code, outLines, errLines, stored } = await kfac(args, {
      'empty.jsonl': '\n',
      'bad.jsonl': '{}\n',
      'apart.jsonl': apart.map(resultLine).join('\n'),
      'there/file': '',
    });
    expect([code, errLines.length, outLines]).toEqual([1, 1, []]);
    for (const word of words) expect(errLines[0]).toContain(word);
    expect(stored.content.size).toBe(4);
  });

  it('does not show what processes tell each other in its help', async () => {
    const { code, outLines } = await kfac(['--help']);
    expect(code).toBe(0);
    expect(outLines.join('\n')).toContain('--processes');
    expect(outLines.join('\n')).not.toContain('--worker');
  });
});
