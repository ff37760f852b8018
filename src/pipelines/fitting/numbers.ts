/**
 * Numbers as people have them: lists, lists of lists, typed arrays, or arrays with a shape, of this library or from a file.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { demandsOfModel } from '../../core/nn/demands.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import type { Model } from '../../core/nn/model.ts';
import type { Rows } from '../../core/rows.ts';
import { firstFraction, stackRows } from '../../core/rows.ts';
import { shown } from '../../core/shown.ts';
import type { DType, ReadonlyVector, Shape, Shaped } from '../../core/tensor.ts';
import { checkTensor, sameShape, showShape, sizeOf, tensor } from '../../core/tensor.ts';

/** An array with its extents: a tensor, what an IDX or npy file holds, or a typed array with a shape. */
export interface Values extends Shaped {
  /** Elements in row-major order. */
  readonly data: ReadonlyVector;
  /** What they are computed with as; what their use asks for unless given. */
  readonly dtype?: DType;
}

/** A list of numbers, of arrays, of lists of them, and so on. */
export type Nested = ReadonlyVector | Values | ReadonlyArray<number | Nested>;

/** A list with an item for each example, or an array whose first axis counts them. */
export type Numbers = Nested;

/** Numbers of a shape; `null` for a type that nobody has said. */
export interface Filled extends Shaped {
  readonly data: ReadonlyVector;
  readonly dtype: DType | null;
}

const isRecord = (given: unknown): given is object => typeof given === 'object' && given !== null;

const isValues = (given: unknown): given is Values =>
  isRecord(given) && 'shape' in given && 'data' in given && Array.isArray(given.shape);

/** What a class of typed arrays of numbers is called; others hold no numbers that this library computes with. */
const numeric = /^(Float(16|32|64)|U?[Ii]nt(8|16|32)|Uint8Clamped)Array$/;

const classOf = (given: unknown): string => Object.prototype.toString.call(given).slice(8, -1);

const isVector = (given: unknown): given is ReadonlyVector => numeric.test(classOf(given));

/** The shape that the first of each list has. */
const shapeOf = (given: unknown): Shape => {
  if (isValues(given)) return given.shape;
  if (isVector(given)) return [given.length];
  return Array.isArray(given) ? [given.length, ...shapeOf(given[0])] : [];
};

/** A place, and what is there. */
type Odd = readonly [at: string, found: unknown];

/** Where a list is not of the shape, and what is there; `null` where there is no such place. */
const oddOne = (given: unknown, shape: Shape, at: string): Odd | null => {
  if (isValues(given)) {
    const { shape: own, data } = given;
    if (!isVector(data) || data.length !== sizeOf(own)) return [at, data];
    return sameShape(own, shape) ? null : [at, own];
  }
  if (isVector(given)) return sameShape([given.length], shape) ? null : [at, Array.from(given)];
  const [extent, ...rest] = shape;
  if (extent === undefined) return typeof given === 'number' ? null : [at, given];
  if (!Array.isArray(given) || given.length !== extent) return [at, given];
  return given.reduce<Odd | null>((found, item, i) => found ?? oddOne(item, rest, `${at}[${i}]`), null);
};

/** The type that a class of arrays is computed with as, unless someone says otherwise. */
const usual = (data: ReadonlyVector): DType => (classOf(data) === 'Float32Array' ? 'f32' : 'f64');

/** The numbers of lists, from first to last. */
const flat = (given: number | Nested): ReadonlyArray<number> => {
  if (typeof given === 'number') return [given];
  if (isValues(given)) return Array.from(given.data);
  if (isVector(given)) return Array.from(given);
  const list: ReadonlyArray<number | Nested> = given;
  return list.every((item) => typeof item === 'number') ? list : list.flatMap(flat);
};

/** An array whose elements are numbers and fill its shape. */
const checkedValues = (name: string, given: Values): E.Either<KfacError, Filled> => {
  const { shape, data, dtype } = given;
  if (dtype !== undefined) {
    return pipe(
      attempt(() => checkTensor(name, { shape, data, dtype })),
      E.map(() => ({ shape, data, dtype })),
    );
  }
  return isVector(data) && data.length === sizeOf(shape)
    ? E.right({ shape, data, dtype: null })
    : E.left({
        _tag: 'BadData',
        source: name,
        expected: `a typed array of the ${sizeOf(shape)} numbers of shape ${showShape(shape)}`,
        actual: isVector(data) ? `${data.length} numbers` : classOf(data),
        advice: 'The shape has an extent for each axis; the first counts examples.',
      });
};

