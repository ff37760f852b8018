/**
 * Every solver on every kind of operator: it solves what it claims to, or says what it takes instead.
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import { hostKernelBackend } from '../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { describeError } from '../../src/core/errors.ts';
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import type { LinearOperator } from '../../src/core/operators/linearOperator.ts';
import { kronecker, kroneckerOf } from '../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../src/core/operators/factors/factor.ts';
import { sumOf } from '../../src/core/operators/composite.ts';
import { blockDiagonal } from '../../src/core/operators/linearOperator.ts';
import { stack, unstack } from '../../src/core/operators/vec.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import { initialState } from '../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../src/core/random/key.ts';
import type { Block } from '../../src/core/pipeline/blocks.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { cast } from '../../src/core/tensor.ts';
import { iterative } from '../../src/solvers/iterative/iterative.ts';
import type { Preconditioner } from '../../src/solvers/solver/inverse.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import type { Claim, Kind, SolverRow } from '../support/solverConformance.ts';
import {
  blocksOfKinds,
  claimed,
  kinds,
  shapes,
  solverRows,
  wholeKinds,
  wholesOfKinds,
  withDiagonal,
} from '../support/solverConformance.ts';
import { gaussian, orThrow, referenceEnv } from '../support/training.ts';
import type { Undamped } from '../support/withDamping.ts';
import { withDamping } from '../support/withDamping.ts';

const { backend } = referenceEnv();
const { ops, linearAlgebra } = backend;
const names = Object.keys(shapes);

const vectorOf = (seed: number): Params<Tensor> => ({ w: gaussian(seed, shapes.w), v: gaussian(seed + 1, shapes.v) });
const columnOf = (v: Params<Tensor>): Tensor => stack(ops, v, names);
const inner = (x: Params<Tensor>, y: Params<Tensor>): number => ops.dot(columnOf(x), columnOf(y)).data[0];

/** Every array a block of its own. */
const wholeParameters = (params: Params<unknown>): ReadonlyArray<Block> =>
  Object.keys(params).map((name) => ({ kind: 'parameter', name }));

const attempted = (
  solver: Solver<Undamped>,
  operator: LinearOperator<Tensor>,
  gradient: Params<Tensor>,
  on: Backend<Tensor> = backend,
) => {
  const state = initialState(gradient, keyOf(1));
  const context = { state, blocks: wholeParameters(gradient), gradient, operator, captured: null };
  return solver.run(context)({ backend: on, clock: () => 0 })();
};

const directionOf = async (...given: Parameters<typeof attempted>): Promise<Params<Tensor>> =>
  orThrow(await attempted(...given)).direction;

/** The matrix of operator + λ I. */
const dampedMatrix = (operator: LinearOperator<Tensor>, lambda: number): Tensor =>
  ops.addDiagonal(materialiseBlocks(ops, operator, shapes), lambda);

const solvedDensely = async (matrix: Tensor, b: Params<Tensor>): Promise<Params<Tensor>> =>
  unstack(ops, orThrow(await linearAlgebra.solve(matrix, columnOf(b))()), shapes);

/** The matrix that a solver claims to invert. */
const claimedMatrix = (block: BlockOperator<Tensor>, claim: Claim, lambda: number): Tensor => {
  const operator = withDiagonal(block);
  const v = operator._tag === 'blockDiagonal' ? operator.blocks['v'] : block;
  const whole = blockDiagonal({ w: claimed(block, claim, lambda), v: claimed(v, 'exact', lambda) });
  return materialiseBlocks(ops, whole, shapes);
};

const relativeResidual = (matrix: Tensor, x: Params<Tensor>, b: Params<Tensor>): number => {
  const r = ops.sub(columnOf(b), ops.matmul(matrix, columnOf(x)));
  return Math.sqrt(ops.dot(r, r).data[0] / inner(b, b));
};

const conditionOf = async (matrix: Tensor): Promise<number> => {
  const { values } = orThrow(await linearAlgebra.eigh(matrix)());
  return values.data[values.data.length - 1] / values.data[0];
};

