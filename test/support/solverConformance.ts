/**
 * What the conformance suite of solvers runs on: operators of every kind, and a row for every solver that says which of
 * them it takes and what it makes of the damping. A new solver or a new kind of operator joins here.
 *
 * @module
 */
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import {
  dampedBlock,
  eigenKronecker,
  kronecker,
  kroneckerOf,
  twoTerm,
} from '../../src/core/operators/blockOperator.ts';
import type { Factor } from '../../src/core/operators/factors/factor.ts';
import { dense, diagonal, directSum, directSumOf, identity, lowRank } from '../../src/core/operators/factors/factor.ts';
import type { LinearOperator } from '../../src/core/operators/linearOperator.ts';
import { scaled, skewPart, sumOf, symmetricPart } from '../../src/core/operators/composite.ts';
import { blockDiagonal, blockTridiagonal, damped } from '../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { hssSolver } from '../../src/solvers/iterative/hssSolver.ts';
import { iterative } from '../../src/solvers/iterative/iterative.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { factoredDamping, matricesOf, meanEigenvalue } from './factors.ts';
import { gaussian, orThrow, referenceEnv } from './training.ts';
import type { Undamped } from './withDamping.ts';
import { withDamping } from './withDamping.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { kroneckerInverseWithin } from '../../src/solvers/inverses/kroneckerInverseWithin.ts';
import { choleskySolve } from '../../src/solvers/inverses/choleskySolve.ts';
import { tridiagonalInverse } from '../../src/solvers/inverses/tridiagonalInverse.ts';
import { autoInverse } from '../../src/solvers/inverses/autoInverse.ts';
import { twoTermSolve } from '../../src/solvers/inverses/twoTermSolve.ts';
import { denseInverse } from '../../src/solvers/inverses/denseInverse.ts';
import { lowRankInverse } from '../../src/solvers/inverses/lowRankInverse.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { eigen } from '../../src/solvers/inverses/eigen.ts';
import { newtonSchulz } from '../../src/solvers/inverses/newtonSchulz.ts';
import { classWise } from '../../src/solvers/iterative/classWise.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';

const { backend } = referenceEnv();
const { ops } = backend;

/** Shape of the arrays that all blocks act on. */
export const shape = [4, 5] as const;

/** A positive semidefinite matrix of a rank, with a trace of its order. */
const psd = (seed: number, n: number, rank: number): Tensor => {
  const M = ops.gram(gaussian(seed, [rank, n]));
  return ops.scale(n / ops.trace(M).data[0], M);
};

/** Orthonormal eigenvectors of some matrix. */
const basis = async (seed: number, n: number): Promise<Tensor> =>
  orThrow(await backend.linearAlgebra.eigh(psd(seed, n, n + 2))()).vectors;

const positive = (seed: number, of: ReadonlyArray<number>): Tensor => ops.square(gaussian(seed, of));

/** Kronecker products, by their factors. */
const products = [
  'kronecker',
  'kronecker of direct sums',
  'kronecker, A diagonal',
  'kronecker, G diagonal',
  'kronecker of diagonals',
  'kronecker, A = I',
  'kronecker of low rank',
  'kronecker of direct sums of low rank',
] as const;

/** Kinds of blocks. */
export const kinds = [
  ...products,
  'eigenKronecker',
  'eigenKronecker, U_A = I',
  'eigenKronecker of direct sums',
  'diagonal',
  'dense',
  'lowRank',
  'twoTerm',
  'damped',
  'scaled',
  'symmetricPart',
  'sum of two products',
  'sum of three products',
  'sum of other kinds',
] as const;

/** A kind of block. */
export type Kind = (typeof kinds)[number];

/**
 * One symmetric positive semidefinite block of every kind.
 *
 * @param seed - what is drawn
 * @param rank - ranks of factors are lower by this; 0 makes them positive definite
 */
