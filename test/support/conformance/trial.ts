/**
 * One comparison of an interpreter with the reference.
 *
 * The error that is allowed is stated per element as a multiple of the interpreter's epsilon: for a sum of k terms,
 * k + 1 times the sum of their magnitudes. The terms are computed by the reference, so that the bound follows the data
 * instead of a tolerance that was found by trying.
 *
 * @module
 */
import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { DType, ReadonlyVector, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { cast, sameShape, showShape, tensor } from '../../../src/core/tensor.ts';
import { orThrow } from '../training.ts';

/** The interpreter that everything is compared with. */
export const reference: Ops<Tensor> = referenceBackend().ops;

/** What an interpreter may differ by. */
export interface Tolerance {
  /** Distance from 1 to the next number. */
  readonly epsilon: number;
  /** Error of exp, log, sqrt, tanh, sigmoid, softplus, erf and a quotient, in epsilons of the value. */
  readonly elementary: number;
}

/** Epsilons by precision. */
export const epsilonOf: Readonly<Record<'f32' | 'f64', number>> = { f32: 2 ** -23, f64: 2 ** -52 };

/** Below this, numbers of a precision lose digits or are flushed to 0. */
export const smallestNormal: Readonly<Record<'f32' | 'f64', number>> = { f32: 2 ** -126, f64: 2 ** -1022 };

/** A program with operands drawn for it. */
export interface Trial {
  /** Shown in a counterexample. */
  readonly label: string;
  readonly operands: ReadonlyArray<Tensor>;
  readonly run: <T extends Shaped>(ops: Ops<T>, operands: ReadonlyArray<T>) => T;
  /** Error in epsilons for every element of the result, broadcast to it; absent where the result is exact. */
  readonly error?: (operands: ReadonlyArray<Tensor>, result: Tensor, tolerance: Tolerance) => Tensor;
}

/** Comparisons of one operation. */
export interface Case {
  readonly operation: keyof Ops<Tensor>;
  readonly trials: fc.Arbitrary<Trial>;
}

/** A float tensor rounded to a precision, and kept in it; integers as they are. */
export const inPrecision = (x: Tensor, dtype: 'f32' | 'f64'): Tensor => (x.dtype === 'i32' ? x : cast(x, dtype));

const copyOf = ({ data, shape, dtype }: Tensor): Tensor => tensor(data, shape, dtype);

/** Whether two vectors hold the same numbers; NaN is the same as NaN. */
export const sameElements = (a: ReadonlyVector, b: ReadonlyVector): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (!Object.is(a[i], b[i])) return false;
  return true;
};

/** Whether two tensors agree in type, shape and bits. */
export const sameTensor = (a: Tensor, b: Tensor): boolean =>
  a.dtype === b.dtype && sameShape(a.shape, b.shape) && sameElements(a.data, b.data);

/**
 * What is wrong with a result, or an empty text.
 *
 * @param actual - from the interpreter
 * @param expected - from the reference
 * @param bound - largest error of each element
 */
export const complaint = (actual: Tensor, expected: Tensor, bound: (position: number) => number): string => {
  if (!sameShape(actual.shape, expected.shape)) {
    return `shape ${showShape(actual.shape)} instead of ${showShape(expected.shape)}`;
  }
  if (actual.data.length !== expected.data.length)
    return `${actual.data.length} elements in ${showShape(actual.shape)}`;
  for (let i = 0; i < expected.data.length; i += 1) {
    const [a, e] = [actual.data[i], expected.data[i]];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    if (!(Math.abs(a - e) <= bound(i))) return `element ${i} is ${a} instead of ${e}, which may be off by ${bound(i)}`;
  }
  return '';
};

const typeOf = (result: Tensor, dtype: 'f32' | 'f64'): DType => (result.dtype === 'i32' ? 'i32' : dtype);

/** Reads an array back. */
export const readFrom = async <T extends Shaped>(backend: Backend<T>, x: T): Promise<Tensor> =>
  orThrow(await backend.read(x)());

/**
 * Runs a trial on a backend, in a scope of its own so that the arrays of earlier trials are used again.
 *
 * @returns what is wrong, or an empty text
 */
export const faultOf = async <T extends Shaped>(
  backend: Backend<T>,
  tolerance: Tolerance,
  trial: Trial,
): Promise<string> => {
  const hosts = trial.operands.map((x) => inPrecision(x, backend.dtype));
  const untouched = hosts.map(copyOf);
  const expected = trial.run(reference, hosts.map(reference.constant));
  const errors =
    trial.error === undefined
      ? undefined
      : reference.broadcastTo(trial.error(hosts.map(reference.constant), expected, tolerance), expected.shape).data;
  const bound = (i: number): number =>
    errors === undefined ? 0 : tolerance.epsilon * errors[i] + smallestNormal[backend.dtype];

  const scope = backend.scope();
  const operands = hosts.map(scope.backend.ops.constant);
  const result = trial.run(scope.backend.ops, operands);
  const actual = await readFrom(scope.backend, result);
  const after: Array<Tensor> = [];
  for (const operand of operands) after.push(await readFrom(scope.backend, operand));
  scope.close([]);

  if (!sameShape(result.shape, expected.shape)) return `announces shape ${showShape(result.shape)}`;
  if (actual.dtype !== typeOf(expected, backend.dtype)) return `is ${actual.dtype}`;
  const changed = untouched.findIndex((x, i) => !sameTensor(x, after[i]) || !sameTensor(x, hosts[i]));
  if (changed >= 0) return `changes operand ${changed}`;
  return complaint(actual, expected, bound);
};

/** Expects every trial of a case to agree with the reference and to leave its operands as they were. */
export const expectAgreement = <T extends Shaped>(
  backend: Backend<T>,
  tolerance: Tolerance,
  { trials }: Case,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(trials, async (trial) => {
      // An `expect` for each of some ten thousand trials takes longer than the trials.
      const fault = await faultOf(backend, tolerance, trial);
      if (fault !== '') throw new Error(fault);
    }),
  );

/** Values are shown where they are few. */
const shown = ({ shape, dtype, data }: Tensor): string =>
  `${dtype} ${showShape(shape)}${data.length > 12 ? '' : ` = ${Array.from(data).join(' ')}`}`;

/** The trials of an operation on drawn operands. */
export const given = <A>(drawn: fc.Arbitrary<A>, trialOf: (sample: A) => Trial): fc.Arbitrary<Trial> =>
  drawn.map((sample) => {
    const trial = trialOf(sample);
    const text = `${trial.label} of ${trial.operands.map(shown).join(' and ')}`;
    return { ...trial, [fc.toStringMethod]: () => text };
  });

/** Magnitudes. */
export const magnitude = (x: Tensor): Tensor => reference.abs(x);

/** A number as an array that broadcasts. */
export const numberOf = (value: number): Tensor => reference.full([], value);
