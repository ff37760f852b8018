import * as TE from 'fp-ts/lib/TaskEither.js';
import { PNG } from 'pngjs';

import { taskNames } from '../../../src/pipelines/catalogue/tasks.ts';
import type { CliOptions } from '../../../src/pipelines/cli/run.ts';
import { runCli } from '../../../src/pipelines/cli/run.ts';
import type { Interrupted, Interruption } from '../../../src/pipelines/interruptions.ts';
import { decodeSafetensors } from '../../../src/pipelines/safetensors/decode.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import { generate } from '../../../src/core/tensor.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import type { MemoryFiles, RecordingWorld } from '../support.ts';
import { memoryFiles, recordingWorld, smallMnist } from '../support.ts';

interface Ran extends RecordingWorld {
  readonly code: number;
  readonly stored: MemoryFiles;
}

/** Runs the program on small data with the backend that needs nothing installed. */
const kfac = async (
  args: string,
  extra: Readonly<Record<string, string | Uint8Array>> = {},
  options: CliOptions = {},
): Promise<Ran> => {
  const stored = memoryFiles({ ...smallMnist('d', 30, 10), ...extra });
  const world = recordingWorld(stored);
  const code = await runCli(
    world,
    args.split(' ').filter((word) => word !== ''),
    options,
  )();
  return { ...world, code, stored };
};

const quick = '--size small --data d --backend gpu --batch 5';

const parsed = (lines: ReadonlyArray<string>): ReadonlyArray<Record<string, unknown>> =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('kfac train --json', () => {
  it('gives a line per step and a last line about the whole, and nothing else', async () => {
    const { code, outLines, errLines, stored } = await kfac(`train mnist-classifier ${quick} --steps 3 --json`);
    expect(code).toBe(0);
    const lines = parsed(outLines);
    expect(lines.map(({ event }) => event)).toEqual(['step', 'step', 'step', 'done']);
    expect(lines.slice(0, 3).map(({ step }) => step)).toEqual([1, 2, 3]);
    for (const line of lines.slice(0, 3)) {
      expect(line).toMatchObject({
        optimizer: 'kfac',
        seconds: expect.any(Number) as number,
        loss: expect.any(Number) as number,
      });
      expect(line['stages']).toHaveProperty('forward');
    }
    expect(lines[3]).toMatchObject({
      optimizer: 'kfac',
      steps: 3,
      seconds: lines[2]['seconds'],
      trainLoss: expect.any(Number) as number,
      rssMb: 100,
      test: { accuracy: expect.any(Number) as number },
    });
    expect(errLines).toEqual([]);
    expect(stored.content.size).toBe(4);
  });

  it.each(['small', 'full'])('trains the convolutional network of size %s, with its running averages', async (size) => {
    const command = `train fashion-classifier --size ${size} --data d --backend gpu --batch 5 --steps 3 --json`;
    const { code, outLines, errLines } = await kfac(command);
    expect(errLines).toEqual([]);
    expect(code).toBe(0);
    const lines = parsed(outLines);
    expect(lines.map(({ event }) => event)).toEqual(['step', 'step', 'step', 'done']);
    expect(lines[3]).toMatchObject({
      trainLoss: expect.any(Number) as number,
      test: { accuracy: expect.any(Number) as number },
    });
  });

  it('says that no step was taken where none was', async () => {
    const still = await kfac(`train mnist-classifier --optimizer adam --lr 0 ${quick} --steps 2 --json`);
    expect(still.code).toBe(0);
    expect(still.errLines).toHaveLength(1);
    expect(still.errLines[0]).toMatch(
      /^warning: adam: no step was taken, .* \(learning rate 0, norm of the direction \d/,
    );
  });

  it('says what happened, in words, to people and to programs', async () => {
    const command = `train mnist-classifier --optimizer kfac --set lossBound=1e-9 ${quick} --steps 3`;
    const sentence = /The loss bound made 3 of 3 steps shorter \(100 %\), .* so more damping may serve better\.$/;
    const { outLines, stored } = await kfac(`${command} --out here`);
    expect(outLines).toContain('What happened with kfac:');
    expect(outLines).toContainEqual(expect.stringMatching(sentence));
    const text = new TextDecoder().decode(stored.content.get('here/report.txt'));
    expect(text.trimEnd().split('\n')).toContainEqual(expect.stringMatching(sentence));
    const lines = parsed((await kfac(`${command} --json`)).outLines);
    expect(lines[3]).toMatchObject({
      event: 'done',
      happened: expect.arrayContaining([expect.stringMatching(sentence)]) as Array<string>,
    });
  });

  it('says that the steps made no difference where they are below the precision', async () => {
    for (const optimizer of ['adam', 'sgd']) {
      const command = `train mnist-classifier --optimizer ${optimizer} --lr 1e-30 ${quick} --steps 2 --json`;
      const { code, errLines } = await kfac(command);
      expect([code, errLines]).toEqual([0, [expect.stringMatching(/^warning: \w+: the steps made no difference/)]]);
    }
  });

  it('a learning rate without bounds does no harm: the gradient promises at most the loss', async () => {
    const { code, outLines, errLines } = await kfac(`train mnist-classifier --lr 1e30 ${quick} --steps 9 --json`);
    expect(code).toBe(0);
    expect(errLines).toEqual([]);
    const lines = parsed(outLines);
    for (const line of lines.slice(0, 9)) {
      expect(line['updateNorm']).toBeGreaterThan(0);
      expect(line['slopeScale']).toBeLessThan(1e-20);
    }
    expect(lines[9]['trainLoss']).toBeLessThan(lines[0]['loss'] as number);
  });

  it('adds evaluations where they are asked for', async () => {
    const { outLines } = await kfac(
      `train mnist-classifier --optimizer sgd ${quick} --steps 2 --evaluate-every 2 --json`,
    );
    const lines = parsed(outLines);
    expect(lines.map(({ event }) => event)).toEqual(['step', 'step', 'evaluation', 'done']);
    expect(lines[2]).toMatchObject({ step: 2, accuracy: expect.any(Number) as number });
  });

  it('law: the same seed gives the same losses, another one gives others', async () => {
    const losses = async (seed: number) => {
      const { outLines } = await kfac(
        `train mnist-classifier --optimizer adam ${quick} --steps 2 --seed ${seed} --json`,
      );
      return parsed(outLines).map(({ loss, trainLoss }) => loss ?? trainLoss);
    };
    const first = await losses(1);
    expect(await losses(1)).toEqual(first);
    expect(await losses(2)).not.toEqual(first);
  });

  it('takes settings from flags before those of the file', async () => {
    const file = { 'run.yaml': 'optimizer: sgd\nsteps: 9\nsettings: { sgd: { learningRate: 0.5, momentum: 0.25 } }\n' };
    const { outLines } = await kfac(
      `train mnist-classifier ${quick} --config run.yaml --steps 1 --lr 0.125 --json`,
      file,
    );
    const lines = parsed(outLines);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ optimizer: 'sgd', learningRate: 0.125, momentum: 0.25 });
  });
});

