/**
 * A network with parameters, for those who want answers: promises in place of tasks, lists in place of arrays.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendOptions } from '../../core/backends/choice/choose.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt, orRaise } from '../../core/errors.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import { model } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { dataset } from '../data/dataset.ts';
import type { Standardisations } from '../data/standardisation.ts';
import { standardisedBy, unstandardise } from '../data/standardisation.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { encodeSafetensors } from '../safetensors/encode.ts';
import type { Measure } from '../tasks/measures.ts';
import type { Task } from '../tasks/task.ts';
import { supervised } from '../tasks/supervised.ts';
import type { Evaluation } from '../trainer/evaluate.ts';
import { evaluate } from '../trainer/evaluate.ts';
import { predict } from '../trainer/predict.ts';
import type { Given } from './given.ts';
import { datasetFor } from './given.ts';
import type { Numbers } from './numbers.ts';
import { filled, inputRows } from './numbers.ts';
import { decodeUnits, encodeUnits, inUnits, isOfUnits } from './units.ts';

/** What a network is judged by, and where. */
export interface Judged {
  readonly loss: Loss;
  /** Numbers besides the loss, by name: `{ accuracy }`. */
  readonly measures?: Readonly<Record<string, Measure>>;
  /** Where to compute: what is fastest here unless given. */
  readonly backend?: BackendOptions;
}

/** A network with its parameters. A value: nothing changes it, and whatever fails is a promise that rejects with a sentence. */
export interface Network {
  readonly params: Params<Tensor>;
  /** State of layers that is not trained, as averages of batch norm. */
  readonly running: Params<Tensor>;
  /** What inputs and targets are measured by; nothing where it learned from them as they are. */
  readonly standardisation: Standardisations;
  /**
   * Outputs for some examples: the network's own, before a loss makes probabilities of them; in the units of the targets where
   * these were standardised.
   */
  readonly predict: (inputs: Numbers) => Promise<Tensor>;
  /**
   * Loss and measures, means over the examples: the loss that it learned by, of targets in standard deviations where they
   * are standardised, and measures in the units of the targets.
   */
  readonly evaluate: (data: Given) => Promise<Evaluation>;
  /** Writes parameters, running state and what it standardises by as safetensors, whole or not at all. */
  readonly save: (path: string, files: FileSystem) => Promise<void>;
}

/** Names of running state in a file. */
const kept = 'running/';

/** What a network is besides its layers. */
export type Parts = Pick<Network, 'params' | 'running' | 'standardisation'>;

/**
 * Parameters, running state and units of what {@link Network.save} wrote.
 *
 * @param source - the file, for errors
 * @param arrays - of the file
 */
export const partsOf = (source: string, arrays: Params<Tensor>): E.Either<KfacError, Parts> => {
  const { left: learned, right: units } = pipe(arrays, R.partitionWithIndex(isOfUnits));
  const { left: params, right: running } = pipe(
    learned,
    R.partitionWithIndex((name) => name.startsWith(kept)),
  );
  return pipe(
    decodeUnits(source, units),
    E.map((standardisation) => ({
      params,
      running: Object.fromEntries(Object.entries(running).map(([name, x]) => [name.slice(kept.length), x])),
      standardisation,
    })),
  );
};

/**
 * What is learned by a network of some layers, from examples of a shape.
 *
 * @param layer - the network
 * @param inputs - shape of an example's inputs
 * @param judged - loss and measures
 * @param units - what targets are measured by, if they are
 */
export const learningOf = (
  layer: Layer,
  inputs: Shape,
  { loss, measures = {} }: Judged,
  { targets }: Standardisations,
): Task =>
  supervised({
    name: 'network',
    model: model('network', inputs, layer),
    loss,
    measures: targets === undefined ? measures : pipe(measures, R.map(inUnits(targets))),
  });

/** What a promise gives, or rejects with. */
export const promised = async <A>(task: TE.TaskEither<KfacError, A>): Promise<A> => orRaise(await task());

/**
 * A network of parameters that there are.
 *
 * @param layer - the network
 * @param inputs - shape of an example's inputs
 * @param judged - loss, measures, backend
 * @param parts - parameters, running state, units
 */
export const networkOf = (layer: Layer, inputs: Shape, judged: Judged, parts: Parts): Network => {
  const { backend = {} } = judged;
  const { params, running, standardisation } = parts;
  const task = learningOf(layer, inputs, judged, standardisation);
  const [network] = task.networks;
  const { inputs: ofInputs, targets: ofTargets } = standardisation;
  return {
    params,
    running,
    standardisation,
    predict: (given) =>
      promised(
        pipe(
          filled('inputs', given),
          E.chain((x) => dataset('inputs', { inputs: inputRows(x, network) })),
          E.chain((data) => standardisedBy(data, ofInputs === undefined ? {} : { inputs: ofInputs })),
          TE.fromEither,
          TE.chain((data) => withBackend(backend, (on) => predict(on, network, params, data, { running }))),
          TE.chainEitherK((outputs) =>
            ofTargets === undefined ? E.right(outputs) : unstandardise(outputs, ofTargets),
          ),
        ),
      ),
    evaluate: (given) =>
      promised(
        pipe(
          datasetFor(layer, judged.loss, given),
          TE.chainEitherK((data) => standardisedBy(data, standardisation)),
          TE.chain((data) => withBackend(backend, (on) => evaluate(on, task, params, data, { running }))),
        ),
      ),
    save: (path, files) =>
      promised(
        pipe(
          TE.fromEither(
            attempt(() =>
              encodeSafetensors({
                ...params,
                ...Object.fromEntries(Object.entries(running).map(([name, x]) => [`${kept}${name}`, x])),
                ...encodeUnits(standardisation),
              }),
            ),
          ),
          TE.chain((bytes) => files.write(path, bytes)),
        ),
      ),
  };
};
