/**
 * A network of TensorFlow.js as a model of this library: its values and its linearisation are passes through the network, so
 * that every stage after the gradient works with it.
 *
 * J u follows tangents through the kernels that run. Where one of them has no rule for tangents, it is a difference of outputs on
 * both sides of the weights, which in 32 bits is right to about four digits.
 *
 * @module
 */
import type { Linearised } from '../../core/autodiff/reverse.ts';
import { raise } from '../../core/errors.ts';
import type { Circumstances } from '../../core/nn/layers/circumstances.ts';
import { leaf } from '../../core/nn/layers/layer.ts';
import type { Model } from '../../core/nn/model.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { narrowSite } from '../../core/ops/site.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Objective } from '../../core/pipeline/objective.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { arrived } from './parameters.ts';
import type { Network, Seen } from './passes.ts';
import { movedAt, outputsAt, penaltyAt, pulledBack, seenAt, tidily } from './passes.ts';

/** How far weights are moved for a difference, as a part of their length: less, and rounding shows; more, and kinks do. */
const reach = 3e-4;

const lengthOf = (ops: Ops<Tensor>, params: Params<Tensor>): number =>
  Math.sqrt(innerProduct(ops, params, params).data[0]);

/** J u by a central difference. */
const difference = (
  ops: Ops<Tensor>,
  network: Network,
  params: Params<Tensor>,
  at: Circumstances<Tensor>,
  tangents: Params<Tensor>,
  like: Tensor,
): Tensor => {
  const length = lengthOf(ops, tangents);
  if (length === 0) return ops.full(like.shape, 0);
  const step = (reach * Math.max(lengthOf(ops, params), 1e-3)) / length;
  const moved = (by: number): Tensor =>
    ops.constant(
      outputsAt(
        network,
        mapParams(params, (w, path) =>
          Object.hasOwn(tangents, path) ? ops.linearCombination(1, w, by, tangents[path]) : w,
        ),
        at,
      ),
    );
  return ops.scale(1 / (2 * step), ops.sub(moved(step), moved(-step)));
};

/** J u as tangents have it, and by a difference where they do not pass. */
const pushed: typeof difference = (ops, network, params, at, tangents, like) => {
  const moved = network.opaque.size === 0 ? movedAt(network, params, at, tangents, like.shape) : null;
  return moved === null ? difference(ops, network, params, at, tangents, like) : ops.constant(moved);
};

/** The same linearisation in some parameters alone. */
const narrowed = (whole: Linearised<Tensor>, has: (path: string) => boolean): Linearised<Tensor> => {
  const kept = whole.sites.flatMap(({ site, ...seen }, i) => {
    const narrow = narrowSite(site, has);
    return narrow === null ? [] : [{ i, passed: { ...seen, site: narrow } }];
  });
  const some = (cotangents: ReadonlyArray<Tensor>): ReadonlyArray<Tensor> => kept.map(({ i }) => cotangents[i]);
  const within = <A>(given: Params<A>): Params<A> =>
    Object.fromEntries(Object.entries(given).filter(([path]) => has(path)));
  return {
    ...whole,
    sites: kept.map(({ passed }) => passed),
    pullback: (cotangent, on) => {
      const { params, sites } = whole.pullback(cotangent, on);
      return { params: within(params), sites: some(sites) };
    },
    sitePullback: (cotangent) => some(whole.sitePullback(cotangent)),
    pushforward: (tangents, on) => whole.pushforward(within(tangents), on),
    narrow: (also) => narrowed(whole, (path) => has(path) && also(path)),
  };
};

/**
 * The linearisation of a network.
 *
 * @param network - the network
 * @param ops - interpreter of host tensors
 * @param params - the weights
 * @param at - batch and key
 * @param known - what a pass there gave, where there was one
 */
export const linearised = (
  network: Network,
  ops: Ops<Tensor>,
  params: Params<Tensor>,
  at: Circumstances<Tensor>,
  known: Seen = seenAt(network, params, at),
): Linearised<Tensor> => {
  const outputs = ops.constant(known.outputs);
  const pull = (
    cotangent: Tensor,
    paths: ReadonlyArray<string>,
    on = ops,
  ): { readonly params: Params<Tensor>; readonly sites: ReadonlyArray<Tensor> } => {
    const found = pulledBack(network, params, at, cotangent, paths);
    return {
      params: Object.fromEntries(
        network.parameters.flatMap((parameter) => {
          const values = found.params.get(parameter.path);
          return values === undefined ? [] : [[parameter.path, arrived(on, parameter, values)] as const];
        }),
      ),
      sites: found.sites.map((cotangents) => on.constant(cotangents)),
    };
  };
  const whole: Linearised<Tensor> = {
    outputs,
    sites: known.sites.map(({ sited, input }) => ({ site: sited.siteOf(input.shape), input: ops.constant(input) })),
    kept: {},
    pullback: (cotangent, on) => pull(cotangent, Object.keys(params), on),
    sitePullback: (cotangent) => pull(cotangent, []).sites,
    parameterPullback: (paths) => (cotangent) => pull(cotangent, paths).params,
    pushforward: (tangents, on = ops) => pushed(on, network, params, at, tangents, outputs),
    narrow: (has) => narrowed(whole, has),
  };
  return whole;
};

const hasData = (x: Shaped): boolean => 'data' in x;

/** What works with host tensors, for any arrays that turn out to be some. */
const onHost = <A, B>(work: (ops: Ops<Tensor>, params: Params<Tensor>, at: Circumstances<Tensor>) => A): B =>
  ((ops: Ops<Tensor>, params: Params<Tensor>, at: Circumstances<Tensor>): A =>
    Object.values(at.arrays).every(hasData)
      ? work(ops, params, at)
      : raise({
          _tag: 'BackendUnavailable',
          backend: 'this one',
          reason: 'a network of TensorFlow.js is asked for its values, which are in the memory of the processor',
          advice: 'Use native, portable or reference.',
        })) as unknown as B;

/**
 * What its regularisers add to the loss, as a program; absent where there are none.
 *
 * @param network - the network
 */
export const penaltyOf = (network: Network): Pick<Objective, 'penalty'> =>
  tidily(() => network.penalties().length) === 0
    ? {}
    : { penalty: onHost((ops, params) => ops.full([], penaltyAt(network, params))) };

/**
 * A network as a model.
 *
 * @param name - for reports
 * @param network - the network
 */
export const foreignModel = (name: string, network: Network): Model => ({
  name,
  inputs: Object.fromEntries(network.inputs.map((input) => [input, []])),
  layer: leaf({
    kind: 'tensorflow',
    label: name,
    parameters: () => [], // they are the network's to make
    apply: () =>
      raise({ _tag: 'BadConfig', path: name, expected: 'a network that is a whole', actual: 'a part of another one' }),
  }),
  program: onHost((ops, params, at) => ops.constant(outputsAt(network, params, at))),
  linearise: onHost((ops, params, at) => linearised(network, ops, params, at)),
});