describe('kfac train --config with an optimizer of parts', () => {
  const parts = `
steps: 2
optimizer:
  name: mine
  estimator: { kind: exact, fraction: 0.5 }
  curvature: { kind: classKfac, classes: 10 }
  solver: { kind: cg, damping: { kind: exponential, start: 1, factor: 0.5, steps: 1 }, siteDamping: { 2: 4 }, maxIterations: 3 }
  update: { learningRate: 0.1, rules: [{ kind: klClip, kappa: 0.01 }, { kind: momentum, mu: 0.9 }] }
`;
  const train = `train mnist-classifier ${quick} --config run.yaml --json`;

  it('trains with it, and its metrics show its parts at work', async () => {
    const { code, outLines, errLines } = await kfac(train, { 'run.yaml': parts });
    expect(errLines).toEqual([]);
    expect(code).toBe(0);
    const lines = parsed(outLines);
    expect(lines.map(({ event }) => event)).toEqual(['step', 'step', 'done']);
    expect(lines[0]).toMatchObject({ optimizer: 'mine', damping: 1, momentum: 0.9, learningRate: 0.1 });
    expect(lines[1]).toMatchObject({ damping: 0.5, solveIterations: 3 });
  });

  it('compares it with presets, which keep their settings', async () => {
    const file = `${parts.replace('optimizer:', 'optimizers:\n- sgd\n-').replaceAll('\n  ', '\n    ')}settings: { sgd: { momentum: 0.25 } }\n`;
    const { outLines, errLines } = await kfac(`compare mnist-classifier ${quick} --config run.yaml --json`, {
      'run.yaml': file,
    });
    expect(errLines).toEqual([]);
    const done = parsed(outLines).filter(({ event }) => event === 'done');
    expect(done.map(({ optimizer }) => optimizer)).toEqual(['sgd', 'mine']);
  });

  it.each([
    ['--lr 0.1', '--lr: expected a preset to set something of'],
    ['--set damping=1', '--set: expected a preset to set something of'],
  ])('refuses %s, which says nothing about parts', async (flags, message) => {
    const { code, errLines } = await kfac(`${train} ${flags}`, { 'run.yaml': parts });
    expect(code).toBe(1);
    expect(errLines.join()).toContain(message);
  });

  it('a preset on the command line goes before the parts in the file', async () => {
    const { outLines } = await kfac(`${train} --optimizer sgd --lr 0.5`, { 'run.yaml': parts });
    expect(parsed(outLines)[0]).toMatchObject({ optimizer: 'sgd', learningRate: 0.5 });
  });

  it('a pair that does not go together is an error with file, path and choice, before anything runs', async () => {
    const file = { 'run.yaml': parts.replace('kind: cg, ', 'kind: eigen, ').replace(', maxIterations: 3', '') };
    const { code, errLines } = await kfac(train, file);
    expect(code).toBe(1);
    expect(errLines.join()).toMatch(/run\.yaml: optimizer\.solver: expected one of auto, dense, classWise, cg/);
  });
});

describe('kfac train', () => {
  it('writes a report: configuration, metrics, parameters and figures', async () => {
    const { code, outLines, errLines, stored } = await kfac(
      `train mnist-autoencoder ${quick} --steps 2 --optimizer adam --out here`,
    );
    expect(code).toBe(0);
    const names = [...stored.content.keys()].filter((path) => path.startsWith('here/'));
    const expected = [
      'adam.safetensors',
      'config.json',
      'loss.png',
      'loss.svg',
      'metrics.jsonl',
      'reconstructions.png',
      'report.txt',
    ];
    expect(names.toSorted()).toEqual(expected.map((name) => `here/${name}`));
    const text = (name: string) => new TextDecoder().decode(stored.content.get(`here/${name}`));
    expect(JSON.parse(text('config.json'))).toMatchObject({
      task: 'mnist-autoencoder',
      size: 'small',
      batch: 5,
      seed: 1,
      steps: 2,
      optimizers: ['adam'],
      settings: { adam: { learningRate: 1e-3 } },
      backend: 'gpu',
      data: 'd',
      about: { networks: ['mnist-autoencoder-small'], data: { train: { size: 30 } }, backend: { backend: 'gpu' } },
    });
    const metrics = parsed(text('metrics.jsonl').trim().split('\n'));
    expect(metrics.map(({ event }) => event)).toEqual(['step', 'step', 'done']);
    const params = orThrow(decodeSafetensors(stored.content.get('here/adam.safetensors') ?? new Uint8Array(), 'f'));
    expect(params['encoder.0.weight'].shape).toEqual([256, 784]);
    for (const name of ['loss.png', 'reconstructions.png']) {
      const image = PNG.sync.read(Buffer.from(stored.content.get(`here/${name}`) ?? []));
      expect(image.width).toBeGreaterThan(500);
    }
    expect(outLines.join('\n')).toMatch(/optimizer +steps +seconds[^]*adam +2 /);
    expect(outLines).toContain('here/reconstructions.png');
    expect(text('report.txt')).toMatch(/^mnist-autoencoder-small, batch 5, seed 1\n\noptimizer +steps[^]*\nadam +2 /);
    expect(errLines).toContainEqual(expect.stringMatching(/^adam: a step costs about one step of Adam: forward and/));
    expect(errLines.join('\n')).toMatch(/gpu: gpu.js[^]*adam 1\/2 {2}loss [\d.]+ {2}[\d.]+ steps\/s/);
  });

  it('makes a new directory below runs/ unless told otherwise', async () => {
    const { stored } = await kfac(`train mnist-classifier ${quick} --steps 1 --optimizer sgd`);
    expect([...stored.content.keys()]).toContain('runs/20260131-142501-mnist-classifier-small-sgd/config.json');
  });

  it('runs that begin in the same second have a directory each', async () => {
    const stored = memoryFiles(smallMnist('d', 30, 10));
    const seeds = [1, 2, 3];
    for (const seed of seeds) {
      const args = `train mnist-classifier ${quick} --steps 1 --optimizer sgd --seed ${seed}`;
      expect(await runCli(recordingWorld(stored), args.split(' '))()).toBe(0);
    }
    const found = ['', '-2', '-3'].map((ending) => {
      const path = `runs/20260131-142501-mnist-classifier-small-sgd${ending}/config.json`;
      return (JSON.parse(new TextDecoder().decode(stored.content.get(path))) as { seed: number }).seed;
    });
    expect(found).toEqual(seeds);
  });
});

