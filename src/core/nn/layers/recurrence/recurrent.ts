/**
 * Recurrent layers: stacked, in one direction or both, on sequences of one length or of several.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { Ops } from '../../../ops/ops.ts';
import { joinPath } from '../../../params.ts';
import { belowOne, extent, word } from '../../../settings.ts';
import type { Shape, Shaped } from '../../../tensor.ts';
import { generate, sameShape, showShape } from '../../../tensor.ts';
import { zeros } from '../../initialisers/constant.ts';
import type { Initialiser } from '../../initialisers/initialiser.ts';
import { orthogonal } from '../../initialisers/orthogonal.ts';
import { glorotUniform } from '../../initialisers/varianceScaling.ts';
import { arrayAt } from '../circumstances.ts';
import { dropout } from '../dropout.ts';
import type { Layer } from '../layer.ts';
import { leaf } from '../layer.ts';
import type { Cell } from './cells.ts';
import { elmanCell, gruCell, lstmCell } from './cells.ts';
import type { Direction } from './direction.ts';
import { direction } from './direction.ts';

/** What comes out of a recurrent layer. */
const results = ['sequence', 'last'] as const;

/** Settings of recurrent layers. */
export interface RecurrentOptions {
  /** Features that go in at each step. */
  readonly in: number;
  /** Features of the state; twice as many come out of both directions. */
  readonly features: number;
  /** How many layers, each on what comes out of the one before; 1 unless given. */
  readonly layers?: number;
  /** Whether a second state runs from the end to the beginning; none does unless this is `true`. */
  readonly bidirectional?: boolean;
  /**
   * Name of the batch's array `[n]` of lengths (`i32`): positions from there on are not looked at, and are 0 in what comes out.
   * All have the length of the sequence unless given.
   */
  readonly lengths?: string;
  /** What comes out: `sequence` `[n, t, …]`, which it is unless given, or the `last` output of each direction `[n, …]`. */
  readonly returns?: (typeof results)[number];
  /** Rate of dropout between layers; 0 unless given. */
  readonly dropout?: number;
  /** Of the inputs' weights; Glorot's uniform unless given. */
  readonly initialiser?: Initialiser;
  /** Of the states' weights; orthogonal unless given. */
  readonly stateInitialiser?: Initialiser;
  /** Of the biases; zeros unless given, with 1 at the forget gates of an LSTM. */
  readonly biasInitialiser?: Initialiser;
}

/** Settings of {@link rnn}. */
export interface RnnOptions extends RecurrentOptions {
  /** φ, tanh unless given. */
  readonly activation?: 'tanh' | 'relu';
}

/** A column `[n, 1]` for every step: 1 where a sequence goes on. */
const stepMasks = <T extends Shaped>(ops: Ops<T>, where: string, lengths: T, [n, t]: Shape): ReadonlyArray<T> => {
  if (!sameShape(lengths.shape, [n])) {
    raise({ _tag: 'ShapeMismatch', where, expected: `lengths ${showShape([n])}`, actual: showShape(lengths.shape) });
  }
  const column = ops.reshape(lengths, [n, 1]);
  return Array.from({ length: t }, (_, step) => ops.greater(column, ops.full([], step)));
};

