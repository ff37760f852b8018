/**
 * K-FAC as an optimizer of TensorFlow.js.
 *
 * TF.js takes a step while `minimize` runs; the inverses of this library are made beside. So a step ends shortly after
 * `minimize`: `fit`, `fitDataset` and `trainOnBatch` wait for that, and a loop of one's own waits for {@link KFACOptimizer.settled}.
 *
 * @module
 */
import type { Scalar, Variable } from '@tensorflow/tfjs-core';
import { Optimizer as TfOptimizer, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../core/backends/backend.ts';
import { openHostBackend } from '../../core/backends/choice/hostBackend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt, orRaise, raise } from '../../core/errors.ts';
import { learn } from '../../core/pipeline/withObjective.ts';
import { pipeline } from '../../core/pipeline/stage.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { stepKey } from '../../core/pipeline/stepKey.ts';
import { takeStep } from '../../core/pipeline/takeStep.ts';
import { placeState, readState } from '../../core/pipeline/transfer.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { initialState } from '../../core/pipeline/trainState.ts';
import { keyOf } from '../../core/random/key.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { KfacPresetOptions } from '../../solvers/presets/kfac.ts';
import { kfac } from '../../solvers/presets/kfac.ts';
import type { GradientOptimizer } from '../../solvers/presets/optimizer.ts';
import type { CoverageRow } from '../../curvature/coverage.ts';
import { awaited } from './awaited.ts';
import { coverageOf } from './coverage.ts';
import { judgedBy, nameOf } from './losses.ts';
import { measured } from './measured.ts';
import type { AnyModel, Tapped } from './network.ts';
import { described, modelError, opened, tappedNetwork, working } from './network.ts';
import { arrived, hosted, returned, variablesOf } from './parameters.ts';
import type { Named, Restored } from './saved.ts';
import { fittingState, namedOf, restoredFrom } from './saved.ts';
import type { Taken } from './step.ts';
import { taken } from './step.ts';
import type { Recorder } from './taps.ts';

/** Settings of {@link KFACOptimizer}: those of the preset `kfac`, or an optimizer with settings of its own. */
export interface KFACOptions extends KfacPresetOptions {
  /** Any optimizer of this library, in the place of the preset `kfac` and its settings. */
  readonly optimizer?: GradientOptimizer;
  /** Decides everything that it draws, 1 unless given. */
  readonly seed?: number;
  /** Where factors are made and inverted: `native` where there is a BLAS, else `portable`, unless given. */
  readonly backend?: 'auto' | 'native' | 'portable' | 'reference';
  /** Of how many examples batches are made, again and again; each is taken for one that is seen once unless given. */
  readonly examples?: number;
}

/** What is a setting of this optimizer, and none of the preset. */
const own: ReadonlyArray<string> = ['optimizer', 'seed', 'backend', 'examples'];

const chosen = ({ optimizer, ...options }: KFACOptions): GradientOptimizer => {
  const settings = Object.fromEntries(Object.entries(options).filter(([name]) => !own.includes(name)));
  if (optimizer === undefined) return kfac(settings);
  const [other] = Object.keys(settings);
  return other === undefined
    ? optimizer
    : raise({
        _tag: 'BadConfig',
        path: `KFACOptimizer.${other}`,
        expected: 'no setting of kfac where an optimizer is given, which has settings of its own',
        actual: other,
      });
};

/** What is wrong with an optimizer's settings is known before the first step. */
const sound = (optimizer: GradientOptimizer): GradientOptimizer => {
  const error = optimizer.descent.foresee?.(0, 1) ?? null;
  return error === null ? optimizer : raise(error);
};

/**
 * K-FAC for a `tf.LayersModel`, to be given to `model.compile` in the place of another optimizer.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers, sequential } from '@tensorflow/tfjs-layers';
 * import { KFACOptimizer } from 'kfac-ts/tfjs';
 *
 * const model = sequential({ layers: [layers.dense({ inputShape: [2], units: 1 })] });
 * const optimizer = new KFACOptimizer(model);
 * model.compile({ optimizer, loss: 'meanSquaredError' });
 * await model.fit(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[3], [7]]), { epochs: 20, verbose: 0 });
 * optimizer.coverage()[0].curvature; // => 'A ⊗ G'
 * ```
 */
export class KFACOptimizer extends TfOptimizer {
  /** Its name where TF.js saves it. */
  static readonly className: string = 'KFACOptimizer';

  private readonly model: AnyModel;
  private readonly options: KFACOptions;
  private readonly backend: Backend<Tensor>;
  private readonly recorder: Recorder = { current: null, seed: 0 };
  private optimizer: GradientOptimizer;
  private network: Tapped | null = null;
  private state: TrainState<Tensor> | null = null;
  /** Data of the variables as the last step left them: those that have others since were written to. */
  private standing: ReadonlyMap<string, object> = new Map();
  private restored: Restored | null = null;
  private pending: Promise<void> | null = null;
  private failure: KfacError | null = null;
  private last: Metrics = {};

  /**
   * @param model - the model that is trained
   * @param options - settings; a wrong one throws an error that says which
   */
  constructor(model: LayersModel, options: KFACOptions = {}) {
    super();
    const error = modelError(model);
    if (error !== null) raise(error);
    this.model = opened(model);
    this.options = options;
    this.optimizer = sound(chosen(options));
    this.backend = orRaise(openHostBackend({ backend: options.backend ?? 'auto' }));
    awaited(this, this.model);
  }

  /** The numbers of the last step that has ended: `loss`, `learningRate`, `damping`, … */
  get metrics(): Metrics {
    return this.last;
  }

  /** Which curvature each parameter has. A layer that is not known has a diagonal. */
  coverage(): ReadonlyArray<CoverageRow> {
    return coverageOf(described(this.model), this.options);
  }

  /**
   * Kernels of TF.js that tangents do not pass, as far as steps have met any. While there are none, J u, of which the quadratic
   * model is made, is that of the network to 32 bits; where there is one, it is a difference of outputs.
   */
  differences(): ReadonlyArray<string> {
    return [...(this.network?.opaque ?? [])];
  }

  /** Resolves when the step that is under way has ended; rejects with what went wrong in it. */
  async settled(): Promise<void> {
    await this.pending;
    this.raiseFailure();
  }

  /**
   * Goes on with another learning rate.
   *
   * @param learningRate - above 0
   */
  setLearningRate(learningRate: number): void {
    const { optimizer, ...settings } = this.options;
    if (optimizer !== undefined) {
      raise({
        _tag: 'BadConfig',
        path: 'KFACOptimizer.setLearningRate',
        expected: 'the preset kfac; setOptimizer takes any other',
        actual: optimizer.name,
      });
    }
    this.optimizer = sound(chosen({ ...settings, learningRate }));
  }

  /**
   * Goes on with an optimizer that remembers the same, for example at another learning rate.
   *
   * @param optimizer - any optimizer of this library
   */
  setOptimizer(optimizer: GradientOptimizer): void {
    this.optimizer = sound(optimizer);
  }

  override minimize(f: () => Scalar, returnCost = false, varList?: Array<Variable>): Scalar | null {
    this.refuseHaste();
    const model = working(this.model);
    const variables = varList ?? this.model.trainableWeights.map((weight) => weight.read());
    const judged = judgedBy(this.model, model.loss);
    const network = this.tappedFor(variables, judged?.wantsLogits ?? false);
    const state = this.stateFor(network);
    const found = taken(network, model, judged, nameOf(model.loss), f, stepKey(state, 'layers'));
    this.pending = this.advance(network, state, found);
    this.incrementIterations();
    if (returnCost) return found.cost;
    found.cost.dispose();
    return null;
  }

  /** Not how this optimizer is used: gradients alone have no curvature. */
  override applyGradients(): never {
    return raise({
      _tag: 'BadConfig',
      path: 'KFACOptimizer.applyGradients',
      expected: 'minimize, fit, fitDataset or trainOnBatch, which run the network',
      actual: 'gradients alone',
    });
  }

  /** The steps taken, and the state in host memory once there is one: what `setWeights` takes. */
  override async getWeights(): Promise<Array<Named>> {
    await this.settled();
    const iterations = await this.saveIterations();
    const { parameters } = described(this.model);
    const state =
      this.state === null ? (this.restored?.state ?? null) : orRaise(await readState(this.backend, this.state)());
    return state === null ? [iterations] : [iterations, ...namedOf(state, this.restored?.parameters ?? parameters)];
  }

  /**
   * Goes on from what `getWeights` gave.
   *
   * @param weightValues - the steps taken, and the state
   */
  override async setWeights(weightValues: Array<Named>): Promise<void> {
    await this.settled();
    const others = await this.extractIterations(weightValues);
    const restored = orRaise(restoredFrom(others));
    const { parameters } = described(this.model);
    orRaise(fittingState(restored, parameters));
    this.restored = restored;
    this.state = null;
    this.standing = new Map();
  }

  /** Settings as plain data. The model is not among them: an optimizer is made for the model that it trains. */
  override getConfig(): Record<string, number | string | boolean> {
    const { seed = 1, backend = 'auto' } = this.options;
    return { name: this.optimizer.name, seed, backend, ...this.optimizer.hyperparameters };
  }

  /** Takes the taps out of the model and gives all memory back. */
  override dispose(): void {
    this.network?.untap();
    this.network = null;
    this.state = null;
    void this.backend.dispose();
    super.dispose();
  }

  /** Throws what went wrong in a step, once. */
  private raiseFailure(): void {
    const error = this.failure;
    this.failure = null;
    if (error !== null) raise(error);
  }

  /** One step at a time: the next begins from what the last one leaves. */
  private refuseHaste(): void {
    this.raiseFailure();
    if (this.pending === null) return;
    raise({
      _tag: 'BadConfig',
      path: 'KFACOptimizer.minimize',
      expected: 'a step that has ended: await optimizer.settled() after each call in a loop of your own',
      actual: 'a step that is under way',
    });
  }

  private tappedFor(variables: ReadonlyArray<Variable>, wantsLogits: boolean): Tapped {
    const { network } = this;
    const trained = network === null ? [] : variablesOf(network.parameters);
    const isSame =
      network?.isTapped() === true &&
      network.wantsLogits === wantsLogits &&
      trained.length === variables.length &&
      trained.every((variable) => variables.includes(variable));
    if (isSame) return network;
    const tapped = tappedNetwork(this.model, variables, wantsLogits, this.recorder);
    this.network = tapped;
    return tapped;
  }

  /** The state at the weights as they are now, whoever has written them. */
  private stateFor(network: Tapped): TrainState<Tensor> {
    const { ops } = this.backend;
    const before = this.state ?? this.beginning(network);
    const params = Object.fromEntries(
      network.parameters.map((parameter) => {
        const { path, variable } = parameter;
        const isAsLeft = this.standing.get(path) === variable.dataId && Object.hasOwn(before.params, path);
        return [path, isAsLeft ? before.params[path] : arrived(ops, parameter, hosted(variable))];
      }),
    );
    return { ...before, params };
  }

  private beginning(network: Tapped): TrainState<Tensor> {
    const { restored } = this;
    if (restored === null) return initialState({}, keyOf(this.options.seed ?? 1));
    const state = orRaise(
      attempt(() => placeState(this.backend.ops, orRaise(fittingState(restored, network.parameters)))),
    );
    this.restored = null;
    return state;
  }

  /** The library's part of a step: never rejects, but leaves what went wrong for whoever waits. */
  private async advance(network: Tapped, state: TrainState<Tensor>, found: Taken): Promise<void> {
    const { examples } = this.options;
    const clock = (): number => performance.now() / 1000;
    const env = { backend: this.backend, clock, ...(examples === undefined ? {} : { examples }) };
    const step = learn(found.objective, pipeline(measured(network, found.measured), this.optimizer.descent));
    const outcome = await takeStep(env, step, state, found.batch)();
    this.pending = null;
    if (E.isLeft(outcome)) {
      this.failure = outcome.left;
      this.state = null;
      return;
    }
    const { state: next, metrics } = outcome.right;
    tidy(() => {
      const changed = network.parameters.filter(({ path }) => next.params[path] !== state.params[path]);
      variablesOf(changed).forEach((variable) => variable.assign(returned(network.parameters, variable, next.params)));
    });
    this.standing = new Map(network.parameters.map(({ path, variable }) => [path, variable.dataId]));
    this.state = next;
    this.last = metrics;
  }
}
