import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { scaleShift } from '../../src/core/nn/layers/scaleShift.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { joinPath } from '../../src/core/params.ts';
import { holding } from '../../src/core/pipeline/group.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { learn } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfra } from '../../src/curvature/kfra.ts';
import { countStep } from '../../src/core/pipeline/count.ts';
import { initialState } from '../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { optimizerNames, optimizerOf } from '../../src/solvers/presets/registry.ts';
import type { Optimizer } from '../../src/solvers/presets/optimizer.ts';
import { sgd } from '../../src/solvers/presets/sgd.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, orThrow, runStage, stateOf, tryStage } from '../support/training.ts';

const batch = { inputs: gaussian(1, [12, 4]), targets: tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 2, 1, 0], [12], 'i32') };

const tanh = activation('tanh');
const [first, gain, last] = [dense({ in: 4, out: 5 }), scaleShift({ features: 5 }), dense({ in: 5, out: 3 })];

const objectiveOf = (...layers: ReadonlyArray<Layer>): Objective => ({
  model: model('layers', [4], sequential(layers)),
  loss: softmaxCrossEntropy,
});

/** Layers at 0, 2 and 4, whose parameters are to be held in part. */
const whole = objectiveOf(first, tanh, gain, tanh, last);
const start = stateOf(whole.model, 4);
const { params } = start;

/** x + b for a constant b. */
const plus = (b: Tensor): Layer =>
  leaf({
    kind: 'plus',
    label: 'plus',
    parameters: () => [],
    apply: (ops, _params, _path, x) => ops.add(x, ops.constant(b)),
  });

/** x Wᵀ + b for a constant W: a parameter that meets no data. */
const fixedDense = (W: Tensor): Layer => {
  const [out] = W.shape;
  const [, bias] = dense({ in: W.shape[1], out }).parameters('');
  return leaf({
    kind: 'fixed',
    label: 'fixed',
    parameters: (path) => [{ ...bias, path: joinPath(path, 'bias') }],
    apply: (ops, own, path, x) => ops.affine(x, ops.constant(W), own[joinPath(path, 'bias')]),
  });
};

/** γ ⊙ x + β for constants. */
const fixedGain = (gamma: Tensor, beta: Tensor): Layer =>
  leaf({
    kind: 'fixed',
    label: 'fixed',
    parameters: () => [],
    apply: (ops, _params, _path, x) => ops.add(ops.mul(x, ops.constant(gamma)), ops.constant(beta)),
  });

const withoutBias = sequential([dense({ in: 4, out: 5, bias: false }), plus(params['0.bias'])]);
const lastWithoutBias = sequential([dense({ in: 5, out: 3, bias: false }), plus(params['4.bias'])]);

/** What is held, the same model with constants in its place, and where its parameters are called otherwise. */
const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, Objective, Readonly<Record<string, string>>]> = [
  ['a bias', ['0.bias'], objectiveOf(withoutBias, tanh, gain, tanh, last), { '0.weight': '0.0.weight' }],
  ['the last bias', ['4.bias'], objectiveOf(first, tanh, gain, tanh, lastWithoutBias), { '4.weight': '4.0.weight' }],
  ['a weight', ['0.weight'], objectiveOf(fixedDense(params['0.weight']), tanh, gain, tanh, last), {}],
  ['the last weight', ['4.weight'], objectiveOf(first, tanh, gain, tanh, fixedDense(params['4.weight'])), {}],
  [
    'gain and shift',
    ['2.weight', '2.bias'],
    objectiveOf(first, tanh, fixedGain(params['2.weight'], params['2.bias']), tanh, last),
    {},
  ],
];

const presetOf = (name: string): Optimizer =>
  orThrow(
    optimizerOf(name, {
      ...(name.includes('kfac') ? { damping: 0.1 } : {}),
      ...(name === 'class-kfac' ? { classes: 3 } : {}),
      // Solved to the end: where the iteration stops early is a matter of the last digit.
      ...(name === 'kfac-cg' ? { tolerance: 1e-13, progress: 0 } : {}),
    }),
  );

const trained = async (
  optimizer: Optimizer,
  objective: Objective,
  state: TrainState<Tensor>,
  count = 4,
): Promise<TrainState<Tensor>> => {
  let current = state;
  for (let i = 0; i < count; i += 1) current = (await runStage(learn(objective, optimizer.step), current, batch)).next;
  return current;
};

describe.each(optimizerNames)('%s with parameters held fixed', (name) => {
  const optimizer = presetOf(name);

  it.each(cases)(
    'law: %s. The steps are those of a model in which it is a constant',
    async (_, held, fixed, renamed) => {
      const nameOf = (path: string): string => renamed[path] ?? path;
      const own = Object.keys(params).filter((path) => !held.includes(path));
      const theirStart = { ...start, params: Object.fromEntries(own.map((path) => [nameOf(path), params[path]])) };
      const ourStart = holding(start, held);
      const [ours, theirs] = [await trained(optimizer, whole, ourStart), await trained(optimizer, fixed, theirStart)];
      expect(ours.held).toBe(ourStart.held);
      expect(Object.keys(ours.params)).toEqual(own);
      for (const path of own) {
        expect(scaledError(ours.params[path].data, theirs.params[nameOf(path)].data)).toBeLessThan(1e-10);
      }
      expect(own.some((path) => scaledError(ours.params[path].data, params[path].data) > 1e-4)).toBe(true);
    },
  );
});

it('what is held has no gradient: a step costs no product for it', async () => {
  const shapes = Object.fromEntries(Object.entries(params).map(([path, { shape }]) => [path, { shape }]));
  const flopsOf = async (held: ReadonlyArray<string>): Promise<number> => {
    const state = holding(initialState(shapes, keyOf(1)), held);
    const data = { inputs: { shape: [1000, 4] }, targets: { shape: [1000] } };
    return orThrow(await countStep(sgd().step, { state, batch: data, objective: whole })()).flops;
  };
  const all = await flopsOf([]);
  // The product with the cotangent for its gradient, and nothing else of note.
  expect((await flopsOf(['4.weight'])) / (all - 2 * 1000 * 5 * 3)).toBeCloseTo(1, 2);
  expect(await flopsOf(['0.weight', '0.bias', '2.weight', '2.bias'])).toBeLessThan(all - 2 * 1000 * (4 * 5 + 5 * 3));
});

describe('the recursion of KFRA with parameters held fixed', () => {
  const chain = objectiveOf(first, tanh, last);
  const state = stateOf(chain.model, 6);
  const averagesOf = async (held: ReadonlyArray<string>) => {
    const curved = pipeline(withObjective(chain), forward, backward, capture(exact()), updateFactors(kfra()));
    return (await runStage(curved, holding(state, held), batch)).state.curvature.averages;
  };

  it('law: a bias that is held shifts the activations as before: G is that of the whole', async () => {
    const [held, all] = [await averagesOf(['0.bias']), await averagesOf([])];
    expect(held['0']['G']).toEqual(all['0']['G']);
    expect(held['0']['A'].shape).toEqual([4, 4]);
  });

  it('law: where the first layers are held, the last ones have what they had', async () => {
    const [held, all] = [await averagesOf(['0.weight', '0.bias']), await averagesOf([])];
    expect(held).toEqual({ 2: all['2'] });
  });

  it('a layer in the middle or at the end that is held is refused', async () => {
    const curved = pipeline(withObjective(chain), forward, backward, capture(exact()), updateFactors(kfra()));
    expect(await tryStage(curved, holding(state, ['2.weight']), batch)).toMatchObject({ left: { _tag: 'BadConfig' } });
  });
});
