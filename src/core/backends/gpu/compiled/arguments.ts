/**
 * What a compiled program is given: arrays of fixed shapes, as one flat list.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../../errors.ts';
import { attempt } from '../../../errors.ts';
import type { Params } from '../../../params.ts';
import type { DType, ReadonlyVector, Shaped, Tensor } from '../../../tensor.ts';
import { checkTensor, sameShape, showShape } from '../../../tensor.ts';

/** An array to be: its shape, and whether it holds integers. A tensor will do. */
export interface ShapedLike extends Shaped {
  readonly dtype?: DType;
}

/** Parameters and inputs of a program. */
export interface ProgramArguments<A> {
  readonly params: Params<A>;
  readonly inputs: ReadonlyArray<A>;
}

/** All arrays in one order, those of the parameters first. */
export const arraysOf = <A>({ params, inputs }: ProgramArguments<A>): ReadonlyArray<A> => [
  ...Object.values(params),
  ...inputs,
];

const mismatch = (what: string, expected: string, actual: string): KfacError => ({
  _tag: 'ShapeMismatch',
  where: `compiled program, ${what}`,
  expected,
  actual,
});

/** What does not fit in one argument, or `null`. */
const misfit = (what: string, expected: ShapedLike, actual: Tensor | undefined): KfacError | null => {
  if (actual === undefined) return mismatch(what, showShape(expected.shape), 'nothing');
  if (!sameShape(expected.shape, actual.shape))
    return mismatch(what, showShape(expected.shape), showShape(actual.shape));
  const checked = attempt(() => checkTensor(`compiled program, ${what}`, actual));
  return E.isLeft(checked) ? checked.left : null;
};

const floats = ({ data }: Tensor): ReadonlyVector => (data instanceof Float32Array ? data : Float32Array.from(data));

/**
 * The elements of all arrays that have some, in the order of {@link arraysOf}.
 *
 * @param like - what the program was compiled for; other parameters are ignored
 * @param given - what it is given
 * @returns flat arrays, or what does not fit
 */
export const flatArrays = (
  like: ProgramArguments<ShapedLike>,
  given: ProgramArguments<Tensor>,
): E.Either<KfacError, ReadonlyArray<ReadonlyVector>> => {
  const params = Object.entries(like.params).map(
    ([path, expected]) => [path, expected, given.params[path] as Tensor | undefined] as const,
  );
  const inputs = like.inputs.map(
    (expected, i) => [`input ${i}`, expected, given.inputs[i] as Tensor | undefined] as const,
  );
  const arrays: Array<ReadonlyVector> = [];
  for (const [what, expected, actual] of [...params, ...inputs]) {
    const error = misfit(what, expected, actual);
    if (error !== null) return E.left(error);
    if (actual !== undefined && actual.data.length > 0) arrays.push(floats(actual));
  }
  return E.right(arrays);
};