export const blocksOfKinds = async (
  seed: number,
  missing = 0,
): Promise<Readonly<Record<Kind, BlockOperator<Tensor>>>> => {
  const [out, inputs] = shape;
  const factor = (i: number, n: number): Tensor => psd(seed + i, n, Math.max(1, n + 2 - missing * (n + 1)));
  const product = (i: number): BlockOperator<Tensor> => kroneckerOf(factor(i, inputs), factor(i + 1, out));
  const low = (i: number, order: number, r: number): Factor<Tensor> =>
    lowRank(ops.scale(0.5, gaussian(seed + i, [order, r])), dense(factor(i + 1, r)), missing === 0 ? 0.5 : 0);
  const n = out * inputs;
  const K = gaussian(seed + 50, [n, n]);
  const S = positive(seed + 3, shape);
  return {
    kronecker: product(1),
    'kronecker of direct sums': kronecker(
      directSumOf([factor(1, 3), factor(2, 2)]),
      directSumOf([factor(3, 1), factor(4, 3)]),
    ),
    'kronecker, A diagonal': kronecker(
      diagonal(positive(seed + 1, [inputs])),
      directSumOf([factor(2, 1), factor(3, 3)]),
    ),
    'kronecker, G diagonal': kronecker(dense(factor(1, inputs)), diagonal(positive(seed + 2, [out]))),
    'kronecker of diagonals': kronecker(diagonal(positive(seed + 1, [inputs])), diagonal(positive(seed + 2, [out]))),
    'kronecker, A = I': kronecker(identity(inputs), dense(factor(2, out))),
    'kronecker of low rank': kronecker(low(1, inputs, 2), low(3, out, 2)),
    'kronecker of direct sums of low rank': kronecker(directSum([low(1, 3, 1), low(3, 2, 1)]), low(5, out, 2)),
    eigenKronecker: eigenKronecker(dense(await basis(seed + 1, inputs)), dense(await basis(seed + 2, out)), S),
    'eigenKronecker, U_A = I': eigenKronecker(identity(inputs), dense(await basis(seed + 2, out)), S),
    'eigenKronecker of direct sums': eigenKronecker(
      directSumOf([await basis(seed + 1, 2), await basis(seed + 2, 3)]),
      directSumOf([await basis(seed + 3, 3), await basis(seed + 4, 1)]),
      S,
    ),
    diagonal: diagonal(S),
    dense: dense(factor(1, n)),
    lowRank: lowRank(ops.scale(0.5, gaussian(seed + 1, [n, 3])), diagonal(positive(seed + 2, [3])), 0.2),
    twoTerm: twoTerm(
      ops.scale(0.5, gaussian(seed + 1, [inputs, inputs])),
      ops.sigmoid(gaussian(seed + 2, [inputs])),
      ops.scale(0.5, gaussian(seed + 3, [out, out])),
      ops.sigmoid(gaussian(seed + 4, [out])),
      -1,
    ),
    damped: dampedBlock(product(1), 0.5),
    scaled: scaled(0.5, product(1)),
    symmetricPart: symmetricPart(dense(ops.add(factor(1, n), ops.sub(K, ops.transposed(K))))),
    'sum of two products': sumOf([product(1), product(3)]),
    'sum of three products': sumOf([product(1), product(3), product(5)]),
    'sum of other kinds': sumOf([product(1), dense(factor(3, n))]),
  };
};

/** Kinds of operators on block vectors beside block-diagonal ones. */
export const wholeKinds = [
  'blockTridiagonal',
  'damped',
  'scaled',
  'sum over different blocks',
  'sum over the same blocks',
  'symmetricPart',
] as const;

/** A kind of operator on block vectors. */
export type WholeKind = (typeof wholeKinds)[number];

/** Those that say which blocks they are made of. */
const madeOfBlocks: ReadonlyArray<WholeKind> = ['blockTridiagonal', 'damped', 'scaled', 'sum over different blocks'];

/** Shapes of the blocks that all operators act on. */
export const shapes = { w: shape, v: [3, 2] } as const;

/** A block as an operator on block vectors, beside a diagonal. */
export const withDiagonal = (block: BlockOperator<Tensor>, seed = 99): LinearOperator<Tensor> =>
  blockDiagonal({ w: block, v: diagonal(positive(seed, shapes.v)) });

