/**
 * `--accumulate`: a batch in parts, as a setting of a run.
 */
import { runCli } from '../../../src/pipelines/cli/run.ts';
import { memoryFiles, recordingWorld, smallMnist } from '../support.ts';

const store = () => memoryFiles(smallMnist('d', 30, 10));

/** Runs the program on data in memory. */
const kfac = async (args: string, stored = store()) => {
  const world = recordingWorld(stored);
  const code = await runCli(world, args.split(' '))();
  return { ...world, code, stored };
};

const training = 'train mnist-classifier --size small --data d --batch 7';
const slow = `${training} --backend portable --threads 1`;

const losses = (lines: ReadonlyArray<string>): ReadonlyArray<number> =>
  lines
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .flatMap(({ event, loss }) => (event === 'step' ? [Number(loss)] : []));

describe('--accumulate', () => {
  it('is said before the run, kept in its configuration, and gone on with to the same parameters, bit for bit', async () => {
    const { errLines, stored } = await kfac(`${slow} --accumulate 3 --steps 2 --checkpoint-every 1 --out here`);
    expect(errLines).toContain('mnist-classifier-small: 30 examples, batch 7 in 3 parts, seed 1');
    const file = (name: string): Uint8Array | undefined => stored.content.get(`here/${name}`);
    expect(JSON.parse(new TextDecoder().decode(file('config.json')))).toMatchObject({ accumulate: 3, batch: 7 });
    const resumed = await kfac('train mnist-classifier --resume here --steps 4 --data d', stored);
    expect([resumed.code, resumed.errLines.filter((line) => line.includes('error'))]).toEqual([0, []]);
    const uninterrupted = await kfac(`${slow} --accumulate 3 --steps 4 --out here`);
    const parameters = uninterrupted.stored.content.get('here/kfac.safetensors');
    expect(parameters?.length).toBeGreaterThan(0);
    expect(file('kfac.safetensors')).toEqual(parameters);
  });

  it('makes no other steps', async () => {
    const [whole, parts] = await Promise.all(
      ['', ' --accumulate 4'].map(async (setting) =>
        losses((await kfac(`${slow}${setting} --steps 3 --json`)).outLines),
      ),
    );
    expect(parts).toHaveLength(3);
    parts.forEach((loss, i) => {
      expect(loss).toBeCloseTo(whole[i], 3);
    });
  });

  it.each([
    ['--backend gpu --accumulate 2', '--accumulate: expected 1 on the gpu backend: parts are arrays in host memory'],
    ['--batch 5 --accumulate 6', '--accumulate: expected at most as many parts as a batch has examples, 5, got 6'],
    ['--accumulate 0', '--accumulate: expected a whole number of at least 1'],
  ])('%s is refused', async (flags, words) => {
    const { code, errLines } = await kfac(`${training} ${flags} --steps 2 --json`);
    expect(code).toBe(1);
    expect(errLines.join('\n')).toContain(words);
  });
});
