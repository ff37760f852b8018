/**
 * Every primitive and derived operation as a program with generated parameters, one row each: the table that the laws
 * of differentiation are checked on.
 *
 * @module
 */
import fc from 'fast-check';

import type { Program } from '../../../src/core/autodiff/program.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { BinaryKind, UnaryKind, Window } from '../../../src/core/ops/primitives.ts';
import { broadcastShape, patchesShape } from '../../../src/core/ops/shapes.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Shape, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { Values } from './arrays.ts';
import {
  anyArray,
  arrayOf,
  axesAmong,
  boxIn,
  broadcastableTo,
  extent,
  indicesOf,
  permutationOf,
  reshapeOf,
  shapeOf,
  solidShape,
} from './arrays.ts';

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

type Unary = <T extends Shaped>(ops: Ops<T>, x: T) => T;
type Binary = <T extends Shaped>(ops: Ops<T>, a: T, b: T) => T;

const setting = (params: Params<Tensor>, program: Program, inputs: ReadonlyArray<Tensor> = []): Setting => ({
  params,
  inputs,
  program,
});

const onOne = (x: Tensor, f: Unary, inputs: ReadonlyArray<Tensor> = []): Setting =>
  setting({ x }, (ops, params) => f(ops, params['x']), inputs);

/** A function of one array. */
const row = (name: string, x: fc.Arbitrary<Tensor>, f: Unary): Case => ({
  name,
  settings: () => x.map((value) => onOne(value, f)),
});