const recurrent = (kind: string, cell: Cell, options: RecurrentOptions, standardBias: Initialiser): Layer => {
  const features = extent(`${kind}.features`, options.features);
  const fanIn = extent(`${kind}.in`, options.in);
  const count = extent(`${kind}.layers`, options.layers ?? 1);
  const { bidirectional = false, lengths, returns = 'sequence' } = options;
  word(`${kind}.returns`, results, returns);
  const dropped = dropout(belowOne(`${kind}.dropout`, options.dropout ?? 0));
  const names = bidirectional ? ['forward', 'backward'] : ['forward'];
  const layers = Array.from({ length: count }, (_, layer) =>
    names.map((name): readonly [string, Direction] => [
      `${layer}.${name}`,
      direction({
        cell,
        features,
        in: layer === 0 ? fanIn : names.length * features,
        isBackward: name === 'backward',
        ragged: lengths !== undefined,
        initialiser: options.initialiser ?? glorotUniform,
        stateInitialiser: options.stateInitialiser ?? orthogonal(),
        biasInitialiser: options.biasInitialiser ?? standardBias,
      }),
    ]),
  );
  return leaf({
    kind,
    ...(lengths === undefined ? {} : { lengths }),
    label: `${bidirectional ? 'bidirectional ' : ''}${kind} ${fanIn} → ${features}${count === 1 ? '' : `, ${count} layers`}`,
    parameters: (path) => layers.flat().flatMap(([name, each]) => each.parameters(joinPath(path, name))),
    apply: (ops, params, path, x, at) => {
      const where = `${kind}${path === '' ? '' : ` at ${path}`}`;
      if (x.shape.length !== 3 || x.shape[2] !== fanIn || x.shape[1] < 1) {
        return raise({
          _tag: 'ShapeMismatch',
          where,
          expected: `an input [n, positions, ${fanIn}] of at least one position`,
          actual: showShape(x.shape),
        });
      }
      const isThere = lengths === undefined ? null : stepMasks(ops, where, arrayAt(at.arrays, lengths, where), x.shape);
      let [outputs, last] = [x, x];
      layers.forEach((directions, layer) => {
        const given =
          layer === 0 ? outputs : dropped.apply(ops, params, joinPath(path, `${layer}.dropout`), outputs, at);
        const passages = directions.map(([name, each]) =>
          each.run(ops, params, joinPath(path, name), given, at, isThere),
        );
        const joined = (parts: ReadonlyArray<typeof x>, axis: number): typeof x =>
          parts.length === 1 ? parts[0] : ops.concat(parts, axis);
        outputs = joined(
          passages.map((passage) => passage.outputs),
          2,
        );
        last = joined(
          passages.map((passage) => passage.last),
          1,
        );
      });
      return returns === 'last' ? last : outputs;
    },
  });
};

/**
 * A recurrent layer, h ← φ(W x + b + U h) at every step [E90], on x `[n, t, in]`. Parameters of layer l in a direction d:
 * `l.d.input.weight` `[features, in]` and `l.d.input.bias`, `l.d.state.weight` `[features, features]`.
 *
 * @param options - extents, layers, directions, lengths
 * @example
 * ```ts
 * import { evaluating, referenceBackend, rnn, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * // Running sums of what is positive.
 * const sums = rnn({ in: 1, features: 1, activation: 'relu' });
 * const one = tensor([1], [1, 1]);
 * const params = { '0.forward.input.weight': one, '0.forward.input.bias': tensor([0], [1]), '0.forward.state.weight': one };
 * sums.apply(ops, params, '', tensor([1, 2, 3], [1, 3, 1]), evaluating({})).data; // => [1, 3, 6]
 * ```
 */
export const rnn = (options: RnnOptions): Layer =>
  recurrent('rnn', elmanCell(word('rnn.activation', ['tanh', 'relu'], options.activation ?? 'tanh')), options, zeros);

/**
 * A gated recurrent unit [C14], on x `[n, t, in]`. Parameters as those of {@link rnn}, with the rows of the gates r, z and m one
 * after another and a bias of the state as well, since the reset gate multiplies it.
 *
 * @param options - extents, layers, directions, lengths
 * @example
 * ```ts
 * import { gru } from 'kfac-ts/core';
 *
 * const layer = gru({ in: 3, features: 4 });
 * layer.parameters('r').map(({ shape }) => shape); // => [[12, 3], [12], [12, 4], [12]]
 * ```
 */
export const gru = (options: RecurrentOptions): Layer => recurrent('gru', gruCell, options, zeros);

/** Zeros, and 1 at the forget gate, the second of four [GSC00]. */
const remembering: Initialiser = (_key, shape, dtype) => {
  const features = shape[0] / 4;
  return generate(shape, (i) => (Math.floor(i / features) === 1 ? 1 : 0), dtype);
};

/**
 * Long short-term memory [HS97, GSC00], on x `[n, t, in]`. Parameters as those of {@link rnn}, with the rows of the gates i, f,
 * g and o one after another.
 *
 * @param options - extents, layers, directions, lengths
 * @example
 * ```ts
 * import { dense, embedding, lstm, model, sequential } from 'kfac-ts/core';
 *
 * // Sentences of up to 20 words to one of 3 classes.
 * const layers = sequential({
 *   words: embedding({ vocabulary: 100, out: 16 }),
 *   reading: lstm({ in: 16, features: 32, bidirectional: true, lengths: 'lengths', returns: 'last' }),
 *   head: dense({ in: 64, out: 3 }),
 * });
 * model('sentences', { words: [20], lengths: [] }, layers).inputs; // => { words: [20], lengths: [] }
 * ```
 */
export const lstm = (options: RecurrentOptions): Layer => recurrent('lstm', lstmCell, options, remembering);
