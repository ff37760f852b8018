/**
 * Forward mode for TensorFlow.js: while a function runs, each kernel's outputs are given the tangents that its rule makes of those
 * of its inputs. All operations of TF.js run their kernels through one method of its engine, in whose place another stands then.
 *
 * J is that of what runs, also where a function has been given a gradient of its own.
 *
 * @module
 */
import type { NamedAttrMap, NamedTensorMap, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { engine, keep, tidy } from '@tensorflow/tfjs-core';

import type { Moved, Ran } from './jvpRules.ts';
import { tangentsOf } from './jvpRules.ts';

/** A function's value, and which way it moves. */
export interface Followed {
  /** `null` where it does not move. */
  readonly tangent: TfTensor | null;
  /** The kernel whose rule is not known, where one stood in the way: then there is no tangent. */
  readonly opaque: string | null;
}

/** Gives back what TF.js keeps of a gradient that could not be had. */
const forgotten = (): void => {
  const { state } = engine();
  state.activeTape.forEach(({ saved }) => saved?.forEach((kept) => kept.dispose()));
  state.activeTape = [];
};

/** The tangents of a kernel's outputs; `null` where there is no rule, or where TF.js has no gradient that it would need. */
const ruled = (ran: Ran, moved: Moved): ReadonlyArray<TfTensor> | null => {
  try {
    const found: Array<TfTensor> = [];
    tidy(() => {
      found.push(...(tangentsOf(ran, moved) ?? []).map(keep));
    });
    return found.length === 0 ? null : found;
  } catch {
    forgotten();
    return null;
  }
};

/**
 * Runs a function, and follows tangents through it.
 *
 * @param seeds - tangents by the tensor that moves
 * @param run - gives a tensor
 */
export const followed = (seeds: ReadonlyArray<readonly [TfTensor, TfTensor]>, run: () => TfTensor): Followed => {
  const tangents = new Map(seeds.map(([{ id }, tangent]) => [id, tangent]));
  const kept: Array<TfTensor> = [];
  const state: { opaque: string | null; ruling: boolean } = { opaque: null, ruling: false };
  const runner = engine();
  const plain = runner.runKernel.bind(runner);

  const follow = (ran: Ran): void => {
    const moved: Moved = new Map(
      Object.entries(ran.inputs as Readonly<Record<string, TfTensor | undefined>>).flatMap(([name, input]) => {
        const tangent = input === undefined ? undefined : tangents.get(input.id);
        return tangent === undefined ? [] : [[name, tangent] as const];
      }),
    );
    if (moved.size === 0 || ran.outputs.every(({ dtype }) => dtype !== 'float32')) return;
    state.ruling = true;
    const found = ruled(ran, moved);
    state.ruling = false;
    if (found === null) state.opaque = ran.name;
    else found.forEach((tangent, i) => tangents.set(ran.outputs[i].id, tangent));
    kept.push(...(found ?? []));
  };

  runner.runKernel = <T extends TfTensor | Array<TfTensor>>(
    name: string,
    inputs: NamedTensorMap,
    attrs?: NamedAttrMap,
  ): T => {
    const result = plain<T>(name, inputs, attrs);
    const outputs: ReadonlyArray<TfTensor> = Array.isArray(result) ? result : [result];
    if (!state.ruling && state.opaque === null) follow({ name, inputs, attrs: attrs ?? {}, outputs });
    return result;
  };
  // A gradient of one's own says nothing of tangents: they pass what runs.
  runner.customGrad =
    (work) =>
    (...inputs) =>
      tidy(() => work(...inputs, () => undefined).value);
  try {
    const output = run();
    const tangent = tangents.get(output.id);
    return state.opaque !== null || tangent === undefined
      ? { tangent: null, opaque: state.opaque }
      : { tangent: tangent.clone(), opaque: null };
  } finally {
    delete (runner as Partial<typeof runner>).runKernel;
    delete (runner as Partial<typeof runner>).customGrad;
    kept.forEach((tangent) => tangent.dispose());
  }
};