const rows = solverRows();
const acceptedBy = (row: SolverRow): ReadonlyArray<readonly [Kind, Claim]> =>
  kinds.flatMap((kind) => {
    const claim = row.accepts[kind];
    return claim === undefined ? [] : [[kind, claim] as const];
  });
const refusedBy = ({ accepts }: SolverRow): ReadonlyArray<Kind> => kinds.filter((kind) => accepts[kind] === undefined);

const frozen = <A>(value: A): string =>
  JSON.stringify(value, (_, x: unknown) => (ArrayBuffer.isView(x) ? Array.from(x as Float64Array) : x));

/** An operator with its arrays in single precision. */
const inSingle = <Op>(operator: Op): Op => {
  const convert = (x: unknown): unknown => {
    if (typeof x !== 'object' || x === null) return x;
    if ('data' in x && 'dtype' in x) return cast(x as Tensor, 'f32');
    if (Array.isArray(x)) return x.map(convert);
    return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, convert(value)]));
  };
  return convert(operator) as Op;
};

describe.each(rows.map((row) => [row.name, row] as const))('solver %s', (_, row) => {
  const accepted = acceptedBy(row);
  const refused = refusedBy(row);

  it.each(accepted)('law: residual. On %s its direction is the dense solution (%s)', async (kind, claim) => {
    if (claim === 'near') return;
    for (const [i, lambda] of row.dampings.entries()) {
      const seed = 1 + 20 * i;
      const block = (await blocksOfKinds(seed))[kind];
      const matrix = claimedMatrix(block, claim, lambda);
      const b = vectorOf(seed + 7);
      const x = await directionOf(row.solver(lambda), withDiagonal(block), b);
      const expected = await solvedDensely(matrix, b);
      expect(scaledError(columnOf(x).data, columnOf(expected).data)).toBeLessThan(1e-8);
      expect(relativeResidual(matrix, x, b)).toBeLessThan(1e-8);
    }
  });

  it.each(accepted)('law: symmetry and definiteness. On %s ⟨u, M v⟩ = ⟨M u, v⟩ and ⟨u, M u⟩ > 0', async (kind) => {
    const operator = withDiagonal((await blocksOfKinds(4))[kind]);
    const [u, v] = [vectorOf(5), vectorOf(8)];
    const [Mu, Mv] = [await directionOf(row.solver(1), operator, u), await directionOf(row.solver(1), operator, v)];
    expect(Math.abs(inner(u, Mv) - inner(Mu, v))).toBeLessThan(1e-7 * Math.sqrt(inner(Mu, Mu) * inner(v, v)));
    expect(inner(u, Mu)).toBeGreaterThan(0);
  });

  it('law: purity. Operators and gradients are bit-identical afterwards', async () => {
    const blocks = await blocksOfKinds(2);
    for (const [kind] of accepted) {
      const [operator, b] = [withDiagonal(blocks[kind]), vectorOf(3)];
      const before = frozen({ operator, b });
      await directionOf(row.solver(1), operator, b);
      expect(frozen({ operator, b })).toBe(before);
    }
  });

  it('singular blocks: the residual is as small, and nothing but zeros is the gradient over λ', async () => {
    const blocks = await blocksOfKinds(6, 1);
    const b = vectorOf(11);
    for (const [kind, claim] of accepted) {
      const x = await directionOf(row.solver(0.5), withDiagonal(blocks[kind]), b);
      const residual = relativeResidual(claimedMatrix(blocks[kind], claim, 0.5), x, b);
      expect(residual).toBeLessThan(claim === 'near' ? 10 : 1e-8);
    }
    const zero = (n: number): Tensor => ops.full([n, n], 0);
    const zeros: Partial<Record<Kind, BlockOperator<Tensor>>> = {
      kronecker: kroneckerOf(zero(5), zero(4)),
      'kronecker, A diagonal': kronecker(diagonal(ops.full([5], 0)), dense(zero(4))),
      dense: dense(zero(20)),
      'sum of two products': sumOf([kroneckerOf(zero(5), zero(4)), kroneckerOf(zero(5), zero(4))]),
    };
    for (const [kind] of accepted) {
      const block = zeros[kind];
      if (block === undefined) continue;
      const operator = blockDiagonal({ w: block, v: diagonal(ops.full(shapes.v, 0)) });
      const x = await directionOf(row.solver(0.25), operator, b);
      // Two terms that are both zero share λ: each takes half of it.
      expect(scaledError(columnOf(x).data, ops.scale(4, columnOf(b)).data)).toBeLessThan(1e-10);
    }
  });

  if (refused.length > 0) {
    it.each(refused)('refuses %s, naming the block, the solver and what it takes', async (kind) => {
      const result = await attempted(row.solver(0.1), withDiagonal((await blocksOfKinds(1))[kind]), vectorOf(1));
      expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'w' } });
      const message = E.isLeft(result) ? describeError(result.left) : '';
      expect(message).toMatch(/ for [a-zA-Z]+, got /);
      expect(message).toMatch(/diagonal|two terms/);
    });
  }

  it.each(wholeKinds)('on an operator that is %s: solves it, or refuses it by its name', async (kind) => {
    const [operator, b] = [wholesOfKinds(3)[kind], vectorOf(2)];
    const result = await attempted(row.solver(1), operator, b);
    if (!row.whole.includes(kind)) {
      expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'operator' } });
      return;
    }
    const x = orThrow(result).direction;
    expect(inner(b, x)).toBeGreaterThan(0);
    if (!row.iterates) return;
    const expected = await solvedDensely(dampedMatrix(operator, 1), b);
    expect(scaledError(columnOf(x).data, columnOf(expected).data)).toBeLessThan(1e-8);
  });
});