describe('what only a run can tell of an optimizer of parts', () => {
  const mine = (solver: string) => `{ name: mine, estimator: exact, curvature: kfac, solver: ${solver} }`;
  const falling = '{ kind: eigen, damping: { kind: cosine, start: 1, steps: 2, end: -1 } }';
  const elsewhere = '{ kind: cg, siteDamping: { encoder: 10 } }';

  it.each([
    [`optimizer: ${mine(falling)}`, 'run.yaml: optimizer.solver.damping: expected a finite number above 0'],
    [`optimizer: ${mine(elsewhere)}`, 'run.yaml: optimizer.solver.siteDamping.encoder: expected one of 0, 2'],
    [`optimizers: [${mine(falling)}, adam]`, 'run.yaml: optimizers.0.solver.damping: expected a finite number above 0'],
  ])('%s: names the place in the file', async (text, expected) => {
    const { code, errLines } = await kfac(`compare mnist-classifier ${quick} --steps 3 --config run.yaml --json`, {
      'run.yaml': text,
    });
    expect([code, errLines.join()]).toEqual([1, expect.stringContaining(expected)]);
  });

  it('bounds of a period that exclude each other are known before', async () => {
    const text = `optimizer: ${mine('{ kind: eigen, every: { drift: 0.1, atLeast: 60 } }')}`;
    const { errLines } = await kfac(`train mnist-classifier ${quick} --config run.yaml --json`, { 'run.yaml': text });
    expect(errLines.join()).toContain(
      'run.yaml: optimizer.solver.every.atMost: expected a whole number of at least 60, got 50',
    );
  });
});

describe('the configuration in a report', () => {
  const linesOf = (stored: MemoryFiles, directory: string) =>
    parsed(
      new TextDecoder()
        .decode(stored.content.get(`${directory}/metrics.jsonl`))
        .trim()
        .split('\n'),
    ).map(({ step, loss, trainLoss, testLoss, optimizer }) => ({ step, loss, trainLoss, testLoss, optimizer }));

  it('law: --config with it is the same run again', async () => {
    const parts = `
seed: 7
optimizers:
- adam
- { name: mine, estimator: exact, curvature: kfac, solver: { kind: eigen, siteDamping: { '0': 2 } } }
settings: { adam: { learningRate: 0.01 } }
`;
    const first = await kfac(`compare mnist-classifier ${quick} --steps 3 --patience 2 --config run.yaml --out a`, {
      'run.yaml': parts,
    });
    expect(first.code).toBe(0);
    const config = { 'a/config.json': new TextDecoder().decode(first.stored.content.get('a/config.json')) };
    const second = await kfac('compare mnist-classifier --config a/config.json --out b', config);
    expect(second.errLines.filter((line) => line.includes('warning'))).toEqual([]);
    expect(second.code).toBe(0);
    expect(linesOf(second.stored, 'b')).toEqual(linesOf(first.stored, 'a'));
    expect(second.stored.content.get('b/config.json')).toEqual(first.stored.content.get('a/config.json'));
  });

  it('is one to train with where the run had one optimizer, and none for another task', async () => {
    const first = await kfac(`train mnist-classifier ${quick} --steps 1 --optimizer adam --set beta1=0.5 --out a`);
    const config = { 'a/config.json': new TextDecoder().decode(first.stored.content.get('a/config.json')) };
    const second = await kfac('train mnist-classifier --config a/config.json --out b', config);
    expect(second.stored.content.get('b/config.json')).toEqual(first.stored.content.get('a/config.json'));
    const other = await kfac('train mnist-autoencoder --config a/config.json', config);
    expect(other.errLines.join()).toContain('a/config.json: task: expected mnist-autoencoder, as on the command line');
  });

  it('warns of what it does not use', async () => {
    const file = { 'run.yaml': 'settings: { adam: { beta1: 0.5 } }\nseed: 3\nsize: !small small\n' };
    const { code, errLines } = await kfac(`train mnist-classifier ${quick} --steps 1 --config run.yaml --json`, file);
    expect(code).toBe(0);
    expect(errLines).toEqual([
      'warning: run.yaml: Unresolved tag: !small.',
      'warning: Settings of adam are not used: it does not run.',
    ]);
  });
});