/** One symmetric positive semidefinite operator of every kind. */
export const wholesOfKinds = (seed: number): Readonly<Record<WholeKind, LinearOperator<Tensor>>> => {
  const [X, Y] = [ops.gram(gaussian(seed, [9, 7])), ops.gram(gaussian(seed + 1, [9, 7]))];
  const part = (M: Tensor, begin: ReadonlyArray<number>, size: ReadonlyArray<number>): Tensor =>
    ops.scale(1 / 9, ops.slice(M, begin, size));
  const first = kroneckerOf(part(X, [0, 0], [5, 5]), part(Y, [0, 0], [4, 4]));
  const second = kroneckerOf(part(X, [5, 5], [2, 2]), part(Y, [4, 4], [3, 3]));
  const links = [{ from: 'v', to: 'w', A: part(X, [0, 5], [5, 2]), G: part(Y, [0, 4], [4, 3]) }];
  const both = blockDiagonal({ w: first, v: second });
  return {
    blockTridiagonal: blockTridiagonal({ w: first, v: second }, links),
    damped: damped(both, 0.3),
    scaled: scaled(2, both),
    'sum over different blocks': sumOf([blockDiagonal({ w: first }), blockDiagonal({ v: second })]),
    'sum over the same blocks': sumOf([both, withDiagonal(first)]),
    symmetricPart: symmetricPart(
      sumOf([both, skewPart(blockDiagonal({ w: kroneckerOf(gaussian(seed, [5, 5]), gaussian(seed, [4, 4])) }))]),
    ),
  };
};

/**
 * What a solver makes of block and damping: `exact` solves with block + λ I; `factored` with factored Tikhonov damping of a
 * Kronecker product, which is the same as `exact` for dense and diagonal blocks; `shared` with λ shared between two terms;
 * `near` with something close to it.
 */
export type Claim = 'exact' | 'factored' | 'shared' | 'near';

/** A solver in the suite. */
export interface SolverRow {
  readonly name: string;
  /** The tolerance, 1e-12 unless given, is for solvers that iterate. */
  readonly solver: (damping: number, tolerance?: number) => Solver<Undamped>;
  /** Dampings that the residual is tried with. */
  readonly dampings: ReadonlyArray<number>;
  /** Blocks that it takes, with its claim; it refuses all others. */
  readonly accepts: Partial<Readonly<Record<Kind, Claim>>>;
  /** Operators on block vectors that it takes beside block-diagonal ones; where it iterates, exactly. It refuses others. */
  readonly whole: ReadonlyArray<WholeKind>;
  /** Whether the direction comes by iteration, to a residual of the tolerance. */
  readonly iterates: boolean;
}

const claiming = <K extends Kind, C extends Claim>(of: ReadonlyArray<K>, claim: C): Readonly<Record<K, C>> =>
  Object.fromEntries(of.map((kind) => [kind, claim])) as Record<K, C>;

const byFactors = { ...claiming(products, 'factored'), dense: 'exact', diagonal: 'exact' } as const;

const inBases = claiming([...products, 'dense', 'diagonal'], 'exact');

const tight = 1e-12;

const dampings = [0.1, 1, 0.01];

const limits = { maxIterations: 400, warmStart: 0 };

const iteratives: ReadonlyArray<SolverRow> = (['cg', 'minres', 'gmres', 'bicgstab'] as const).flatMap((method) =>
  [null, autoInverse].map((preconditioner) => ({
    name: preconditioner === null ? method : `${method}, preconditioned`,
    solver: (damping: number, tolerance = tight) =>
      withDamping(damping, iterative(method, { preconditioner, tolerance, ...limits })),
    dampings,
    accepts: claiming(kinds, 'exact'),
    whole: preconditioner === null ? wholeKinds : madeOfBlocks,
    iterates: true,
  })),
);

