/**
 * Operators made of operators: the same algebra on one array and on block vectors, written once.
 *
 * @module
 */

/** op + λ I. */
export interface Damped<Op> {
  readonly _tag: 'damped';
  readonly operator: Op;
  readonly lambda: number;
}

/** Σ op_i, at least one. */
export interface Sum<Op> {
  readonly _tag: 'sum';
  readonly operators: ReadonlyArray<Op>;
}

/** c op. */
export interface Scaled<Op> {
  readonly _tag: 'scaled';
  readonly factor: number;
  readonly operator: Op;
}

/** (op + opᵀ) / 2. */
export interface SymmetricPart<Op> {
  readonly _tag: 'symmetricPart';
  readonly operator: Op;
}

/** (op − opᵀ) / 2. */
export interface SkewPart<Op> {
  readonly _tag: 'skewPart';
  readonly operator: Op;
}

/** An operator made of operators `Op`. */
export type Composite<Op> = Damped<Op> | Sum<Op> | Scaled<Op> | SymmetricPart<Op> | SkewPart<Op>;

/**
 * Σ op_i, of operators on one array or on block vectors. At least one; a block that one of them lacks counts as zero.
 *
 * @example
 * ```ts
 * import { applyBlock, denseOperator, diagonal, referenceBackend, sumOf, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const sum = sumOf([denseOperator(tensor([1, 2, 3, 4], [2, 2])), diagonal(tensor([10, 10], [2]))]);
 * applyBlock(ops, sum, tensor([1, 1], [2])).data; // => [13, 17]
 * ```
 */
export const sumOf = <Op>(operators: ReadonlyArray<Op>): Sum<Op> => ({ _tag: 'sum', operators });

/**
 * c op.
 *
 * @example
 * ```ts
 * import { applyBlock, diagonal, referenceBackend, scaled, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * applyBlock(ops, scaled(0.5, diagonal(tensor([2, 4], [2]))), tensor([1, 1], [2])).data; // => [1, 2]
 * ```
 */
export const scaled = <Op>(factor: number, operator: Op): Scaled<Op> => ({ _tag: 'scaled', factor, operator });

/**
 * S = (op + opᵀ) / 2.
 *
 * @example
 * ```ts
 * import { applyBlock, denseOperator, referenceBackend, symmetricPart, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const matrix = denseOperator(tensor([1, 4, 0, 3], [2, 2]));
 * applyBlock(ops, symmetricPart(matrix), tensor([1, 1], [2])).data; // => [3, 5]
 * ```
 */
export const symmetricPart = <Op>(operator: Op): SymmetricPart<Op> => ({ _tag: 'symmetricPart', operator });

/**
 * K = (op − opᵀ) / 2, so that op = S + K.
 *
 * @example
 * ```ts
 * import { applyBlock, denseOperator, referenceBackend, skewPart, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const matrix = denseOperator(tensor([1, 4, 0, 3], [2, 2]));
 * applyBlock(ops, skewPart(matrix), tensor([1, 1], [2])).data; // => [2, -2]
 * ```
 */
export const skewPart = <Op>(operator: Op): SkewPart<Op> => ({ _tag: 'skewPart', operator });

/** The vector space that operators act on. */
export interface VectorSpace<V> {
  /** c x. */
  readonly scale: (c: number, x: V) => V;
  /** x + y. */
  readonly add: (x: V, y: V) => V;
  /** a x + b y. */
  readonly combine: (a: number, x: V, b: number, y: V) => V;
}

/**
 * op v or opᵀ v.
 *
 * @param space - where v lives
 * @param act - applies a part, transposed or not
 * @param op - operator made of parts
 * @param v - vector
 * @param transposed - whether opᵀ acts
 */
export const applyComposite = <Op, V>(
  space: VectorSpace<V>,
  act: (op: Op, v: V, transposed: boolean) => V,
  op: Composite<Op>,
  v: V,
  transposed: boolean,
): V => {
  switch (op._tag) {
    case 'damped':
      return space.combine(1, act(op.operator, v, transposed), op.lambda, v);
    case 'scaled':
      return space.scale(op.factor, act(op.operator, v, transposed));
    case 'sum':
      return op.operators.map((term) => act(term, v, transposed)).reduce((x, y) => space.add(x, y));
    case 'symmetricPart':
      return space.combine(0.5, act(op.operator, v, false), 0.5, act(op.operator, v, true));
    case 'skewPart': {
      const sign = transposed ? -0.5 : 0.5;
      return space.combine(sign, act(op.operator, v, false), -sign, act(op.operator, v, true));
    }
  }
};
