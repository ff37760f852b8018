/**
 * Arrays that are computed when somebody looks at them.
 *
 * What a process computes for its examples part by part is a graph first: of each part, what is made of it; of what is summed over
 * examples, the sums over all parts; of these, what is made of them. Nothing of a part is in memory before a sum over all parts is wanted,
 * and nothing of it stays.
 *
 * @module
 */
import type { IORef } from 'fp-ts/lib/IORef.js';
import { newIORef } from 'fp-ts/lib/IORef.js';

import type { Backend } from '../../backends/backend.ts';
import type { Ops } from '../../ops/ops.ts';
import type { DType, Shape, Tensor } from '../../tensor.ts';

/** The scope that an array belongs to: how many there are around it, and where its memory comes from. */
export interface Home {
  readonly depth: number;
  readonly backend: Backend<Tensor>;
}

/** An operation on tensors that are there. */
export type Run = (ops: Ops<Tensor>, operands: ReadonlyArray<Tensor>) => Tensor;

interface Unmade {
  readonly home: Home;
  readonly operands: ReadonlyArray<Tensor>;
}

/** How an array comes to be. */
export type Making =
  /** It is there. */
  | { readonly kind: 'there'; readonly value: Tensor }
  /** It is made of one part of the examples, and stays if it is held. */
  | (Unmade & { readonly kind: 'part'; readonly run: Run; readonly isHeld: boolean })
  /** It is the sum of its operands, one of each part. */
  | (Unmade & { readonly kind: 'sum' })
  /** It is made of such sums. */
  | (Unmade & { readonly kind: 'after'; readonly run: Run });

/** An array that may not be there yet. */
export interface Deferred extends Tensor {
  /** Its place in the order in which such arrays were asked for. */
  readonly serial: number;
  readonly making: IORef<Making>;
}

/** Whether an array may not be there yet. */
export const isDeferred = (x: Tensor): x is Deferred => 'making' in x;

/** How an array comes to be; one that is no deferred one is there. */
export const makingOf = (x: Tensor): Making => (isDeferred(x) ? x.making.read() : { kind: 'there', value: x });

/** Whether an array has still to be computed. */
export const isUnmade = (x: Tensor): x is Deferred => makingOf(x).kind !== 'there';

/**
 * A new array that is not there yet.
 *
 * @param serial - its place in the order
 * @param shape - its shape
 * @param dtype - type of its elements
 * @param making - how it comes to be
 * @param look - computes it
 */
export const deferred = (
  serial: number,
  shape: Shape,
  dtype: DType,
  making: Making,
  look: (x: Deferred) => Tensor,
): Deferred => {
  const made: Deferred = {
    shape,
    dtype,
    serial,
    making: newIORef(making)(),
    get data() {
      return look(made).data;
    },
  };
  return made;
};

/** Arrays that are not there yet and of which these are made, these among them, in the order in which they were asked for. */
export const unmadeFor = (
  arrays: ReadonlyArray<Tensor>,
  follows: (making: Making) => boolean = () => true,
): ReadonlyArray<Deferred> => {
  const found = new Set<Deferred>();
  const waiting: Array<Tensor> = [...arrays];
  for (let x = waiting.pop(); x !== undefined; x = waiting.pop()) {
    if (!isDeferred(x) || found.has(x)) continue;
    const making = x.making.read();
    if (making.kind === 'there' || !follows(making)) continue;
    found.add(x);
    waiting.push(...making.operands);
  }
  return [...found].sort((a, b) => a.serial - b.serial);
};
