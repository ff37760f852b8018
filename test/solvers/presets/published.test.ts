/**
 * Presets against runs of published optimizers, step by step; `test/fixtures/optimizers/generate.py` made those.
 */
import { readFileSync } from 'node:fs';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { placeState } from '../../../src/core/pipeline/transfer.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import type { SettingValue } from '../../../src/solvers/settings/setting.ts';
import { scaledError } from '../../support/closeness.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';
import { mlp, orThrow, stateOf } from '../../support/training.ts';

type Arrays = Readonly<Record<string, ReadonlyArray<number>>>;

interface Problem {
  readonly widths: ReadonlyArray<number>;
  readonly bias: boolean;
  readonly params: Arrays;
  readonly inputs: ReadonlyArray<number>;
  readonly targets: ReadonlyArray<number>;
}

interface Fixture {
  readonly problems: Readonly<Record<string, Problem>>;
  readonly runs: Readonly<Record<string, { readonly problem: string; readonly params: ReadonlyArray<Arrays> }>>;
}

const fixture = JSON.parse(readFileSync('test/fixtures/optimizers/runs.json', 'utf8')) as Fixture;

/** A preset with the settings that make it the published one. */
interface Row {
  readonly preset: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/** Lengths of the gradient, and factors that gain nothing. */
const ofShampoo = {
  learningRate: 0.1,
  momentum: 0,
  relativeDamping: 1e-300,
  inverseEvery: 1,
  inverseDrift: 0,
  length: 'sgd',
};

const rows: Readonly<Record<string, Row>> = {
  'AdamW of PyTorch': {
    preset: 'adamw',
    settings: { learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1 },
  },
  'Muon of PyTorch': {
    preset: 'muon',
    settings: { learningRate: 0.02, momentum: 0.9, beta2: 0.999, weightDecay: 0.1 },
  },
  'Muon of its author': {
    preset: 'muon',
    settings: { learningRate: 0.02, momentum: 0.9, beta2: 0.999, weightDecay: 0.1, scale: 'spectral' },
  },
  'SOAP of its authors': {
    preset: 'soap',
    settings: { learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-4, decay: 0.5, inverseEvery: 3 },
  },
  'Shampoo of pytorch_optimizer, sums': {
    preset: 'shampoo',
    settings: { ...ofShampoo, decay: 1 - 1e-15 },
  },
  'Shampoo of pytorch_optimizer, averages': {
    preset: 'shampoo',
    settings: { ...ofShampoo, decay: 0.5 },
  },
};

/** What rounding adds up to in eight steps: a root and ε = 1e-4 in a denominator make up to 10⁴ times as much of it. */
const bounds = { f64: 1e-10, f32: 1e-3 };

const follows = async <T extends Shaped>(backend: Backend<T>, name: string): Promise<void> => {
  const { preset, settings } = rows[name];
  const { problem, params } = fixture.runs[name];
  const { widths, bias, ...given } = fixture.problems[problem];
  const objective = { model: mlp(widths, 'tanh', bias), loss: squaredError };
  const shapes = stateOf(objective.model, 1).params;
  const start = Object.entries(given.params).map(([path, data]) => [path, tensor(data, shapes[path].shape)] as const);
  const rowsOf = (data: ReadonlyArray<number>) => backend.ops.constant(tensor(data, [12, data.length / 12]));
  const batch = { inputs: rowsOf(given.inputs), targets: rowsOf(given.targets) };
  const step = pipeline(withObjective(objective), orThrow(optimizerOf(preset, settings)).step);
  let state = placeState(backend.ops, initialState(Object.fromEntries(start), keyOf(1)));
  for (const expected of params) {
    state = orThrow(await step.run<T>({ state, batch, objective })({ backend, clock: () => 0 })()).next;
    for (const [path, p] of Object.entries(state.params)) {
      const { data } = orThrow(await backend.read(p)());
      expect(scaledError(Float64Array.from(data), Float64Array.from(expected[path]))).toBeLessThan(
        bounds[backend.dtype],
      );
    }
  }
};

describe.each(Object.keys(rows))('%s', (name) => {
  onEveryBackend((of, use) => {
    it(`step by step (${of})`, () => use((backend) => follows(backend, name)));
  });
});