describe('a run that is interrupted', () => {
  /** Runs the program and interrupts it after the second step's line. */
  const interrupted = async (
    args: string,
    interruption: Interruption,
    stored = memoryFiles(smallMnist('d', 30, 10)),
  ): Promise<Ran & { readonly isHeard: boolean }> => {
    let told: Interrupted | null = null;
    const world = recordingWorld(stored);
    const noticed = (say: (line: string) => () => void) => (line: string) => () => {
      say(line)();
      if (/"step":2,| 2\/\d+ /.test(line)) told?.(interruption)();
    };
    const code = await runCli(
      {
        ...world,
        out: noticed(world.out),
        err: noticed(world.err),
        interruptions: (tell) => () => {
          told = tell;
          return () => {
            told = null;
          };
        },
      },
      args.split(' '),
    )();
    return { ...world, code, stored, isHeard: told !== null };
  };
  const bySignal: Interruption = { by: 'SIGINT', exitCode: 130, isQuiet: false };

  it('finishes its step, leaves parameters, history and words, and ends with the signal’s code', async () => {
    const { code, stored, outLines, errLines, isHeard } = await interrupted(
      `compare mnist-classifier ${quick} --optimizers adam,sgd --steps 20 --out here`,
      bySignal,
    );
    expect([code, isHeard]).toEqual([130, false]);
    const text = (name: string) => new TextDecoder().decode(stored.content.get(`here/${name}`));
    const lines = parsed(text('metrics.jsonl').trim().split('\n'));
    expect(lines.map(({ event, optimizer }) => [event, optimizer])).toEqual([
      ['step', 'adam'],
      ['step', 'adam'],
      ['done', 'adam'],
    ]);
    expect(lines[2]).toMatchObject({ steps: 2, stoppedBy: 'SIGINT' });
    const params = orThrow(decodeSafetensors(stored.content.get('here/adam.safetensors') ?? new Uint8Array(), 'f'));
    expect(Object.keys(params)).toContain('0.weight');
    const said = ['adam was stopped by SIGINT after 2 of 20 steps.', 'sgd was not begun: SIGINT had stopped the run.'];
    const onward = 'adam goes on from step 2 with: kfac compare mnist-classifier --resume here';
    expect(errLines.slice(-3)).toEqual([...said.map((sentence) => `warning: ${sentence}`), onward]);
    for (const sentence of said) expect(text('report.txt')).toContain(sentence);
    expect(errLines.join('\n')).toContain('SIGINT: the step under way is the last');
    expect(outLines.at(-1)).toBe('here/loss.png');
    // What is written first is what training has made.
    const written = [...stored.content.keys()].filter((name) => /^here\/(?!checkpoints)/.test(name));
    expect(written[0]).toBe('here/adam.safetensors');
  });

  it('law: what it leaves are the parameters of a run of as many steps', async () => {
    const command = `train mnist-classifier ${quick} --optimizer adam --out here`;
    const short = await interrupted(`${command} --steps 20`, bySignal);
    const whole = await kfac(`${command} --steps 2`);
    expect(short.stored.content.get('here/adam.safetensors')).toEqual(
      whole.stored.content.get('here/adam.safetensors'),
    );
  });

  it('by output that nobody takes: quietly, with what there is in the folder', async () => {
    const closed = { by: 'a closed output', exitCode: 0, isQuiet: true };
    const { code, stored, errLines } = await interrupted(
      `train mnist-classifier ${quick} --optimizer adam --steps 20 --json --out here`,
      closed,
    );
    expect(code).toBe(0);
    expect(errLines).toEqual([]);
    expect(stored.content.has('here/adam.safetensors')).toBe(true);
    expect(new TextDecoder().decode(stored.content.get('here/report.txt'))).toContain(
      'adam was stopped by a closed output after 2 of 20 steps.',
    );
  });

  it('in its last step is a run as any other', async () => {
    const { code, errLines } = await interrupted(
      `train mnist-classifier ${quick} --optimizer adam --steps 2 --json`,
      bySignal,
    );
    expect(code).toBe(130);
    expect(errLines.join()).not.toContain('stopped');
  });
});

describe('a folder that another run writes to', () => {
  it('is refused before training', async () => {
    const files = memoryFiles(smallMnist('d', 30, 10));
    const taken = { _tag: 'FileFailed', path: 'here', operation: 'write', reason: 'another run writes there' } as const;
    const world = recordingWorld({ ...files, lock: () => TE.left(taken) });
    const args = `train mnist-classifier ${quick} --steps 2 --out here`.split(' ');
    expect(await runCli(world, args)()).toBe(1);
    expect(world.errLines).toEqual([expect.stringContaining('another run writes there')]);
    expect([...files.content.keys()].some((name) => name.startsWith('here'))).toBe(false);
  });

  it('is given back, also where training fails', async () => {
    const held: Array<string> = [];
    for (const rate of ['0.01', '1e30']) {
      const world = recordingWorld({
        ...memoryFiles(smallMnist('d', 30, 10)),
        lock: (directory) =>
          TE.fromIO(() => {
            held.push(directory);
            return () => Promise.resolve(void held.pop());
          }),
      });
      await runCli(
        world,
        `train mnist-classifier ${quick} --optimizer sgd --lr ${rate} --steps 2 --out here`.split(' '),
      )();
      expect(held).toEqual([]);
    }
  });
});

