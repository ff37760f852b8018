import { composeOptimizer } from '../../../src/pipelines/config/compose/compose.ts';
import type { RunConfig } from '../../../src/pipelines/config/runConfig.ts';
import { planOf } from '../../../src/pipelines/config/plan.ts';
import { optimizerNames } from '../../../src/solvers/presets/registry.ts';
import { taskNames } from '../../../src/pipelines/catalogue/tasks.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

describe('planOf', () => {
  it('fills in defaults of the task', () => {
    const plan = orThrow(planOf('mnist-autoencoder', ['kfac'], {}));
    expect(plan.task).toMatchObject({ name: 'mnist-autoencoder', size: 'full' });
    expect(plan.options).toEqual({
      duration: { steps: plan.task.defaults.steps },
      batch: plan.task.defaults.batch,
      seed: 1,
    });
    expect(plan.backend).toEqual({ backend: 'auto' });
  });

  it('takes what is set', () => {
    const plan = orThrow(
      planOf('mnist-classifier', ['kfac', 'adam'], {
        size: 'small',
        epochs: 2,
        batch: 10,
        seed: 7,
        evaluateEvery: 5,
        patience: 3,
        backend: 'native',
        threads: 2,
        settings: { kfac: { damping: 0.25 } },
      }),
    );
    expect(plan.task.size).toBe('small');
    expect(plan.optimizers.map(({ name }) => name)).toEqual(['kfac', 'adam']);
    expect(plan.optimizers[0].hyperparameters).toEqual({ ...kfac().hyperparameters, damping: 0.25 });
    expect(plan.options).toEqual({
      duration: { epochs: 2 },
      batch: 10,
      seed: 7,
      evaluateEvery: 5,
      earlyStopping: { patience: 3 },
    });
    expect(plan.backend).toEqual({ backend: 'native', threads: 2 });
  });

  it('an unknown task or optimizer is an error with the names that there are', () => {
    const task = errorOf(planOf('mnits', ['kfac'], {}));
    expect(task).toMatchObject({ _tag: 'BadConfig', path: 'task', actual: '"mnits"' });
    for (const name of taskNames) expect(task).toHaveProperty('expected', expect.stringContaining(name));
    const optimizer = errorOf(planOf('mnist-classifier', ['kfca'], {}));
    expect(optimizer).toMatchObject({ _tag: 'BadConfig', path: 'optimizer', actual: '"kfca"' });
    for (const name of optimizerNames) expect(optimizer).toHaveProperty('expected', expect.stringContaining(name));
  });

  it.each([
    ['a setting that the optimizer lacks', { settings: { kfac: { damp: 1 } } }, 'kfac.damp'],
    ['a setting of a wrong type', { settings: { kfac: { damping: 'high' } } }, 'kfac.damping'],
    ['settings of an optimizer that does not exist', { settings: { kfca: { damping: 1 } } }, 'settings.kfca'],
    ['another task', { task: 'mnist-autoencoder' }, 'task'],
    ['both steps and epochs', { steps: 1, epochs: 1 }, 'epochs'],
  ])('refuses %s', (_, config, path) => {
    expect(errorOf(planOf('mnist-classifier', ['kfac'], config))).toMatchObject({ _tag: 'BadConfig', path });
  });

  it('tells of settings that nothing uses', () => {
    const settings = { adam: { learningRate: 1 }, sgd: { momentum: 0.5 }, kfac: { damping: 1 } };
    const warningsOf = (config: RunConfig) => orThrow(planOf('mnist-classifier', ['kfac'], config)).warnings;
    expect(warningsOf({ settings })).toEqual([
      'Settings of adam are not used: it does not run.',
      'Settings of sgd are not used: it does not run.',
    ]);
    expect(warningsOf({ settings, optimizers: ['kfac', 'adam'], optimizer: 'sgd' })).toEqual([]);
  });

  it('refuses settings of an optimizer of parts apart from it', () => {
    const parts = orThrow(composeOptimizer({ name: 'mine', solver: 'adam' }));
    expect(errorOf(planOf('mnist-classifier', [parts], { settings: { mine: { beta1: 0.5 } } }))).toMatchObject({
      path: 'settings.mine',
      expected: 'settings of a preset',
    });
  });

  it('refuses the same optimizer twice, and none at all', () => {
    expect(errorOf(planOf('mnist-classifier', ['kfac', 'kfac'], {}))).toMatchObject({ path: 'optimizers' });
    expect(errorOf(planOf('mnist-classifier', [], {}))).toMatchObject({ path: 'optimizers' });
  });
});
