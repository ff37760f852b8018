/**
 * Numbers as people have them: lists, lists of lists, or an array of this library.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import { shown } from '../../core/shown.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { showShape, sizeOf, tensor } from '../../core/tensor.ts';

/** A list of numbers, of lists of numbers, and so on. */
export type Nested = ReadonlyArray<number> | ReadonlyArray<Nested>;

/** A list for each example, or an array whose first axis counts them. */
export type Numbers = Nested | Tensor;

const isTensor = (given: Numbers): given is Tensor => !Array.isArray(given);

/** The shape that the first of each list has. */
const shapeOf = (given: unknown): Shape => (Array.isArray(given) ? [given.length, ...shapeOf(given[0])] : []);

/** A place, and what is there. */
type Odd = readonly [at: string, found: unknown];

/** Where a list is not of the shape, and what is there; `null` where there is no such place. */
const oddOne = (given: unknown, [extent, ...rest]: Shape, at: string): Odd | null => {
  if (extent === undefined) return typeof given === 'number' ? null : [at, given];
  if (!Array.isArray(given) || given.length !== extent) return [at, given];
  return given.reduce<Odd | null>((found, item, i) => found ?? oddOne(item, rest, `${at}[${i}]`), null);
};

/** The numbers of lists, from first to last. */
const flat = (given: Nested): ReadonlyArray<number> => {
  const list: ReadonlyArray<number | Nested> = given;
  return list.flatMap((item) => (typeof item === 'number' ? [item] : flat(item)));
};

/** Whether all numbers are whole. */
const isWhole = (numbers: ReadonlyArray<unknown>): boolean => numbers.every((x) => Number.isInteger(x));

/**
 * Numbers as an array of this library.
 *
 * @param name - what they are, for errors
 * @param given - numbers
 * @returns 64-bit numbers where lists were given; `BadData` where lists differ in length, or something is no number
 */
export const arrayOf = (name: string, given: Numbers): E.Either<KfacError, Tensor> => {
  if (isTensor(given)) return E.right(given);
  const shape = shapeOf(given);
  const odd = oddOne(given, shape, name);
  return odd === null && sizeOf(shape) > 0
    ? attempt(() => tensor(flat(given), shape))
    : E.left({
        _tag: 'BadData',
        source: odd === null ? name : odd[0],
        expected: `numbers in lists of one length, ${showShape(shape)} as the first example says`,
        actual: shown(odd === null ? given : odd[1]),
        advice: 'Give each example as many numbers.',
      });
};

/**
 * Targets as a loss can have them: whole numbers in one list are classes where the loss is of classes, and one number for each
 * example else.
 *
 * @param given - targets
 * @param loss - what they are for
 * @param outputs - shape of the model's outputs for the examples
 */
export const targetsOf = (given: Numbers, loss: Loss, outputs: Shape): E.Either<KfacError, Tensor> =>
  pipe(
    arrayOf('targets', given),
    E.map((targets) => {
      if (isTensor(given) || targets.shape.length !== 1) return targets;
      const admitted = attempt(() => loss.admits?.(outputs, targets.shape) ?? null);
      const isOfClasses = E.isRight(admitted) && admitted.right?.isWhole === true && outputs.length > 1;
      return isOfClasses && outputs[outputs.length - 1] > 1 && isWhole(given)
        ? tensor(targets.data, targets.shape, 'i32')
        : tensor(targets.data, [...targets.shape, 1]);
    }),
  );
