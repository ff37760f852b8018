import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import type { Ready } from '../../../src/pipelines/problems/problem.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { orThrow } from '../../support/training.ts';

const env = { backend: referenceBackend(), clock: () => 0 };

/** All numbers of a data set. */
const numbersOf = ({ batch, size }: Dataset): Readonly<Record<string, ReadonlyArray<number>>> =>
  Object.fromEntries(Object.entries(batch(range(0, size))).map(([name, { data }]) => [name, Array.from(data)]));

/** The same problem with few examples: what a step does needs no more. */
const shortened = ({ task }: Ready, size: number): Ready['task'] => {
  const few = (data: Dataset): Dataset => ({ ...data, size: Math.min(size, data.size) });
  return { ...task, data: { train: few(task.data.train), test: few(task.data.test) } };
};

describe.each(problems.map((problem) => [problem.name, problem] as const))('%s', (_, problem) => {
  it('has the same data, and the same floor, each time', async () => {
    const [once, again] = [
      orThrow(await problem.make(nodeFileSystem)()),
      orThrow(await problem.make(nodeFileSystem)()),
    ];
    expect(numbersOf(again.task.data.train)).toEqual(numbersOf(once.task.data.train));
    expect(numbersOf(again.task.data.test)).toEqual(numbersOf(once.task.data.test));
    expect(again.floor).toBe(once.floor);
    expect(once.floor).toBeGreaterThanOrEqual(0);
    expect(problem.batch).toBeLessThanOrEqual(once.task.data.train.size);
    expect(problem.steps).toBeGreaterThanOrEqual(100);
    expect(problem.steps).toBeLessThanOrEqual(300);
  });

  it.each(['adam', 'kfac'])('takes two steps with %s', async (name) => {
    const ready = orThrow(await problem.make(nodeFileSystem)());
    const task = shortened(ready, 8);
    const optimizer = orThrow(optimizerOf(name));
    const result = orThrow(await train(env, task, optimizer, { duration: { steps: 2 }, batch: 8, seed: 1 })());
    expect(result.steps).toBe(2);
    expect(result.train.loss).toBeGreaterThan(0);
  });
});
