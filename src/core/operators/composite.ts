/**
 * Operators made of operators: the same algebra on one array and on block vectors, written once.
 *
 * @module
 */
import type { Damped, Scaled, SkewPart, Sum, SymmetricPart } from './linearOperator.ts';

/** An operator made of operators `Op`. */
export type Composite<Op> = Damped<Op> | Sum<Op> | Scaled<Op> | SymmetricPart<Op> | SkewPart<Op>;

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
