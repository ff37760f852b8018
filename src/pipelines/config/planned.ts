/**
 * From a run back to its configuration: the one that gives the same run again.
 *
 * @module
 */
import type { Plan } from './plan.ts';
import type { RunConfig } from './runConfig.ts';

/**
 * The configuration of a run, as JSON has it: optimizers that are composed by their parts.
 *
 * @param plan - a run
 */
export const configurationIn = (plan: Plan): Readonly<Record<string, unknown>> => {
  const { task, options, optimizers } = plan;
  const { duration, earlyStopping, ...rest } = options;
  const presets = optimizers.filter(({ parts }) => parts === undefined);
  const configuration: RunConfig = {
    task: task.name,
    size: task.size,
    ...(Object.keys(task.settings).length === 0 ? {} : { with: task.settings }),
    ...duration,
    ...rest,
    ...(earlyStopping === undefined ? {} : { patience: earlyStopping.patience }),
    ...plan.backend,
    ...(plan.data === undefined ? {} : { data: plan.data }),
    ...(plan.start === undefined ? {} : { start: plan.start }),
    ...(plan.hold.length === 0 ? {} : { hold: plan.hold }),
    ...(plan.checkpointEvery === undefined ? {} : { checkpointEvery: plan.checkpointEvery }),
    ...(plan.keep === undefined ? {} : { keep: plan.keep }),
    ...(plan.backoff === undefined ? {} : { backoff: plan.backoff }),
    ...(plan.tensorboard === undefined ? {} : { tensorboard: plan.tensorboard }),
    ...(plan.export === undefined ? {} : { export: plan.export }),
  };
  return {
    ...configuration,
    optimizers: optimizers.map(({ name, parts }) => parts ?? name),
    settings: Object.fromEntries(presets.map(({ name, hyperparameters }) => [name, hyperparameters])),
  };
};
