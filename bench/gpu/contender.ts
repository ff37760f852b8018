/**
 * What the benchmark of products compares: each contender multiplies matrices and runs the stage of a small network.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

/** A product `op(A) op(B)`, all row-major. */
export interface ProductCase {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** A network with one hidden layer of relu units and softmax cross-entropy, and a batch for it. */
export interface StageCase {
  readonly batch: number;
  readonly widths: readonly [number, number, number];
  readonly x: Float32Array;
  /** One-hot, shape [batch, widths[2]]. */
  readonly y: Float32Array;
  /** Shapes [widths[1], widths[0]] and [widths[2], widths[1]]. */
  readonly weights: readonly [Float32Array, Float32Array];
}

/** Runs once; what it returns is only looked at to see that it is right. */
export type Work = () => Float32Array;

/** Something that is measured. */
export interface Contender {
  readonly name: string;
  /** Whether it is somebody else's. */
  readonly isLibrary?: boolean;
  /** Several ways to a product, of which the fastest counts. */
  readonly product: (a: Float32Array, b: Float32Array, shape: ProductCase) => ReadonlyArray<Work>;
  /** XᵀX for X [rows, columns]. */
  readonly gram: (x: Float32Array, rows: number, columns: number) => ReadonlyArray<Work>;
  /** Loss and gradients of all parameters; returns the mean loss. */
  readonly stage: (stage: StageCase) => Work;
}

/** A contender, or why it cannot run here. */
export type Entry = E.Either<{ readonly name: string; readonly reason: string }, Contender>;

/** Opens a contender; an exception on the way is the reason why it cannot run. */
export const entry = async (name: string, open: () => Promise<Contender>): Promise<Entry> => {
  try {
    return E.right(await open());
  } catch (error) {
    return E.left({ name, reason: error instanceof Error ? error.message.split('\n')[0] : String(error) });
  }
};
