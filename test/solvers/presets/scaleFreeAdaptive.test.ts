/**
 * Training without units: the loss, features or targets may be multiplied by anything, and every step stays as it is.
 */
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams, zipParams } from '../../../src/core/params.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import type { SettingValue } from '../../../src/solvers/settings/setting.ts';
import { scaledError } from '../../support/closeness.ts';
import { multiplied } from '../../../src/core/nn/losses/multiplied.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';

const model = mlp([5, 6, 4]);
const start = stateOf(model, 3);

const classes = generate([32], (i) => (i * 7) % 4, 'i32');

/** Batches that follow one another. */
const batchAt = (step: number, loss: Loss): { readonly inputs: Tensor; readonly targets: Tensor } => ({
  inputs: gaussian(100 + step, [32, 5]),
  targets: loss.name === softmaxCrossEntropy.name ? classes : gaussian(200 + step, [32, 4]),
});

type Settings = Readonly<Record<string, SettingValue>>;

interface Run {
  readonly params: Params<Tensor>;
  readonly dampings: ReadonlyArray<number>;
  readonly rejected: number;
}

const run = async (loss: Loss, c: number, options: Settings, name = 'kfac-adaptive'): Promise<Run> => {
  const step = pipeline(withObjective({ model, loss: multiplied(c, loss) }), orThrow(optimizerOf(name, options)).step);
  let state: TrainState<Tensor> = start;
  const dampings: Array<number> = [];
  let rejected = 0;
  for (let i = 0; i < 10; i += 1) {
    const { next, metrics } = await runStage(step, state, batchAt(i, loss));
    state = next;
    dampings.push(Number(metrics['nextDamping']));
    rejected += Number(metrics['rejected']);
  }
  return { params: state.params, dampings, rejected };
};

const gapBetween = (x: Params<Tensor>, y: Params<Tensor>): number =>
  Math.max(...Object.keys(x).map((path) => scaledError(x[path].data, y[path].data)));

const choices = [
  ['as it is', {}],
  ['by the whole', { equilibrated: 'whole' }],
  ['by column', { equilibrated: 'column' }],
  ['with γ apart', { gammaEvery: 2, inverseEvery: 2 }],
  ['with parts of batches', { statisticsFraction: 0.5, modelFraction: 0.5, atLeast: 1 }],
] as const;

describe.each([
  ['squared error', squaredError],
  ['softmax cross-entropy', softmaxCrossEntropy],
])('kfac-adaptive on %s', (_, loss) => {
  it.each(choices)('law: ten steps %s are the same with the loss times 1e-3 and 1e3', async (__, options) => {
    const one = await run(loss, 1, options);
    expect(gapBetween(one.params, start.params)).toBeGreaterThan(1e-2);
    for (const c of [1e-3, 1e3]) {
      const other = await run(loss, c, options);
      expect(other.rejected).toBe(one.rejected);
      expect(scaledError(other.dampings, one.dampings)).toBeLessThan(1e-12);
      expect(gapBetween(other.params, one.params)).toBeLessThan(1e-8);
    }
  });

  it('without units of its own λ is in those of the loss, and the steps are others', async () => {
    const [one, other] = [await run(loss, 1, { equilibrated: 'none' }), await run(loss, 1e3, { equilibrated: 'none' })];
    expect(gapBetween(other.params, one.params)).toBeGreaterThan(1e-4);
  });
});

// Steps between two looks at the model are among the ten of `kfac`.
// Where an iteration stops, it has the digits that its tolerance asks for and no more.
const special: Readonly<Record<string, Settings>> = {
  kfac: { settling: 0, dampingEvery: 3 },
  'class-kfac': { classes: 4 },
  'kfac-cg': { tolerance: 1e-12, progress: 0 },
};

const relatives = [
  'kfac',
  'ekfac',
  'block-kfac',
  'low-rank-kfac',
  'newton-schulz-kfac',
  'tridiagonal-kfac',
  'class-kfac',
  'kfac-cg',
];