/** A function of one array with something drawn for its shape. */
const rowWith = <A>(
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
const pairOfShapes = shapeOf().chain((shape) => fc.tuple(broadcastableTo(shape), broadcastableTo(shape)));

const rowOfTwo = (
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

const flag = [false, true] as const;

const products = [2, 3].flatMap((rank) =>
  flag.flatMap((transposeA) =>
    flag.map((transposeB) => {
      const flags = `${transposeA ? 'ᵀ' : ''}${transposeB ? ' Bᵀ' : ' B'}`;
      const shapes = fc.tuple(extent, extent, extent, extent).map(([batch, m, k, n]): readonly [Shape, Shape] => {
        const lead = rank === 3 ? [batch] : [];
        return [
          [...lead, ...(transposeA ? [k, m] : [m, k])],
          [...lead, ...(transposeB ? [n, k] : [k, n])],
        ];
      });
      return rowOfTwo(`matmul of rank ${rank}: A${flags}`, shapes, (ops, a, b) =>
        ops.matmul(a, b, { transposeA, transposeB }),
      );
    }),
  ),
);

const affine = (hasBias: boolean): Case => ({
  name: hasBias ? 'affine' : 'affine without bias',
  settings: () =>
    fc
      .tuple(extent, extent, extent)
      .chain(([n, from, to]) =>
        fc
          .record({ x: arrayOf([n, from]), weight: arrayOf([to, from]), bias: arrayOf([to]) })
          .map(({ x, weight, bias }) =>
            hasBias
              ? setting({ x, weight, bias }, (ops, p) => ops.affine(p['x'], p['weight'], p['bias']))
              : setting({ x, weight }, (ops, p) => ops.affine(p['x'], p['weight'], null)),
          ),
      ),
});

/** Operands of an affine map that do not all have a derivative. */
const affineIn = (moving: 'x' | 'weight' | 'bias'): Case => ({
  name: `affine in the ${moving} alone`,
  settings: () =>
    fc
      .record({ x: arrayOf([3, 2]), weight: arrayOf([4, 2]), bias: arrayOf([4]) })
      .map(({ x, weight, bias }) =>
        setting(
          { [moving]: { x, weight, bias }[moving] },
          (ops, p, inputs) => ops.affine(p['x'] ?? inputs[0], p['weight'] ?? inputs[1], p['bias'] ?? inputs[2]),
          [x, weight, bias],
        ),
      ),
});

const unaryKinds: Record<UnaryKind, (spread: Spread) => Values> = {
  neg: () => 'grid',
  exp: () => 'grid',
  log: () => 'positive',
  sqrt: () => 'positive',
  square: () => 'grid',
  abs: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  sign: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  step: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  tanh: () => 'grid',
  sigmoid: () => 'grid',
  softplus: () => 'grid',
  relu: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  erf: () => 'grid',
};

const unaryNames: ReadonlyArray<UnaryKind> = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'square',
  'abs',
  'sign',
  'step',
  'tanh',
  'sigmoid',
  'softplus',
  'relu',
  'erf',
];

const unary = unaryNames.map((kind): Case => ({
  name: `unary ${kind}`,
  settings: (spread) => anyArray(unaryKinds[kind](spread)).map((x) => onOne(x, (ops, v) => ops.unary(kind, v))),
}));

/** The VJP of an elementwise function is a function of two arrays itself, which higher derivatives go through. */
const unaryVjp = unaryNames.map((kind) =>
  rowOfTwo(
    `unaryVjp ${kind}`,
    shapeOf().map((shape) => [shape, shape] as const),
    (ops, x, cotangent) => ops.unaryVjp(kind, x, ops.unary(kind, x), cotangent),
    (spread) => [unaryKinds[kind](spread), 'grid'],
  ),
);

const apart = (spread: Spread): readonly [Values, Values] =>
  spread === 'ties' ? ['ties', 'ties'] : ['grid', 'beside'];

const binaryKinds: ReadonlyArray<readonly [BinaryKind, (spread: Spread) => readonly [Values, Values]]> = [
  ['add', () => ['grid', 'grid']],
  ['sub', () => ['grid', 'grid']],
  ['mul', () => ['grid', 'grid']],
  ['div', () => ['grid', 'positive']],
  ['max', apart],
  ['min', apart],
  ['greater', apart],
  ['equal', apart],
];

const binary = binaryKinds.flatMap(([kind, values]) => [
  rowOfTwo(`binary ${kind}`, pairOfShapes, (ops, a, b) => ops.binary(kind, a, b), values),
  // One operand at a time is a constant: the interpreters take another path.
  ...flag.map((first): Case => ({
    name: `binary ${kind} with a constant on the ${first ? 'left' : 'right'}`,
    settings: (spread) =>
      pairOfShapes.chain(([left, right]) =>
        fc
          .record({ a: arrayOf(left, values(spread)[0]), b: arrayOf(right, values(spread)[1]) })
          .map(({ a, b }) =>
            first
              ? setting({ b }, (ops, p, [fixed]) => ops.binary(kind, fixed, p['b']), [a])
              : setting({ a }, (ops, p, [fixed]) => ops.binary(kind, p['a'], fixed), [b]),
          ),
      ),
  })),
]);

const select = (moving: ReadonlyArray<'a' | 'b'>): Case => ({
  name: `select in ${moving.join(' and ')}`,
  settings: () =>
    shapeOf().chain((shape) =>
      fc
        .tuple(broadcastableTo(shape), broadcastableTo(shape), broadcastableTo(shape))
        .chain(([c, left, right]) =>
          fc
            .record({ condition: arrayOf(c, 'ties'), a: arrayOf(left), b: arrayOf(right) })
            .map(({ condition, a, b }) =>
              setting(
                Object.fromEntries(moving.map((name) => [name, { a, b }[name]])),
                (ops, p, inputs) => ops.select(inputs[0], p['a'] ?? inputs[1], p['b'] ?? inputs[2]),
                [condition, a, b],
              ),
            ),
        ),
    ),
});

const window: fc.Arbitrary<Window> = fc.record({
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  padding: fc.tuple(fc.nat(2), fc.nat(1), fc.nat(1), fc.nat(2)),
});

/** Images that hold the largest window: a kernel of 3 dilated by 2 spans 5 rows. */
const imagesShape: Shape = [2, 5, 3, 2];

const concat: Case = {
  name: 'concat, one part constant',
  settings: () =>
    shapeOf(1).chain((shape) =>
      fc.nat(shape.length - 1).chain((axis) => {
        const part = (e: number): fc.Arbitrary<Tensor> => arrayOf(shape.map((old, at) => (at === axis ? e : old)));
        return fc.record({ a: part(2), b: part(1), c: part(3), order: fc.nat(2) }).map(({ a, b, c, order }) =>
          setting(
            { a, b },
            (ops, p, [fixed]) => {
              const parts = [p['a'], p['b']];
              return ops.concat([...parts.slice(0, order), fixed, ...parts.slice(order)], axis);
            },
            [c],
          ),
        );
      }),
    ),
};

const gather: Case = {
  name: 'gather',
  settings: () =>
    fc
      .tuple(solidShape(1), shapeOf(0, 2))
      .chain(([shape, picks]) =>
        fc
          .record({ x: arrayOf(shape), indices: indicesOf(picks, shape[0]) })
          .map(({ x, indices }) => setting({ x }, (ops, p, inputs) => ops.gather(p['x'], inputs[0]), [indices])),
      ),
};

const scatterAdd: Case = {
  name: 'scatterAdd',
  settings: () =>
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), shapeOf(0, 2), shapeOf(0, 2))
      .chain(([rows, picks, rest]) =>
        fc
          .record({ updates: arrayOf([...picks, ...rest]), indices: indicesOf(picks, rows) })
          .map(({ updates, indices }) =>
            setting({ updates }, (ops, p, inputs) => ops.scatterAdd(inputs[0], p['updates'], rows), [indices]),
          ),
      ),
};

const oneHot: Case = {
  name: 'oneHot, times x',
  settings: () =>
    shapeOf(0, 2).chain((shape) =>
      fc
        .record({ x: arrayOf([...shape, 3]), indices: indicesOf(shape, 3) })
        .map(({ x, indices }) => setting({ x }, (ops, p, [i]) => ops.mul(ops.oneHot(i, 3), p['x']), [indices])),
    ),
};

const site: Case = {
  name: 'site',
  settings: () =>
    fc
      .record({ a: arrayOf([3, 2]), weight: arrayOf([2, 2]) })
      .map((params) =>
        setting(params, (ops, { a, weight }) =>
          ops.tanh(
            ops.site({ kind: 'dense', path: 'l', weight: 'weight', bias: null }, a, ops.affine(a, weight, null)),
          ),
        ),
      ),
};