/** Rows without iterations, as preconditioners. */
const direct = rows.filter(({ iterates, name }) => !iterates && name !== 'choleskySolve');

/** A solver's preparation alone: what it leaves in the state. */
const preparing = (row: SolverRow): Preconditioner => ({
  name: row.name,
  prepare: (on, operator, lambda) => async () => {
    const given = { w: on.ops.full(shapes.w, 1), v: on.ops.full(shapes.v, 1) };
    const context = {
      state: initialState(given, keyOf(1)),
      blocks: wholeParameters(given),
      gradient: given,
      operator,
      captured: null,
    };
    const result = await row.solver(lambda).run(context)({ backend: on, clock: () => 0 })();
    return E.isLeft(result)
      ? result
      : E.right({ operator: result.right.state.solver.prepared ?? operator, metrics: {} });
  },
});

describe('preconditioners', () => {
  it.each(direct.map((row) => [row.name, row] as const))(
    'law: with the exact inverse of %s one iteration of CG is enough',
    async (_, row) => {
      const blocks = await blocksOfKinds(5);
      for (const [kind, claim] of acceptedBy(row)) {
        if (claim !== 'exact') continue;
        const options = { preconditioner: preparing(row), tolerance: 1e-9, warmStart: 0 };
        const solved = orThrow(
          await attempted(withDamping(0.1, iterative('cg', options)), withDiagonal(blocks[kind]), vectorOf(6)),
        );
        expect([row.name, kind, solved.metrics['solveIterations']]).toEqual([row.name, kind, 1]);
      }
    },
  );

  it('law: factored damping, which is close, saves iterations', async () => {
    const block = (await blocksOfKinds(5)).kronecker;
    const [kfac] = direct;
    const options = { tolerance: 1e-9, warmStart: 0 };
    const iterationsOf = async (preconditioner: Preconditioner | null): Promise<number> =>
      Number(
        orThrow(
          await attempted(
            withDamping(0.01, iterative('cg', { ...options, preconditioner })),
            withDiagonal(block),
            vectorOf(6),
          ),
        ).metrics['solveIterations'],
      );
    expect(await iterationsOf(preparing(kfac))).toBeLessThan(await iterationsOf(null));
  });
});

describe('agreement', () => {
  it.each(kinds)('law: on %s CG, MINRES, GMRES, BiCGSTAB and HSS give one answer', async (kind) => {
    const operator = withDiagonal((await blocksOfKinds(9))[kind]);
    const b = vectorOf(4);
    const answers = await Promise.all(
      rows
        .filter(({ name }) => ['cg', 'minres', 'gmres', 'bicgstab', 'hss'].includes(name))
        .map((row) => directionOf(row.solver(1), operator, b)),
    );
    expect(answers.length).toBe(5);
    for (const answer of answers.slice(1)) {
      expect(scaledError(columnOf(answer).data, columnOf(answers[0]).data)).toBeLessThan(1e-8);
    }
  });
});

