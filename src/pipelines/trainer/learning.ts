/**
 * What the trainer knows of a task: where it begins, how it takes a step, how what came of it is judged.
 *
 * Nothing here says how many networks there are, what their losses are or what examples look like: a supervised network, a
 * game and a model that generates are trained, judged and compared by the same code.
 *
 * @module
 */
import { demandsOfModel } from '../../core/nn/demands.ts';
import type { Model } from '../../core/nn/model.ts';
import { initialParams } from '../../core/nn/model.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Key } from '../../core/random/key.ts';
import { split } from '../../core/random/split.ts';
import type { FloatType } from '../../core/random/uniform.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Dataset, Splits } from '../data/dataset.ts';
import type { Demand } from '../data/examples.ts';

/** What a task begins with, in host memory. */
export interface Initial {
  /** Parameters that are trained. */
  readonly params: Params<Tensor>;
  /** Parameters that are held fixed. */
  readonly held?: Params<Tensor>;
  /** State of layers that is carried along and not trained, by path. */
  readonly running?: Params<Tensor>;
}

/** Where training stands: everything that a model's outputs depend on, besides the examples. */
export type Standing<T> = Pick<TrainState<T>, 'params' | 'held' | 'running'>;

/** A step of a task, whose objectives are its own. */
export type TaskStep = Stage<'state' | 'batch', 'next' | 'metrics'>;

/** A sum over a batch, shape `[]`, and what it is divided by for a mean: the sum of the weights, a number where all weigh 1. */
export interface Weighed<T> {
  readonly sum: T;
  readonly weight: T | number;
}

/**
 * Numbers that say how good a model is on a batch, by name. Sums with their weights, so that the mean over a data set does
 * not depend on how it is cut into batches.
 */
export type Judge = <T extends Shaped>(
  ops: Ops<T>,
  standing: Standing<T>,
  batch: Batch<T>,
) => Readonly<Record<string, Weighed<T>>>;

/** The number that is watched: smaller is better. */
export interface Watched {
  /** Its name among those that are judged. */
  readonly name: string;
  /** Its name among the metrics of a step, `loss` unless given. */
  readonly metric?: string;
  /** What it is, with its unit, for the axes of figures. */
  readonly label: string;
}

/** Something that can be learned. */
export interface Learning {
  readonly name: string;
  /** The networks, for summaries and for checks of examples; those that share a path share a parameter. */
  readonly networks: ReadonlyArray<Model>;
  /** What training begins with. */
  readonly initial: (key: Key, dtype: FloatType) => Initial;
  /** A step with an optimizer. A game may put it into a part of its step, or leave it out. */
  readonly step: (optimizer: Optimizer) => TaskStep;
  readonly judge: Judge;
  /** Numbers that follow from means over a data set, and are no means themselves: a perplexity, for example. */
  readonly derived?: (means: Metrics) => Metrics;
  readonly loss: Watched;
  /**
   * Training examples that are judged when training has ended, the first ones; all unless given. A task whose judgement hardly
   * depends on which examples it sees says how many are enough.
   */
  readonly judged?: number;
  /** What the arrays of examples may hold, besides indices of the networks' tables and finite numbers. */
  readonly demands?: ReadonlyArray<Demand>;
}

/** Something that can be learned, from these examples. */
export interface TrainTask extends Learning {
  readonly data: Splits;
}

/** Parameters of several networks: at each path one, drawn by the first network that has it. */
export const initialOf =
  (networks: ReadonlyArray<Model>): Learning['initial'] =>
  (key, dtype) => {
    const [first, ...others] = networks;
    if (others.length === 0) return { params: initialParams(first, key, dtype) };
    const keys = split(key, networks.length);
    return {
      params: networks.reduceRight(
        (params, network, i) => ({ ...params, ...initialParams(network, keys[i], dtype) }),
        {},
      ),
    };
  };

/** What the arrays of examples may hold: indices of rows that the networks' tables have, lengths of sequences, and what the task demands. */
export const demandsOf = ({
  networks,
  demands = [],
}: Pick<Learning, 'networks' | 'demands'>): ReadonlyArray<Demand> => [...networks.flatMap(demandsOfModel), ...demands];

/**
 * Training examples that are judged when training has ended: the first ones.
 *
 * @param learning - that may say how many are enough
 * @param train - the training examples
 */
export const judgedOf = ({ judged }: Pick<Learning, 'judged'>, train: Pick<Dataset, 'size'>): number =>
  Math.min(train.size, judged ?? train.size);

/** Name of the watched number among a step's metrics. */
export const metricOf = ({ metric = 'loss' }: Watched): string => metric;