/** Every primitive. */
export const primitiveCases: ReadonlyArray<Case> = [
  row('constant', anyArray(), (ops, x) => ops.mul(x, ops.constant(tensor([2], [1])))),
  row('full', anyArray(), (ops, x) => ops.mul(ops.full([], 3), x)),
  ...products,
  rowOfTwo('matmul of an array with itself', fc.constant([[3, 2], [1]] as const), (ops, a, b) =>
    ops.mul(ops.matmul(a, a, { transposeA: true }), b),
  ),
  affine(true),
  affine(false),
  affineIn('x'),
  affineIn('weight'),
  affineIn('bias'),
  row(
    'gram',
    fc.tuple(extent, extent).chain((shape) => arrayOf(shape)),
    (ops, x) => ops.gram(x),
  ),
  ...unary,
  ...binary,
  select(['a']),
  select(['b']),
  select(['a', 'b']),
  rowWith('sum', shapeOf(), axesAmong, (axes) => (ops, x) => ops.sum(x, axes)),
  rowWith(
    'max',
    shapeOf(),
    axesAmong,
    (axes) => (ops, x) => {
      const top = ops.max(x, axes);
      // The maximum over nothing is −∞ and has no neighbourhood; elsewhere this is the identity.
      return ops.select(ops.greater(top, ops.full([], -1e300)), top, ops.full([], 0));
    },
    (spread) => (spread === 'ties' ? 'ties' : 'distinct'),
  ),
  rowWith('reshape', shapeOf(), reshapeOf, (shape) => (ops, x) => ops.reshape(x, shape)),
  rowWith('transpose', shapeOf(), permutationOf, (permutation) => (ops, x) => ops.transpose(x, permutation)),
  {
    name: 'broadcastTo',
    settings: () =>
      shapeOf().chain((shape) =>
        broadcastableTo(shape)
          .chain((from) => arrayOf(from))
          .map((x) => onOne(x, (ops, v) => ops.broadcastTo(v, shape))),
      ),
  },
  concat,
  rowWith(
    'slice',
    shapeOf(),
    boxIn,
    ({ begin, size }) =>
      (ops, x) =>
        ops.slice(x, begin, size),
  ),
  {
    name: 'pad',
    settings: () =>
      shapeOf().chain((shape) =>
        boxIn(shape).chain(({ begin, size }) =>
          arrayOf(size).map((x) => onOne(x, (ops, v) => ops.pad(v, begin, shape))),
        ),
      ),
  },
  gather,
  scatterAdd,
  rowWith(
    'patches',
    fc.constant(imagesShape),
    () => window,
    (view) => (ops, x) => ops.patches(x, view),
  ),
  {
    name: 'unpatches',
    settings: () =>
      window.chain((view) =>
        arrayOf(patchesShape(imagesShape, view)).map((x) => onOne(x, (ops, v) => ops.unpatches(v, view, imagesShape))),
      ),
  },
  site,
];

const matrix = fc.tuple(extent, extent);
const square = fc.integer({ min: 1, max: 4 }).map((n): Shape => [n, n]);
const sameShapes = shapeOf().map((shape) => [shape, shape] as const);
const ofShape = (shapes: fc.Arbitrary<Shape>): fc.Arbitrary<Tensor> => shapes.chain((shape) => arrayOf(shape));

/** Every derived operation that is not a primitive under another name. */
export const derivedCases: ReadonlyArray<Case> = [
  row('gelu', anyArray(), (ops, x) => ops.gelu(x)),
  row('scale', anyArray(), (ops, x) => ops.scale(-1.5, x)),
  rowOfTwo('linearCombination', sameShapes, (ops, a, b) => ops.linearCombination(2, a, -0.5, b)),
  ...unaryVjp,
  row('addDiagonal', ofShape(square), (ops, x) => ops.addDiagonal(x, 0.3)),
  row('trace', ofShape(square), (ops, x) => ops.trace(x)),
  rowOfTwo('dot', sameShapes, (ops, a, b) => ops.dot(a, b)),
  rowWith('mean', solidShape(), axesAmong, (axes) => (ops, x) => ops.mean(x, axes)),
  row('transposed', ofShape(matrix), (ops, x) => ops.transposed(x)),
  row('logSumExp', ofShape(solidShape(1)), (ops, x) => ops.logSumExp(x)),
  row('softmax', ofShape(solidShape(1)), (ops, x) => ops.softmax(x)),
  row('logSoftmax', ofShape(solidShape(1)), (ops, x) => ops.logSoftmax(x)),
  oneHot,
  {
    name: 'sumTo',
    settings: () =>
      pairOfShapes.chain(([left, right]) =>
        arrayOf(broadcastShape('test', left, right)).map((x) => onOne(x, (ops, v) => ops.sumTo(v, left))),
      ),
  },
  row('withOnes', ofShape(matrix), (ops, x) => ops.withOnes(x)),
];