it.each(relatives)('law: ten steps of %s are the same with the loss times 1e-3 and 1e3', async (name) => {
  const options = special[name] ?? {};
  const one = await run(softmaxCrossEntropy, 1, options, name);
  expect(gapBetween(one.params, start.params)).toBeGreaterThan(1e-2);
  for (const c of [1e-3, 1e3]) {
    const other = await run(softmaxCrossEntropy, c, options, name);
    expect(scaledError(other.dampings, one.dampings)).toBeLessThan(1e-12);
    expect(gapBetween(other.params, one.params)).toBeLessThan(1e-6);
  }
});

/** The same problem in other units: arrays of a batch times c, and the parameters that stand for them times a power of it. */
interface Units {
  readonly loss: Loss;
  readonly array: 'inputs' | 'targets';
  readonly params: Readonly<Record<string, -1 | 1>>;
}

const ofFeatures: Units = { loss: softmaxCrossEntropy, array: 'inputs', params: { '0.weight': -1 } };
const ofTargets: Units = { loss: squaredError, array: 'targets', params: { '2.weight': 1, '2.bias': 1 } };

/** Steps in units of c, and the parameters in their own units again. */
const inUnits = async (units: Units, c: number, name: string, options = special[name], steps = 10) => {
  const { ops } = referenceEnv().backend;
  const times = (params: Params<Tensor>, by: number): Params<Tensor> =>
    mapParams(params, (p, path) => (Object.hasOwn(units.params, path) ? ops.scale(by ** units.params[path], p) : p));
  const step = pipeline(withObjective({ model, loss: units.loss }), orThrow(optimizerOf(name, options ?? {})).step);
  let state: TrainState<Tensor> = { ...start, params: times(start.params, c) };
  for (let i = 0; i < steps; i += 1) {
    const batch = batchAt(i, units.loss);
    state = (await runStage(step, state, { ...batch, [units.array]: ops.scale(c, batch[units.array]) })).next;
  }
  return times(state.params, 1 / c);
};

const sameInUnits = async (units: Units, name: string): Promise<void> => {
  const one = await inUnits(units, 1, name);
  expect(gapBetween(one, start.params)).toBeGreaterThan(1e-2);
  for (const c of [1e-3, 1e3]) expect(gapBetween(await inUnits(units, c, name), one)).toBeLessThan(1e-6);
};

it.each(['kfac-adaptive', ...relatives])(
  'law: ten steps of %s are the same with features times 1e-3 and 1e3, and the first weights divided by that',
  (name) => sameInUnits(ofFeatures, name),
);

it.each(['kfac-adaptive', ...relatives.filter((name) => name !== 'class-kfac')])(
  'law: ten steps of %s are the same with targets and outputs times 1e-3 and 1e3',
  (name) => sameInUnits(ofTargets, name),
);

describe('kfac-grafted, whose length is Adam’s and in units of the weights', () => {
  /** A first step, of length 1 in its own units. */
  const directionAt = async (c: number, equilibrated: string): Promise<Params<Tensor>> => {
    const { ops } = referenceEnv().backend;
    const params = await inUnits(ofFeatures, c, 'kfac-grafted', { equilibrated }, 1);
    const moved = zipParams(params, start.params, (to, from) => ops.sub(to, from));
    const length = Math.hypot(...Object.values(moved).flatMap(({ data }) => Array.from(data)));
    return mapParams(moved, (m) => ops.scale(1 / length, m));
  };

  it('law: by block a step has the same direction with features times 1e-3 and 1e3', async () => {
    const one = await directionAt(1, 'block');
    for (const c of [1e-3, 1e3]) expect(gapBetween(await directionAt(c, 'block'), one)).toBeLessThan(1e-8);
  });

  it('by the whole, its default, it has another', async () => {
    expect(gapBetween(await directionAt(1e3, 'whole'), await directionAt(1, 'whole'))).toBeGreaterThan(1e-2);
  });
});
