/**
 * One layer of a recurrence in one direction of time.
 *
 * The input's weight meets the whole sequence at once, the state's weight once for every step: one site with as many uses,
 * which curvature takes for positions.
 *
 * @module
 */
import type { Ops } from '../../../ops/ops.ts';
import type { Params } from '../../../params.ts';
import { joinPath } from '../../../params.ts';
import type { Shaped } from '../../../tensor.ts';
import type { Initialiser } from '../../initialisers/initialiser.ts';
import type { Circumstances } from '../circumstances.ts';
import { dense } from '../dense.ts';
import type { Layer, ParameterSpec } from '../layer.ts';
import type { Cell, State } from './cells.ts';
import { fromSteps, stepsOf } from './steps.ts';

/** What a direction is made of. */
export interface DirectionOptions {
  readonly cell: Cell;
  readonly in: number;
  readonly features: number;
  readonly isBackward: boolean;
  /** Whether sequences have lengths of their own. */
  readonly ragged: boolean;
  readonly initialiser: Initialiser;
  readonly stateInitialiser: Initialiser;
  readonly biasInitialiser: Initialiser;
}

/** All outputs of a run through time, and where it ended. */
export interface Passage<T> {
  /** `[n, t, features]`, 0 where a sequence is over. */
  readonly outputs: T;
  /** `[n, features]`: the output at the last step of each sequence. */
  readonly last: T;
}

/** A layer in one direction. */
export interface Direction {
  readonly parameters: (path: string) => ReadonlyArray<ParameterSpec>;
  /** `isThere` has a column `[n, 1]` for every step, of 1 where a sequence goes on; `null` where all have one length. */
  readonly run: <T extends Shaped>(
    ops: Ops<T>,
    params: Params<T>,
    path: string,
    x: T,
    at: Circumstances<T>,
    isThere: ReadonlyArray<T> | null,
  ) => Passage<T>;
}

const partsOf = (options: DirectionOptions): { readonly input: Layer; readonly state: Layer } => {
  const { cell, features, initialiser, stateInitialiser, biasInitialiser, ragged } = options;
  const more = ragged ? { ragged: true as const } : {};
  const out = cell.gates * features;
  return {
    input: dense({ in: options.in, out, initialiser, biasInitialiser, ...more }),
    state: dense({ in: features, out, bias: cell.stateBias, initialiser: stateInitialiser, ...more }),
  };
};

/**
 * A layer in one direction. Path segments `input` and `state`.
 *
 * @param options - cell, extents, initial values
 */
export const direction = (options: DirectionOptions): Direction => {
  const { cell, features, isBackward } = options;
  const { input, state } = partsOf(options);
  return {
    parameters: (path) => [...input.parameters(joinPath(path, 'input')), ...state.parameters(joinPath(path, 'state'))],
    run: (ops, params, path, x, at, isThere) => {
      const [n, t] = x.shape;
      const fromInput = stepsOf(ops, input.apply(ops, params, joinPath(path, 'input'), x, at));
      const order = Array.from({ length: t }, (_, i) => (isBackward ? t - 1 - i : i));
      const nothing = ops.full([n, features], 0);
      const outputs = [...fromInput];
      let current: State<typeof x> = Array.from({ length: cell.states }, () => nothing);
      for (const i of order) {
        const before = current;
        const fromState = state.apply(ops, params, joinPath(path, 'state'), before[0], at);
        const after = cell.next(ops, fromInput[i], fromState, before);
        // Where a sequence is over its state stays, and nothing comes out.
        current = isThere === null ? after : after.map((next, k) => ops.select(isThere[i], next, before[k]));
        outputs[i] = isThere === null ? after[0] : ops.select(isThere[i], after[0], nothing);
      }
      return { outputs: fromSteps(ops, outputs), last: current[0] };
    },
  };
};
