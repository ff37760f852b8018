/**
 * The stage that a step on a network of TensorFlow.js begins with: in the place of `forward` and `backward`, what TF.js has
 * computed already.
 *
 * @module
 */
import type { Linearised } from '../../core/autodiff/reverse.ts';
import { blocksOf } from '../../core/pipeline/blocks.ts';
import { computation } from '../../core/pipeline/compute.ts';
import type { Context, Given } from '../../core/pipeline/context.ts';
import type { FromGradient } from '../../core/pipeline/descent.ts';
import { circumstancesOf } from '../../core/pipeline/forward.ts';
import { judgingOf } from '../../core/pipeline/objective.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { linearised } from './foreign.ts';
import { arrived } from './parameters.ts';
import type { Network, Seen } from './passes.ts';

/** What TF.js has computed in a step. */
export interface Measured {
  /** The whole loss, regularisers included. */
  readonly loss: number;
  /** Of a mean over examples, as TF.js has its loss; by path, in the layout of TF.js. */
  readonly gradient: Params<Tensor>;
  readonly seen: Seen;
}

type Adds = Exclude<FromGradient, Given> | 'state';

const contextOf = (
  network: Network,
  { loss, gradient, seen }: Measured,
  ops: Ops<Tensor>,
  context: Context<Tensor, Given>,
): Context<Tensor, Adds> => {
  const { state, batch, objective } = context;
  const circumstances = circumstancesOf(context);
  const at = (on: Ops<Tensor>, known?: Seen): Linearised<Tensor> =>
    linearised(network, on, state.params, circumstances, known);
  const here = at(ops, seen);
  const examples = here.outputs.shape[0];
  const judging = judgingOf(ops, objective, batch);
  const mean = ops.constant({ shape: [], dtype: 'f32', data: Float32Array.of(loss) });
  return {
    ...here,
    state,
    circumstances,
    ...judging,
    blocks: blocksOf(here.sites, Object.keys(state.params)),
    loss: mean,
    sample: { ...here, ...judging, at: circumstances, linearise: (on) => at(on) },
    gradient: Object.fromEntries(
      network.parameters.map((parameter) => [parameter.path, arrived(ops, parameter, gradient[parameter.path])]),
    ),
    // Of a mean over examples, each has a part.
    siteCotangents: seen.sites.map(({ cotangent }) => ops.scale(examples, ops.constant(cotangent))),
    metrics: { loss: mean },
  };
};

/**
 * A stage that gives what TF.js has computed. It is for host tensors.
 *
 * @param network - the network
 * @param found - what TF.js has computed
 */
export const measured = (network: Network, found: Measured): Stage<Given, Adds> =>
  computation<Given, Adds>('tensorflow', ((ops: Ops<Tensor>, context: Context<Tensor, Given>) =>
    contextOf(network, found, ops, context)) as never);