describe('a folder that holds a run', () => {
  const command = `train mnist-classifier ${quick} --steps 1 --out here`.split(' ');
  const run = async (stored: MemoryFiles, ...more: ReadonlyArray<string>) => {
    const world = recordingWorld(stored);
    const code = await runCli(world, [...command, ...more])();
    return { code, errLines: world.errLines };
  };
  const inFolder = (stored: MemoryFiles): ReadonlyArray<string> =>
    [...stored.content.keys()].filter((name) => name.startsWith('here/')).toSorted();

  it('is refused before training, or replaced whole: nothing of the earlier run stays, nothing of anyone else goes', async () => {
    const stored = memoryFiles({ ...smallMnist('d', 30, 10), 'here/notes.md': 'mine' });
    expect(await run(stored, '--optimizer', 'sgd')).toMatchObject({ code: 0 });
    const before = new Map(stored.content);
    const refused = await run(stored, '--optimizer', 'adam');
    expect(refused).toEqual({
      code: 1,
      errLines: [
        expect.stringContaining(
          '--out: expected a directory that holds no run, --resume to go on with it or --replace to replace it, got here, which holds one.',
        ),
      ],
    });
    expect(stored.content).toEqual(before);
    expect(await run(stored, '--optimizer', 'adam', '--replace')).toMatchObject({ code: 0 });
    const names = [
      'adam.safetensors',
      'config.json',
      'loss.png',
      'loss.svg',
      'metrics.jsonl',
      'notes.md',
      'report.txt',
    ];
    expect(inFolder(stored)).toEqual(names.map((name) => `here/${name}`));
  });

  it('a configuration that says of itself to have made other files takes none of them away', async () => {
    const files = ['../d/t10k-labels-idx1-ubyte', '/etc/passwd', 'a/b', '..', '.', '', 'c\\d'];
    const stored = memoryFiles({
      ...smallMnist('d', 30, 10),
      'here/config.json': JSON.stringify({ about: { files } }),
    });
    const before = [...stored.content.keys()];
    expect(await run(stored, '--optimizer', 'sgd', '--replace')).toMatchObject({ code: 0 });
    expect([...stored.content.keys()]).toEqual(expect.arrayContaining(before));
  });

  it.each(['', '[1]', '{"about": {"files": 3}}'])(
    'one that is no configuration of a run is not overwritten unasked: %s',
    async (content) => {
      const stored = memoryFiles({ ...smallMnist('d', 30, 10), 'here/config.json': content });
      expect(await run(stored, '--optimizer', 'sgd')).toMatchObject({ code: 1 });
      expect(await run(stored, '--optimizer', 'sgd', '--replace')).toMatchObject({ code: 0 });
    },
  );
});

describe('kfac compare', () => {
  it('trains all on the same batches from the same parameters, into one report', async () => {
    const { code, outLines, stored } = await kfac(
      `compare mnist-classifier ${quick} --steps 2 --optimizers kfac,adam,sgd --out here`,
    );
    expect(code).toBe(0);
    const lines = parsed(new TextDecoder().decode(stored.content.get('here/metrics.jsonl')).trim().split('\n'));
    expect(new Set(lines.filter(({ step }) => step === 1).map(({ loss }) => loss)).size).toBe(1);
    expect(lines.filter(({ event }) => event === 'done').map(({ optimizer }) => optimizer)).toEqual([
      'kfac',
      'adam',
      'sgd',
    ]);
    const table = outLines.slice(
      outLines.findIndex((line) => line.startsWith('optimizer')),
      -1,
    );
    expect(table.slice(2, 5).map((row) => row.split(/ +/)[0])).toEqual(['kfac', 'adam', 'sgd']);
    const svg = new TextDecoder().decode(stored.content.get('here/loss.svg'));
    for (const name of ['kfac', 'adam', 'sgd']) expect(svg).toContain(`>${name}</text>`);
  });

  it('sets one optimizer, or all of them', async () => {
    const { stored } = await kfac(
      `compare mnist-classifier ${quick} --steps 1 --optimizers adam,sgd --set learningRate=0.5 --set adam.beta1=0.25 --out here`,
    );
    expect(JSON.parse(new TextDecoder().decode(stored.content.get('here/config.json')))).toMatchObject({
      settings: { adam: { learningRate: 0.5, beta1: 0.25 }, sgd: { learningRate: 0.5 } },
    });
  });
});

describe('optimizers that diverge', () => {
  const wild = '--set sgd.learningRate=1e200';

  it('takes nothing from the others: one is written, the other marked as diverged, at the end', async () => {
    const { code, outLines, errLines, stored } = await kfac(
      `compare mnist-classifier ${quick} --steps 3 --optimizers adam,sgd ${wild} --out here`,
    );
    expect(code).toBe(0);
    const names = [...stored.content.keys()].filter((path) => path.startsWith('here/'));
    expect(names).toContain('here/adam.safetensors');
    expect(names).not.toContain('here/sgd.safetensors');
    expect(outLines.join('\n')).toMatch(/\nadam +3 .*\nsgd +0 .* diverged +– +–\n/);
    expect(errLines.at(-1)).toMatch(
      /^warning: sgd diverged\. training step 1, update: the parameter 0\.weight is not finite\. Lower the learning rate/,
    );
    const lines = parsed(new TextDecoder().decode(stored.content.get('here/metrics.jsonl')).trim().split('\n'));
    expect(lines.map(({ event, optimizer }) => `${String(optimizer)} ${String(event)}`)).toEqual([
      ...new Array<string>(3).fill('adam step'),
      'adam done',
      'sgd diverged',
    ]);
    const svg = new TextDecoder().decode(stored.content.get('here/loss.svg'));
    for (const name of ['adam', 'sgd']) expect(svg).toContain(`>${name}</text>`);
  });

  it('law: the order does not matter', async () => {
    const { code, outLines } = await kfac(
      `compare mnist-classifier ${quick} --steps 3 --optimizers sgd,adam ${wild} --json`,
    );
    expect(code).toBe(0);
    expect(parsed(outLines).map(({ event }) => event)).toEqual(['diverged', 'step', 'step', 'step', 'done']);
  });

  it('are an error where none is left', async () => {
    const { code, errLines, stored } = await kfac(
      `compare mnist-classifier ${quick} --steps 3 --optimizers sgd,adam --lr 1e200 --out here`,
    );
    expect(code).toBe(1);
    expect(errLines.filter((line) => line.includes('error:'))).toHaveLength(1);
    expect(stored.content.has('here/config.json')).toBe(false);
  });

  it('leave what they had come to where none is left, and the program ends with 1', async () => {
    const { code, errLines, outLines, stored } = await kfac(
      `compare mnist-classifier ${quick} --steps 4 --optimizers sgd,adam --lr 1e18 --out here`,
    );
    expect(code).toBe(1);
    const text = (name: string) => new TextDecoder().decode(stored.content.get(`here/${name}`));
    const lines = parsed(text('metrics.jsonl').trim().split('\n'));
    expect(lines.some(({ event }) => event === 'step')).toBe(true);
    expect(lines.at(-1)).toMatchObject({ event: 'diverged' });
    expect(outLines.join('\n')).toContain('here/metrics.jsonl');
    expect(errLines.filter((line) => /error:.* sgd diverged\./.test(line))).toHaveLength(1);
    expect([...stored.content.keys()].filter((name) => name.endsWith('.safetensors'))).toEqual([]);
  });

  it('have ended above their start where the loss has only risen, and the last line says so', async () => {
    const { code, outLines, errLines, stored } = await kfac(
      `train mnist-autoencoder ${quick} --steps 3 --optimizer adam --lr 1000 --out here`,
    );
    expect(code).toBe(0);
    expect(errLines.at(-1)).toMatch(
      /^warning: adam ended above its start: the loss on the first 30 training examples was \d.* before the first step and \d.* after the last\.$/,
    );
    const [last] = parsed(
      new TextDecoder().decode(stored.content.get('here/metrics.jsonl')).trim().split('\n').slice(-1),
    );
    expect(last).toMatchObject({ event: 'done', endedAboveItsStart: true, firstExamples: { examples: 30 } });
    expect(outLines.join('\n')).toMatch(/adam +3 /);
  });

  it('do not say so where the loss has fallen', async () => {
    const { errLines, outLines } = await kfac(`train mnist-autoencoder ${quick} --steps 3 --optimizer adam --json`);
    expect(errLines).toEqual([]);
    expect(parsed(outLines).at(-1)).not.toHaveProperty('endedAboveItsStart');
  });
});