/** Every solver of a step with curvature. */
export const solverRows = (): ReadonlyArray<SolverRow> => [
  {
    name: 'kroneckerInverse',
    solver: (damping) => withDamping(damping, preconditioned(kroneckerInverse)),
    dampings,
    accepts: byFactors,
    whole: [],
    iterates: false,
  },
  {
    name: 'kroneckerInverseWithin more than it takes',
    solver: (damping) => withDamping(damping, preconditioned(kroneckerInverseWithin(() => null))),
    dampings,
    accepts: byFactors,
    whole: [],
    iterates: false,
  },
  {
    name: 'choleskySolve',
    solver: (damping) => withDamping(damping, preconditioned(choleskySolve)),
    dampings,
    accepts: byFactors,
    whole: [],
    iterates: false,
  },
  {
    name: 'newtonSchulz',
    solver: (damping) => withDamping(damping, preconditioned(newtonSchulz({ tolerance: 1e-13, iterations: 100 }))),
    dampings,
    accepts: byFactors,
    whole: [],
    iterates: true,
  },
  {
    name: 'lowRankInverse of full rank',
    solver: (damping) => withDamping(damping, preconditioned(lowRankInverse({ rank: 20 }))),
    dampings,
    accepts: byFactors,
    whole: [],
    iterates: false,
  },
  {
    name: 'eigen',
    solver: (damping) => withDamping(damping, preconditioned(eigen)),
    dampings,
    accepts: {
      ...inBases,
      ...claiming(['eigenKronecker', 'eigenKronecker, U_A = I', 'eigenKronecker of direct sums'], 'exact'),
    },
    whole: [],
    iterates: false,
  },
  {
    name: 'ekfac',
    solver: (damping) => withDamping(damping, preconditioned(ekfac())),
    dampings,
    accepts: inBases,
    whole: [],
    iterates: false,
  },
  {
    name: 'denseInverse',
    solver: (damping) => withDamping(damping, preconditioned(denseInverse())),
    dampings,
    accepts: claiming(kinds, 'exact'),
    whole: [],
    iterates: false,
  },
  {
    name: 'twoTerm',
    solver: (damping) => withDamping(damping, preconditioned(twoTermSolve)),
    dampings,
    accepts: { ...byFactors, 'sum of two products': 'shared' },
    whole: [],
    iterates: false,
  },
  {
    name: 'classWiseInverse',
    solver: (damping, tolerance = tight) => withDamping(damping, classWise({ tolerance, maxIterations: 400 })),
    dampings,
    accepts: { ...byFactors, 'sum of two products': 'shared', 'sum of three products': 'exact' },
    whole: [],
    iterates: true,
  },
  {
    name: 'tridiagonalInverse',
    solver: (damping) => withDamping(damping, preconditioned(tridiagonalInverse)),
    dampings,
    accepts: byFactors,
    whole: ['blockTridiagonal'],
    iterates: false,
  },
  {
    name: 'suitableInverse',
    solver: (damping) => withDamping(damping, preconditioned(autoInverse)),
    dampings,
    accepts: {
      ...claiming(kinds, 'exact'),
      ...byFactors,
      'sum of two products': 'shared',
      'sum of three products': 'near',
    },
    whole: madeOfBlocks,
    iterates: false,
  },
  ...iteratives,
  {
    name: 'hss',
    // The rate falls with the root of the condition number, so it is tried on well-conditioned systems.
    solver: (damping, tolerance = tight) =>
      withDamping(
        damping,
        hssSolver({ tolerance, alpha: Math.sqrt(damping * (damping + 4)), ...limits, preconditioner: null }),
      ),
    dampings: [1],
    accepts: claiming(kinds, 'exact'),
    whole: wholeKinds,
    iterates: true,
  },
];

/** The block that a solver claims to invert. */
export const claimed = (block: BlockOperator<Tensor>, claim: Claim, lambda: number): BlockOperator<Tensor> => {
  if (claim === 'exact' || claim === 'near') return dampedBlock(block, lambda);
  switch (block._tag) {
    case 'kronecker':
      return factoredDamping(block, lambda);
    case 'sum': {
      const sizes = block.operators.map((term) => {
        const { A, G } = matricesOf(term);
        return meanEigenvalue(dense(A)) * meanEigenvalue(dense(G));
      });
      const total = sizes.reduce((x, y) => x + y, 0);
      return sumOf(
        block.operators.map((term, i) =>
          claimed(term, 'factored', total > 0 ? (lambda * sizes[i]) / total : lambda / 2),
        ),
      );
    }
    default:
      return dampedBlock(block, lambda);
  }
};