/** The one thing that all say; `null` where they say several. */
const agreed = <A>(said: ReadonlyArray<A>): A | null => (new Set(said).size === 1 ? said[0] : null);

/**
 * Arrays one below the other.
 *
 * @param parts - at least one, of one shape but for the first axis
 */
export const below = (parts: ReadonlyArray<Filled>): E.Either<KfacError, Filled> => {
  const stated = agreed(parts.map(({ dtype }) => dtype));
  const dtype = stated ?? agreed(parts.map(({ data }) => usual(data))) ?? 'f64';
  return pipe(
    attempt(() => stackRows(parts.map(({ shape, data }) => ({ shape, data, dtype })))),
    E.map(({ shape, data }) => ({ shape, data, dtype: stated })),
  );
};

/** An item of a list as an array of one example, if it is an array. */
const oneIn = (item: unknown): ReadonlyArray<Filled> => {
  if (isVector(item)) return [{ shape: [1, item.length], data: item, dtype: null }];
  return isValues(item) ? [{ shape: [1, ...item.shape], data: item.data, dtype: item.dtype ?? null }] : [];
};

/**
 * Numbers as one array.
 *
 * @param name - what they are, for errors
 * @param given - numbers
 * @returns at least one number; `BadData` where lists differ in length, or something is no number
 */
export const filled = (name: string, given: Numbers): E.Either<KfacError, Filled> => {
  if (isValues(given)) return checkedValues(name, given);
  const shape = shapeOf(given);
  const odd = oddOne(given, shape, name);
  if (odd !== null || sizeOf(shape) === 0) {
    return E.left({
      _tag: 'BadData',
      source: odd === null ? name : odd[0],
      expected: `numbers in lists of one length, ${showShape(shape)} as the first example says`,
      actual: shown(odd === null ? given : odd[1]),
      advice: 'Give each example as many numbers.',
    });
  }
  if (isVector(given)) return E.right({ shape, data: given, dtype: null });
  const list: ReadonlyArray<unknown> = given;
  const items = list.flatMap(oneIn);
  return items.length === list.length
    ? below(items)
    : attempt(() => ({ shape, data: tensor(flat(given), shape).data, dtype: null }));
};

/** Rows of an array, whose first axis counts them. */
const rowsAs = ({ shape, data }: Filled, dtype: DType): Rows => ({ shape: shape.slice(1), data, scale: 1, dtype });

/** Whether numbers are whole ones of 32 bits. */
const isWhole = ({ data }: Filled): boolean => firstFraction(data, 1) < 0;

/**
 * Inputs as a model takes them: whole numbers where it looks them up in a table, others where it computes with them.
 *
 * @param inputs - inputs
 * @param model - what they are for
 */
export const inputRows = (inputs: Filled, model: Model): Rows => {
  const { dtype, data } = inputs;
  if (dtype !== null && dtype !== 'i32') return rowsAs(inputs, dtype);
  const areIndices = demandsOfModel(model).some(({ array, admits }) => array === 'inputs' && admits().isWhole);
  return rowsAs(inputs, areIndices && isWhole(inputs) ? 'i32' : usual(data));
};

/**
 * Targets as a loss can have them: whole numbers in one list are classes where the loss is of classes, and one number for each
 * example else.
 *
 * @param targets - targets
 * @param loss - what they are for
 * @param outputs - shape of the model's outputs for the examples
 */
export const targetRows = (targets: Filled, loss: Loss, outputs: Shape): Rows => {
  const { shape, data, dtype } = targets;
  if (dtype !== null) return rowsAs(targets, dtype);
  const admitted = attempt(() => loss.admits?.(outputs, shape) ?? null);
  const areClasses = E.isRight(admitted) && admitted.right?.isWhole === true && (outputs.at(-1) ?? 0) > 1;
  if (areClasses && outputs.length > 1 && isWhole(targets)) return rowsAs(targets, 'i32');
  return rowsAs(shape.length === 1 ? { ...targets, shape: [...shape, 1] } : targets, usual(data));
};