describe('given parameters', () => {
  const train = `train mnist-classifier ${quick} --optimizer adam`;
  const bytesOf = ({ stored }: Ran, path: string): Uint8Array => stored.content.get(path) ?? new Uint8Array();
  const paramsOf = (ran: Ran, path: string) => orThrow(decodeSafetensors(bytesOf(ran, path), path));

  it('are where training starts; those that are held stay as they are, from flags and from the report', async () => {
    const first = await kfac(`${train} --steps 2 --out a`);
    const given = { 'p.safetensors': bytesOf(first, 'a/adam.safetensors') };
    const second = await kfac(`${train} --steps 2 --start p.safetensors --hold 0,2.bias --out b`, given);
    expect(second.code).toBe(0);
    const [before, after] = [paramsOf(first, 'a/adam.safetensors'), paramsOf(second, 'b/adam.safetensors')];
    for (const path of ['0.weight', '0.bias', '2.bias']) expect(after[path]).toEqual(before[path]);
    expect(after['2.weight']).not.toEqual(before['2.weight']);
    const config = { ...given, 'b/config.json': bytesOf(second, 'b/config.json') };
    const again = await kfac('train mnist-classifier --config b/config.json --out c', config);
    expect(bytesOf(again, 'c/adam.safetensors')).toEqual(bytesOf(second, 'b/adam.safetensors'));
    expect(bytesOf(again, 'c/config.json')).toEqual(bytesOf(second, 'b/config.json'));
  });

  it.each([
    ['--start none.safetensors', 'none.safetensors'],
    ['--start p.safetensors', 'parameters of mnist-classifier: expected 0.weight of shape'],
    ['--hold encoder', '--hold: expected the path of a parameter, or of a layer that has some of 0.weight'],
    ['--hold 0,2', '--hold: expected a selection that leaves something to train'],
  ])('%s is refused before the first step', async (flags, message) => {
    const other = await kfac(`train mnist-autoencoder ${quick} --optimizer adam --steps 1 --out a`);
    const given = { 'p.safetensors': bytesOf(other, 'a/adam.safetensors') };
    const { code, errLines, outLines } = await kfac(`${train} --steps 2 --json ${flags}`, given);
    expect(code).toBe(1);
    expect(errLines.join()).toContain(message);
    expect(outLines).toEqual([]);
  });
});

describe('tasks of one’s own', () => {
  const x = gaussian(1, [40, 3]);
  const y = generate([40, 1], (i) => x.data[3 * i] - x.data[3 * i + 1]);
  const data = orThrow(datasetOf('differences', x, y));
  const task = supervised({
    name: 'difference',
    description: 'the difference of two numbers, with a third',
    model: model('linear', [3], dense({ in: 3, out: 1 })),
    loss: squaredError,
    data: { train: data, test: data },
    defaults: { steps: 4 },
  });
  const options: CliOptions = { tasks: [task] };

  it('are trained, compared, summed up and reported like the others', async () => {
    const { code, errLines, stored } = await kfac('compare difference --backend reference --out here', {}, options);
    expect(code).toBe(0);
    expect(errLines).toContain('difference-full: 40 examples, batch 40, seed 1');
    const names = [...stored.content.keys()].filter((path) => path.startsWith('here/'));
    expect(names).toEqual(expect.arrayContaining(['here/kfac.safetensors', 'here/loss.png', 'here/config.json']));
    expect(parsed([new TextDecoder().decode(stored.content.get('here/config.json'))])[0]).toMatchObject({
      task: 'difference',
      steps: 4,
      settings: { sgd: { learningRate: 0.01 } },
      about: { networks: ['linear'], data: { train: { name: 'differences', size: 40 } } },
    });
    const summary = await kfac('summary difference --json', {}, options);
    expect(parsed(summary.outLines)[0]).toMatchObject({ parameters: 4 });
  });

  it('are named in help and in errors', async () => {
    expect((await kfac('train --help', {}, options)).outLines.join()).toContain('the difference of two numbers');
    expect((await kfac('train mnist', {}, options)).errLines.join()).toContain('one of difference, mnist-autoencoder,');
    expect((await kfac('train', {}, options)).errLines.join()).toContain('one of difference, mnist-autoencoder,');
  });

  it('take the place of one of the same name', async () => {
    const mine = { ...task, name: 'mnist-classifier' };
    const { outLines } = await kfac('summary mnist-classifier --json', {}, { tasks: [mine] });
    expect(parsed(outLines)[0]).toMatchObject({ parameters: 4 });
  });
});

