/**
 * Rows of the table that the laws of differentiation are checked on: a program with generated parameters.
 *
 * @module
 */
import fc from 'fast-check';

import type { Program } from '../../../src/core/autodiff/program.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Shape, Shaped, Tensor } from '../../../src/core/tensor.ts';
import type { Values } from './arrays.ts';
import { arrayOf, broadcastableTo, shapeOf } from './arrays.ts';

/** A program with what it is applied to. Whatever has a derivative is a parameter. */
export interface Setting {
  readonly params: Params<Tensor>;
  readonly inputs: ReadonlyArray<Tensor>;
  readonly program: Program;
}

/** Whether settings keep away from kinks and ties, where no finite difference exists, or seek them. */
export type Spread = 'smooth' | 'ties';

/** A row of the table. */
export interface Case {
  readonly name: string;
  readonly settings: (spread: Spread) => fc.Arbitrary<Setting>;
}

/** A function of one array. */
export type Unary = <T extends Shaped>(ops: Ops<T>, x: T) => T;
/** A function of two arrays. */
export type Binary = <T extends Shaped>(ops: Ops<T>, a: T, b: T) => T;

/** A setting. */
export const setting = (params: Params<Tensor>, program: Program, inputs: ReadonlyArray<Tensor> = []): Setting => ({
  params,
  inputs,
  program,
});

/** A function of one parameter x. */
export const onOne = (x: Tensor, f: Unary, inputs: ReadonlyArray<Tensor> = []): Setting =>
  setting({ x }, (ops, params) => f(ops, params['x']), inputs);

/** A function of one array. */
export const row = (name: string, x: fc.Arbitrary<Tensor>, f: Unary): Case => ({
  name,
  settings: () => x.map((value) => onOne(value, f)),
});

/** A function of one array with something drawn for its shape. */
export const rowWith = <A>(
  name: string,
  shapes: fc.Arbitrary<Shape>,
  drawn: (shape: Shape) => fc.Arbitrary<A>,
  f: (choice: A, shape: Shape) => Unary,
  values: (spread: Spread) => Values = () => 'grid',
): Case => ({
  name,
  settings: (spread) =>
    shapes.chain((shape) =>
      fc
        .record({ x: arrayOf(shape, values(spread)), choice: drawn(shape) })
        .map(({ x, choice }) => onOne(x, f(choice, shape))),
    ),
});

/** Two shapes that broadcast together. */
export const pairOfShapes = shapeOf().chain((shape) => fc.tuple(broadcastableTo(shape), broadcastableTo(shape)));

/** A function of two arrays. */
export const rowOfTwo = (
  name: string,
  shapes: fc.Arbitrary<readonly [Shape, Shape]>,
  f: Binary,
  values: (spread: Spread) => readonly [Values, Values] = () => ['grid', 'grid'],
): Case => ({
  name,
  settings: (spread) =>
    shapes.chain(([left, right]) =>
      fc
        .record({ a: arrayOf(left, values(spread)[0]), b: arrayOf(right, values(spread)[1]) })
        .map((params) => setting(params, (ops, { a, b }) => f(ops, a, b))),
    ),
});
