import {
  backendOf,
  defaultSetup,
  folderOf,
  knows,
  lanes,
  lanesOf,
  optimizerOfLane,
  secondOrder,
  suggested,
  suitedBatch,
  taskOfSetup,
} from '../../demo/src/setup.ts';
import { taskNames } from '../../src/pipelines/catalogue/tasks.ts';
import { optimizerOf } from '../../src/solvers/presets/registry.ts';
import { orThrow } from '../support/training.ts';

describe('what a person chooses', () => {
  it.each(secondOrder)('stands for a task and optimizers of the library, with %s', (preset) => {
    for (const task of ['mnist-autoencoder', 'mnist-classifier']) {
      const setup = { ...defaultSetup, task, preset, ...suggested(task, preset) };
      expect(orThrow(taskOfSetup(setup)).name).toBe(task);
      expect(lanes.map((lane) => orThrow(optimizerOfLane(setup, lane)).name)).toEqual([preset, 'adam', 'sgd']);
    }
  });

  it.each(['gan-ring', 'language-model'])('stands for %s, with settings that suit it', (task) => {
    const setup = { ...defaultSetup, task, ...suggested(task, 'kfac') };
    expect(orThrow(taskOfSetup(setup)).name).toBe(task);
    const [kfac, adam] = lanes.map((lane) => orThrow(optimizerOfLane(setup, lane)).hyperparameters);
    // A game has no use for momentum; a text has.
    const isGame = task === 'gan-ring';
    expect([kfac['momentum'] === 0, adam['beta1'] === 0.5]).toEqual([isGame, isGame]);
    expect(folderOf(setup)).toBe(isGame ? 'digits' : 'text/documents.txt');
    expect(suitedBatch(task)).toBe(isGame ? 250 : 32);
  });

  it('reaches the optimizers', () => {
    const setup = {
      ...defaultSetup,
      damping: 3,
      inverseEvery: 7,
      statisticsEvery: 2,
      learningRate: { second: 0.5, adam: 0.25, sgd: 0.125 },
    };
    expect(orThrow(optimizerOfLane(setup, 'second')).hyperparameters).toMatchObject({
      damping: 3,
      inverseEvery: 7,
      statisticsEvery: 2,
      learningRate: 0.5,
    });
    expect(orThrow(optimizerOfLane(setup, 'adam')).hyperparameters['learningRate']).toBe(0.25);
    expect(orThrow(optimizerOfLane(setup, 'sgd')).hyperparameters['learningRate']).toBe(0.125);
  });

  it('takes the damping of the preset, whatever the task', () => {
    for (const task of taskNames) {
      expect(suggested(task, 'kfac').damping).toBe(orThrow(optimizerOf('kfac')).hyperparameters['damping']);
    }
    expect(knows('kfac', 'damping')).toBe(true);
    expect(knows('kfac', 'maxIterations')).toBe(false);
  });

  it('asks for the backend, the mode and the threads', () => {
    expect(backendOf({ ...defaultSetup, place: 'auto' })).toEqual({ backend: 'gpu', gpuMode: 'auto' });
    expect(backendOf({ ...defaultSetup, place: 'webgl2', threads: 4 })).toEqual({
      backend: 'gpu',
      gpuMode: 'webgl2',
      threads: 4,
    });
    expect(backendOf({ ...defaultSetup, place: 'reference' })).toEqual({ backend: 'reference' });
  });

  it('lets lanes be left out', () => {
    const enabled = { second: true, adam: false, sgd: true };
    expect(lanesOf({ ...defaultSetup, enabled })).toEqual(['second', 'sgd']);
  });
});
