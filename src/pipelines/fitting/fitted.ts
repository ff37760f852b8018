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
import type { Dataset } from '../data/dataset.ts';
import { datasetOf } from '../data/dataset.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { encodeSafetensors } from '../safetensors/encode.ts';
import type { Measure } from '../tasks/measures.ts';
import type { Task } from '../tasks/task.ts';
import { outputsOf, supervised } from '../tasks/supervised.ts';
import type { Evaluation } from '../trainer/evaluate.ts';
import { evaluate } from '../trainer/evaluate.ts';
import { predict } from '../trainer/predict.ts';
import type { Numbers } from './numbers.ts';
import { arrayOf, targetsOf } from './numbers.ts';

/** Examples: what goes into a network and what should come out, one row for each example; or a data set. */
export type Given = Dataset | { readonly inputs: Numbers; readonly targets: Numbers };

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
  /** Outputs for some examples: the network's own, before a loss makes probabilities of them. */
  readonly predict: (inputs: Numbers) => Promise<Tensor>;
  /** Loss and measures, means over the examples. */
  readonly evaluate: (data: Given) => Promise<Evaluation>;
  /** Writes parameters and running state as safetensors, whole or not at all. */
  readonly save: (path: string, files: FileSystem) => Promise<void>;
}

/** Names of running state in a file. */
const kept = 'running/';

/**
 * Parameters and running state of what {@link Network.save} wrote.
 *
 * @param arrays - of the file
 */
export const partsOf = (arrays: Params<Tensor>): Pick<Network, 'params' | 'running'> => {
  const { left: params, right: running } = pipe(
    arrays,
    R.partitionWithIndex((name) => name.startsWith(kept)),
  );
  return {
    params,
    running: Object.fromEntries(Object.entries(running).map(([name, x]) => [name.slice(kept.length), x])),
  };
};

const isDataset = (data: Given): data is Dataset => 'batch' in data;

/**
 * What is learned by a network of some layers, from examples of a shape.
 *
 * @param layer - the network
 * @param inputs - shape of an example's inputs
 * @param judged - loss and measures
 */
export const learningOf = (layer: Layer, inputs: Shape, { loss, measures }: Judged): Task =>
  supervised({ name: 'network', model: model('network', inputs, layer), loss, ...(measures && { measures }) });

/**
 * Examples as a data set.
 *
 * @param layer - the network that they are for
 * @param data - examples
 * @param judged - the loss that decides what targets are
 */
export const datasetFor = (layer: Layer, data: Given, { loss }: Judged): E.Either<KfacError, Dataset> =>
  isDataset(data)
    ? E.right(data)
    : pipe(
        arrayOf('inputs', data.inputs),
        E.bindTo('inputs'),
        E.bind('targets', ({ inputs: { shape } }) => {
          const outputs = outputsOf(model('network', shape.slice(1), layer), shape[0]);
          return targetsOf(data.targets, loss, outputs ?? [shape[0]]);
        }),
        E.chain(({ inputs, targets }) => datasetOf('examples', inputs, targets)),
      );

/** What a promise gives, or rejects with. */
export const promised = async <A>(task: TE.TaskEither<KfacError, A>): Promise<A> => orRaise(await task());

/**
 * A network of parameters that there are.
 *
 * @param layer - the network
 * @param inputs - shape of an example's inputs
 * @param judged - loss, measures, backend
 * @param standing - parameters and running state
 */
export const networkOf = (
  layer: Layer,
  inputs: Shape,
  judged: Judged,
  { params, running }: Pick<Network, 'params' | 'running'>,
): Network => {
  const { backend = {} } = judged;
  const task = learningOf(layer, inputs, judged);
  return {
    params,
    running,
    predict: (given) =>
      promised(
        pipe(
          TE.fromEither(arrayOf('inputs', given)),
          TE.chain((x) => withBackend(backend, (on) => predict(on, task.networks[0], params, x, { running }))),
        ),
      ),
    evaluate: (data) =>
      promised(
        pipe(
          TE.fromEither(datasetFor(layer, data, judged)),
          TE.chain((examples) => withBackend(backend, (on) => evaluate(on, task, params, examples, { running }))),
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
              }),
            ),
          ),
          TE.chain((bytes) => files.write(path, bytes)),
        ),
      ),
  };
};
