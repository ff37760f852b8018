/**
 * What a recurrent layer does at one step of time.
 *
 * Each cell takes what its two dense layers make of the input and of the state before, with rows for its gates in the order
 * of PyTorch, and gives the next state, whose first array is what comes out.
 *
 * @module
 */
import type { Ops } from '../../../ops/ops.ts';
import type { Shaped } from '../../../tensor.ts';

/** Arrays `[n, features]` that go from step to step; the first is the output. */
export type State<T> = ReadonlyArray<T>;

/** One kind of recurrence. */
export interface Cell {
  /** Runs of `features` rows in both weights. */
  readonly gates: number;
  /** Arrays of the state. */
  readonly states: number;
  /** Whether the dense layer of the state has a bias of its own: where it would not add to that of the input. */
  readonly stateBias: boolean;
  /**
   * The next state.
   *
   * @param ops - interpreter
   * @param fromInput - W x + b, `[n, gates · features]`
   * @param fromState - U h (+ b), of the same shape
   * @param state - the state before
   */
  readonly next: <T extends Shaped>(ops: Ops<T>, fromInput: T, fromState: T, state: State<T>) => State<T>;
}

/** Gate k of several that stand side by side. */
const gateOf = <T extends Shaped>(ops: Ops<T>, x: T, k: number, gates: number): T => {
  const [n, columns] = x.shape;
  const features = columns / gates;
  return ops.slice(x, [0, k * features], [n, features]);
};

/** h = φ(W x + b + U h) [E90]. */
export const elmanCell = (kind: 'tanh' | 'relu'): Cell => ({
  gates: 1,
  states: 1,
  stateBias: false,
  next: (ops, fromInput, fromState) => [ops[kind](ops.add(fromInput, fromState))],
});

/**
 * r and z are sigmoids of sums, m = tanh(W x + b + r ⊙ (U h + b)), h = (1 − z) ⊙ m + z ⊙ h [C14]; the reset gate acts on the
 * product with the state, as in cuDNN and PyTorch.
 */
export const gruCell: Cell = {
  gates: 3,
  states: 1,
  stateBias: true,
  next: (ops, fromInput, fromState, [h]) => {
    const both = (k: number): typeof h =>
      ops.sigmoid(ops.add(gateOf(ops, fromInput, k, 3), gateOf(ops, fromState, k, 3)));
    const [reset, keep] = [both(0), both(1)];
    const m = ops.tanh(ops.add(gateOf(ops, fromInput, 2, 3), ops.mul(reset, gateOf(ops, fromState, 2, 3))));
    return [ops.add(m, ops.mul(keep, ops.sub(h, m)))];
  },
};

/** c = f ⊙ c + i ⊙ g and h = o ⊙ tanh(c), for the gates i, f, g (a tanh) and o [HS97, GSC00]. */
export const lstmCell: Cell = {
  gates: 4,
  states: 2,
  stateBias: false,
  next: (ops, fromInput, fromState, [, c]) => {
    const sum = ops.add(fromInput, fromState);
    const [i, f, g, o] = [0, 1, 2, 3].map((k) => gateOf(ops, sum, k, 4));
    const memory = ops.add(ops.mul(ops.sigmoid(f), c), ops.mul(ops.sigmoid(i), ops.tanh(g)));
    return [ops.mul(ops.sigmoid(o), ops.tanh(memory)), memory];
  },
};