describe('kfac plan', () => {
  const command = 'plan mnist-classifier --size small --data d --batch 5';

  it('says what a step would take on so many processes', async () => {
    const { code, outLines } = await kfac(`${command} --ranks 2,4 --latency 10 --bandwidth 100`);
    expect(code).toBe(0);
    expect(outLines[0]).toMatch(
      /^kfac: .* GFLOP\/s by one process; a message takes 10(\.0+)? µs and 100(\.0+)? MB\/s$/,
    );
    expect(outLines.filter((line) => /^ *[124] +(all|0\.5|one) /.test(line))).toHaveLength(6);
    const rows = parsed((await kfac(`${command} --ranks 2 --optimizer adam --json`)).outLines);
    // Large gradients, small ones and the loss, metrics; of a hundred steps all but the first put large parameters together.
    expect(rows).toMatchObject([
      { ranks: 1, megabytes: 0, messages: 0 },
      { ranks: 2, gradientWorkers: 'all', messages: 3.99 },
      { ranks: 2, gradientWorkers: 'one', messages: 2 },
    ]);
  });

  it('knows how sums travel, and parts of a batch', async () => {
    const megabytes = async (flags: string): Promise<ReadonlyArray<number>> =>
      parsed((await kfac(`${command} --ranks 2 --optimizer adam --json${flags}`)).outLines).map((row) =>
        Number(row['megabytes']),
      );
    const [, full] = await megabytes('');
    const [, half] = await megabytes(' --wire bf16 --accumulate 2');
    expect(half / full).toBeGreaterThan(0.49);
    expect(half / full).toBeLessThan(0.55);
  });

  it('refuses what is no number of processes', async () => {
    const { code, errLines } = await kfac(`${command} --ranks 2,half`);
    expect(code).toBe(1);
    expect(errLines.join('\n')).toContain('--ranks: expected numbers of processes, with commas between, got 2,half.');
  });
});

describe('kfac summary', () => {
  it.each(taskNames)('%s: layers, cost and curvature', async (task) => {
    const { code, outLines } = await kfac(`summary ${task}`);
    expect(code).toBe(0);
    const text = outLines.join('\n');
    for (const word of [
      'dense',
      'parameters',
      'MFLOP',
      'memory',
      'curvature',
      'A ⊗ G',
      'K-FAC covers every parameter',
    ]) {
      expect(text).toContain(word);
    }
  });

  it('says what a step costs in steps of Adam, with data', async () => {
    const command = 'summary mnist-classifier --size small --data d --batch 5 --optimizers kfac,adam';
    const { outLines } = await kfac(command);
    const [ofKfac, ofAdam] = outLines.slice(-2);
    expect(ofKfac).toMatch(
      /^kfac: a step costs about \d+ steps of Adam: forward and backward 0\.\d, .* inverses every \d+ steps \d+/,
    );
    expect(ofAdam).toMatch(/^adam: a step costs about one step of Adam: forward and backward 0\.\d, /);
    const lines = parsed((await kfac(`${command} --json`)).outLines);
    expect(lines.slice(1)).toMatchObject([
      { optimizer: 'kfac', step: { flops: expect.any(Number) as number } },
      { optimizer: 'adam', step: { adamSteps: 1 } },
    ]);
  });

  it('says that what a step costs is counted with data where there are none', async () => {
    const { code, outLines } = await kfac('summary mnist-classifier');
    expect(code).toBe(0);
    expect(outLines.at(-1)).toMatch(/^What a step costs is counted with data\. /);
    const named = await kfac('summary mnist-classifier --data nowhere');
    expect([named.code, named.outLines]).toEqual([1, []]);
  });

  it('takes the extents of the data', async () => {
    const { outLines } = await kfac('summary mnist-classifier --size small --data d --json');
    expect(parsed(outLines)[0]).toMatchObject({ input: [200, 784] });
  });

  it('counts the parameters of the full autoencoder', async () => {
    const { outLines } = await kfac('summary mnist-autoencoder --json');
    // Σ (in + 1) out over 784-1000-500-250-30-250-500-1000-784
    expect(parsed(outLines)[0]).toMatchObject({ parameters: 2_837_314 });
  });
});

describe('kfac doctor', () => {
  it('says what was found, what is chosen, and how fast it is', async () => {
    const { code, outLines } = await kfac('doctor --backend gpu --threads 1');
    expect(code).toBe(0);
    const text = outLines.join('\n');
    for (const word of ['native', 'gpu', 'reference', 'chosen: gpu', 'factorisations', 'GFLOP/s']) {
      expect(text).toContain(word);
    }
  });

  it('--json: the same as one line', async () => {
    const { code, outLines } = await kfac('doctor --json');
    expect(code).toBe(0);
    expect(parsed(outLines)).toHaveLength(1);
    expect(parsed(outLines)[0]).toMatchObject({
      chosen: {
        backend: expect.any(String) as string,
        library: expect.any(String) as string,
        warnings: expect.any(Array) as [],
      },
      gflops: expect.any(Number) as number,
      advice: expect.any(Array) as [],
      backends: [
        { backend: 'native' },
        { backend: 'gpu', found: true },
        { backend: 'portable', found: true },
        { backend: 'reference', found: true },
      ],
    });
  });
});