describe('ill-conditioned: eigenvalues from 1 to 1e-8', () => {
  /** U diag(10^0 … 10^−8) Uᵀ. */
  const stretched = async (seed: number, n: number): Promise<Tensor> => {
    const { vectors } = orThrow(await linearAlgebra.eigh(ops.gram(gaussian(seed, [n + 2, n])))());
    const values = ops.reshape(
      ops.concat(
        Array.from({ length: n }, (_, i) => ops.full([1], 10 ** ((-8 * i) / (n - 1)))),
        0,
      ),
      [1, n],
    );
    const M = ops.matmul(ops.mul(vectors, values), vectors, { transposeB: true });
    return ops.scale(0.5, ops.add(M, ops.transposed(M)));
  };

  it.each(rows.filter(({ iterates }) => !iterates).map((row) => [row.name, row] as const))(
    'law: %s is backward stable, ‖b − M x‖ ≤ 1e-8 (‖M‖ ‖x‖ + ‖b‖)',
    async (_, row) => {
      const [A, G] = [await stretched(1, 5), await stretched(2, 4)];
      const blocks: Partial<Record<Kind, BlockOperator<Tensor>>> = {
        kronecker: kroneckerOf(A, G),
        dense: dense(await stretched(3, 20)),
      };
      const b = vectorOf(5);
      for (const [kind, claim] of acceptedBy(row)) {
        const block = blocks[kind];
        if (block === undefined) continue;
        const matrix = claimedMatrix(block, claim, 1e-8);
        const x = await directionOf(row.solver(1e-8), withDiagonal(block), b);
        const { values } = orThrow(await linearAlgebra.eigh(matrix)());
        const norm = values.data[values.data.length - 1];
        const size = norm * Math.sqrt(inner(x, x)) + Math.sqrt(inner(b, b));
        expect(relativeResidual(matrix, x, b) * Math.sqrt(inner(b, b))).toBeLessThan(1e-8 * size);
      }
    },
  );

  it('law: CG with the factored inverse as preconditioner gets there where plain CG does not', async () => {
    const operator = withDiagonal(kroneckerOf(await stretched(1, 5), await stretched(2, 4)));
    const options = { tolerance: 1e-9, maxIterations: 60, warmStart: 0 };
    const residualOf = async (preconditioner: Preconditioner | null): Promise<number> =>
      Number(
        orThrow(
          await attempted(withDamping(1e-8, iterative('cg', { ...options, preconditioner })), operator, vectorOf(5)),
        ).metrics['solveResidual'],
      );
    expect(await residualOf(preparing(direct[0]))).toBeLessThan(1e-9);
    expect(await residualOf(null)).toBeGreaterThan(1e-6);
  });
});

describe('f32, gpu.js in WebAssembly', () => {
  const single = orThrow(hostKernelBackend('webasm'));

  it.each(rows.map((row) => [row.name, row] as const))(
    'law: %s is within 16 n κ ε of the solution, and of the stopping rule where it iterates',
    async (_, row) => {
      const blocks = await blocksOfKinds(12);
      const b = vectorOf(13);
      const b32 = mapParams(b, (x) => cast(x, 'f32'));
      for (const [kind, claim] of acceptedBy(row)) {
        if (claim === 'near') continue;
        const matrix = claimedMatrix(blocks[kind], claim, 0.5);
        const bound = 16 * 26 * (await conditionOf(matrix)) * 2 ** -23;
        const x = await directionOf(row.solver(0.5, 1e-6), inSingle(withDiagonal(blocks[kind])), b32, single);
        const x64 = mapParams(x, (leaf) => cast(leaf, 'f64'));
        expect(relativeResidual(matrix, x64, b)).toBeLessThan(bound + (row.iterates ? 1e-6 : 0));
      }
    },
  );
});