describe('help', () => {
  it.each(['', '--help', 'train --help', 'compare --help', 'summary --help', 'doctor --help'])(
    'kfac %s',
    async (args) => {
      const { code, outLines, errLines } = await kfac(args);
      expect(code).toBe(0);
      expect(outLines.join('\n')).toContain('Usage: kfac');
      expect(errLines).toEqual([]);
    },
  );

  it('--version is that of the package', async () => {
    expect((await kfac('--version')).outLines[0]).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('bad input', () => {
  const nan = {
    'nan.yaml': 'settings: { kfac: { damping: .nan } }',
    'bad.yaml': 'steps: many',
    'quoted.yaml': 'settings: { kfac: { damping: "1e-3" } }',
    'unknown.yaml': 'optimizer: kfca',
    'several.yaml': 'optimizers: [kfac, adam]',
    'both.yaml': 'steps: 1\nepochs: 1',
    'large.yaml': 'batch: 31',
  };

  it.each([
    [
      'an unknown command',
      'trian mnist-classifier',
      'train, compare, tune, evaluate, report, generate, translate, summary, plan, bench, doctor',
    ],
    ['no task', 'train', 'mnist-autoencoder, mnist-classifier'],
    ['an unknown task', 'train mnits', 'mnist-autoencoder, mnist-classifier'],
    ['an unknown task to summarise', 'summary mnits', 'mnist-autoencoder, mnist-classifier'],
    ['an unknown optimizer', `train mnist-classifier --optimizer kfca ${quick}`, 'kfac, '],
    ['one unknown optimizer of several', `compare mnist-classifier --optimizers kfac,kfca ${quick}`, 'kfac, '],
    ['no optimizer', `compare mnist-classifier --optimizers , ${quick}`, 'at least one optimizer'],
    ['nothing to hold', `train mnist-classifier --hold , ${quick}`, '--hold: expected a list of paths'],
    ['an unknown option', 'train mnist-classifier --stepz 3', '--steps'],
    ['an unknown option of summary', 'summary mnist-classifier --stepz 3', '--size'],
    ['an option without its value', 'train mnist-classifier --steps', 'a value'],
    ['too many arguments', 'train mnist-classifier mnist-classifier', 'kfac --help'],
    [
      'a wrong number',
      `train mnist-classifier --steps ten`,
      '--steps: expected a whole number of at least 1, got "ten"',
    ],
    [
      'a wrong backend to examine',
      'doctor --backend cuda',
      '--backend: expected one of auto, native, gpu, portable, reference',
    ],
    ['a wrong size', `train mnist-classifier --size tiny`, '--size: expected one of small, full'],
    [
      'a wrong backend',
      `train mnist-classifier --backend cuda`,
      '--backend: expected one of auto, native, gpu, portable, reference',
    ],
    ['a batch larger than the data', `train mnist-classifier ${quick} --batch 31`, '--batch: expected at most the 30'],
    ['a setting that does not exist', `train mnist-classifier --set kfac.damp=1`, 'damping'],
    [
      'a setting of a wrong type',
      `train mnist-classifier --set damping=high`,
      '--set kfac.damping: expected a number above 0, got "high"',
    ],
    [
      'a learning rate that is none',
      `train mnist-classifier --lr high`,
      '--lr: expected a number of at least 0, got "high"',
    ],
    [
      'a setting of an optimizer that does not run',
      `train mnist-classifier --set adam.beta1=0.5`,
      '--set adam.beta1: expected an optimizer of this run, kfac, got "adam"',
    ],
    [
      'a setting of a preset in the file',
      `train mnist-classifier --config quoted.yaml`,
      'quoted.yaml: settings.kfac.damping: expected a number above 0, got "1e-3"',
    ],
    [
      'an optimizer in the file',
      `train mnist-classifier --config unknown.yaml`,
      'unknown.yaml: optimizer: expected one of kfac, ',
    ],
    [
      'several optimizers in the file to train with',
      `train mnist-classifier --config several.yaml`,
      'several.yaml: optimizers: expected one optimizer to train with',
    ],
    [
      'steps in the file and epochs in the file',
      `train mnist-classifier --config both.yaml`,
      'both.yaml: epochs: expected either steps or epochs, got both',
    ],
    [
      'a batch in the file larger than the data',
      `train mnist-classifier ${quick.replace('--batch 5', '')} --config large.yaml`,
      'large.yaml: batch: expected at most the 30',
    ],
    ['a NUL in --out', 'train mnist-classifier --out a\0b', '--out: expected a path without NUL'],
    [
      'an optimizer name of 300 letters',
      `train mnist-classifier --optimizer ${'a'.repeat(300)}`,
      '--optimizer: expected one of kfac, ',
    ],
    ['half a setting', `train mnist-classifier --set damping`, '[OPTIMIZER.]NAME=VALUE'],
    [
      'a wrong type in the file',
      `train mnist-classifier --config bad.yaml`,
      'bad.yaml: steps: expected a whole number',
    ],
    ['NaN in the file', `train mnist-classifier --config nan.yaml`, 'nan.yaml: settings.kfac.damping'],
    ['a missing file', `train mnist-classifier --config none.yaml`, 'none.yaml'],
    ['a missing data set', `train mnist-classifier --data none --backend reference`, 'none/train-'],
    ['a step that diverges', `train mnist-classifier --optimizer sgd --lr 1e200 --steps 3 ${quick}`, 'learning rate'],
  ])('%s: one line that says what would be right, exit code 1, nothing written', async (_, args, advice) => {
    const { code, outLines, errLines, stored } = await kfac(args, nan);
    expect(code).toBe(1);
    const errors = errLines.filter((line) => line.includes('error:'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(advice);
    expect(errLines.join('\n')).not.toMatch(/\n {4}at /);
    expect(outLines).toEqual([]);
    expect(stored.content.size).toBe(4 + Object.keys(nan).length);
    expect(errors[0].length).toBeLessThan(500);
  });
});
