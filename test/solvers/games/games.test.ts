import fc from 'fast-check';

import { hessianProduct } from '../../../src/core/autodiff/products.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { gradientOf } from '../../../src/core/autodiff/reverse.ts';
import { attempt } from '../../../src/core/errors.ts';
import { materialiseBlocks } from '../../../src/core/operators/materialise.ts';
import { diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { stack } from '../../../src/core/operators/vec.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams } from '../../../src/core/params.ts';
import { blocksOf } from '../../../src/core/pipeline/blocks.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import type { Context } from '../../../src/core/pipeline/context.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { competitive } from '../../../src/solvers/games/competitive.ts';
import type { Game, GameNeeds } from '../../../src/solvers/games/game.ts';
import {
  interaction,
  jacobian,
  jacobianAt,
  jacobianTranspose,
  jointGradient,
} from '../../../src/solvers/games/game.ts';
import { playGame } from '../../../src/solvers/games/playGame.ts';
import type {
  DampedGameNeeds,
  GameNewtonOptions,
  PreconditionedGameNewtonOptions,
} from '../../../src/solvers/games/gameNewton.ts';
import { gameNewton, preconditionedGameNewton } from '../../../src/solvers/games/gameNewton.ts';
import { symplectic } from '../../../src/solvers/games/symplectic.ts';
import type { Action } from '../../../src/core/operators/action.ts';
import { shifted } from '../../../src/core/operators/action.ts';
import { conjugateGradient } from '../../../src/solvers/krylov/conjugateGradient.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { Solver } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, orThrow, referenceEnv, runStage } from '../../support/training.ts';
import {
  backend,
  batchOf,
  bilinear,
  diracGan,
  elementsOf,
  gameOf,
  normOf,
  ops,
  play,
  stepFrom,
  stepOf,
  zeroSum,
} from './support.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';

const scalar = (value: number): Tensor => tensor([value], [1]);

/** A game with curvature, noise from the batch, and neither symmetry nor zero sum. */
const general: Game = gameOf(
  (on, { x, y }, [M]) => on.dot(on.tanh(on.matmul(M, x)), on.add(y, on.square(on.matmul(M, x)))),
  (on, { x, y }, [M]) => on.sub(on.dot(on.square(y), on.square(y)), on.dot(on.sigmoid(y), on.matmul(M, x))),
);

const pointOf = (seed: number, d: number): Params<Tensor> => ({
  x: gaussian(seed, [d, 1]),
  y: gaussian(seed + 1, [d, 1]),
});

const matrixOf = (action: Action<Tensor>, at: Params<Tensor>): Tensor =>
  materialiseBlocks(
    ops,
    action,
    mapParams(at, ({ shape }) => shape),
  );

const column = (v: Params<Tensor>): Tensor => stack(ops, v, ['x', 'y']);

const seeds = fc.nat(100_000);
const runs = { numRuns: 20 };

/** The solver with a λ. */
const damped = (damping: number, solver: Solver<DampedGameNeeds>): Solver<GameNeeds> => ({
  run: <T extends Shaped>(context: Context<T, GameNeeds>) => solver.run<T>({ ...context, damping }),
});

const directionOf = async (
  game: Game,
  solver: Solver<GameNeeds>,
  params: Params<Tensor>,
  inputs: Tensor,
): Promise<Params<Tensor>> =>
  (await runStage(pipeline(playGame(game), solve(solver)), initialState(params, keyOf(1)), batchOf(inputs))).direction;

describe('joint gradient', () => {
  it('worked example: f = x² y and g = x y give ξ = (2 x y, x) and J = [[2 y, 2 x], [1, 0]]', () => {
    const game = gameOf(
      (on, { x, y }) => on.dot(on.square(x), y),
      (on, { x, y }) => on.dot(x, y),
    );
    const at = { x: scalar(3), y: scalar(5) };
    expect(elementsOf(jointGradient(game)(ops, at, []))).toEqual([30, 3]);
    expect(Array.from(matrixOf(jacobian(game, at, []), at).data)).toEqual([10, 6, 1, 0]);
    expect(Array.from(matrixOf(jacobianTranspose(game, at, []), at).data)).toEqual([10, 1, 6, 0]);
    expect(Array.from(matrixOf(interaction(game, at, []), at).data)).toEqual([0, 6, 1, 0]);
  });

  it('law: each player’s part is the gradient of its own loss', () => {
    const [at, M] = [pointOf(3, 3), gaussian(9, [3, 3])];
    const xi = jointGradient(general)(ops, at, [M]);
    expect(xi['x']).toEqual(gradientOf(general[0].loss)(ops, at, [M])['x']);
    expect(xi['y']).toEqual(gradientOf(general[1].loss)(ops, at, [M])['y']);
    expect(Object.keys(jointGradient(general)(ops, { y: at['y'], x: at['x'] }, [M]))).toEqual(['y', 'x']);
  });

  it('law: J against central differences of ξ, and the transpose is the transpose', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [at, M] = [pointOf(seed, 2), gaussian(seed + 5, [2, 2])];
        const v = pointOf(seed + 7, 2);
        const xiAt = (t: number): ReadonlyArray<number> =>
          elementsOf(
            jointGradient(general)(
              ops,
              mapParams(at, (p, path) => ops.linearCombination(1, p, t, v[path])),
              [M],
            ),
          );
        const h = 1e-5;
        const [above, below] = [xiAt(h), xiAt(-h)];
        const slope = above.map((value, i) => (value - below[i]) / (2 * h));
        const image = elementsOf(jacobian(general, at, [M])(ops, v));
        // Truncation is h² times a third derivative of order 10², rounding 1e-16 times |ξ| over h.
        const size = 1 + Math.max(...xiAt(0).map(Math.abs), ...elementsOf(v).map(Math.abs)) ** 3;
        expect(scaledError(image, slope)).toBeLessThan(1e-7 * size);
        const J = matrixOf(jacobian(general, at, [M]), at);
        const transposed = matrixOf(jacobianTranspose(general, at, [M]), at);
        expect(scaledError(transposed.data, ops.transposed(J).data)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });

  it('law: J and Jᵀ of one run are those of a run for each product, bit for bit', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [at, M, v] = [pointOf(seed, 2), gaussian(seed + 5, [2, 2]), pointOf(seed + 7, 2)];
        const { forward, transposed } = jacobianAt(ops, general, at, [M]);
        expect(forward(ops, v)).toEqual(jacobian(general, at, [M])(ops, v));
        expect(transposed(ops, v)).toEqual(jacobianTranspose(general, at, [M])(ops, v));
      }),
      runs,
    );
  });

  it('law: of a zero-sum game the interaction is skew', () => {
    const [at, M] = [pointOf(3, 3), gaussian(9, [3, 3])];
    const game = zeroSum(general[0].loss);
    const B = matrixOf(interaction(game, at, [M]), at);
    expect(scaledError(ops.transposed(B).data, ops.neg(B).data)).toBeLessThan(1e-13);
  });

  it('a parameter of nobody, or of both, is an error that names it', () => {
    const orphan = { ...pointOf(1, 2), z: scalar(1) };
    expect(attempt(() => jointGradient(bilinear)(ops, orphan, [gaussian(1, [2, 2])]))).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'z' },
    });
    const greedy: Game = [{ ...bilinear[0], owns: () => true }, bilinear[1]];
    expect(attempt(() => jointGradient(greedy)(ops, pointOf(1, 2), [gaussian(1, [2, 2])]))).toMatchObject({
      _tag: 'Left',
      left: { path: 'y', actual: 'first: true, second: true' },
    });
  });

  it('reports both losses', async () => {
    const { metrics } = await runStage(
      playGame(diracGan),
      initialState({ x: scalar(1), y: scalar(2) }, keyOf(1)),
      batchOf(scalar(0)),
    );
    const value = -Math.log(1 + Math.exp(-2)) - Math.log(2);
    expect(metrics['loss']).toEqual(metrics['loss.first']);
    expect((metrics['loss.first'] as Tensor).data[0]).toBeCloseTo(value, 12);
    expect((metrics['loss.second'] as Tensor).data[0]).toBeCloseTo(-value, 12);
  });
});

/** The solvers that must converge where descent does not, with the learning rate of their updates. */
const solvers: ReadonlyArray<readonly [string, (game: Game) => Solver<GameNeeds>, number]> = [
  ['symplectic', (game) => symplectic(game, { tau: 1 }), 0.3],
  ['competitive', (game) => competitive(game, { learningRate: 1 }), 1],
  ['gameNewton by GMRES', (game) => damped(0.5, gameNewton(game)), 1],
  ['gameNewton by HSS', (game) => damped(0.5, gameNewton(game, { method: 'hss' })), 1],
];

describe('bilinear game xᵀ M y', () => {
  /** Singular values near 1, so that one learning rate suits all. */
  const matrixFrom = (seed: number): Tensor => ops.addDiagonal(ops.scale(0.15, gaussian(seed, [3, 3])), 1);

  it('law: simultaneous gradient spirals outward, ‖z′‖² = ‖z‖² + η² ‖J z‖²', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, at] = [matrixFrom(seed), pointOf(seed + 3, 3)];
        const after = await play(bilinear, identity, 0.1, at, M, 1);
        const image = jointGradient(bilinear)(ops, at, [M]);
        const expected = normOf(at) ** 2 + 0.01 * normOf(image) ** 2;
        expect(Math.abs(normOf(after) ** 2 - expected)).toBeLessThan(1e-12 * (1 + expected));
        expect(normOf(after)).toBeGreaterThan(normOf(at));
      }),
      runs,
    );
  });

  // The steps are normal linear maps z ↦ T z, the same each time, so a smaller norm in every step is convergence.
  it.each(solvers)(
    'law: %s converges to the equilibrium 0, closer in every step',
    async (_, solverOf, learningRate) => {
      await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
          const [M, at] = [matrixFrom(seed), pointOf(seed + 3, 3)];
          const solver = solverOf(bilinear);
          let params = at;
          for (let i = 0; i < 10; i += 1) {
            const next = await play(bilinear, solver, learningRate, params, M, 1);
            expect(normOf(next)).toBeLessThan(0.99 * normOf(params));
            params = next;
          }
          expect(normOf(params)).toBeLessThan(0.5 * normOf(at));
        }),
        { numRuns: 6 },
      );
    },
  );

  it('law: competitive descent is (I + η J)⁻¹, damped Newton λ (J + λ I)⁻¹: both proximal points', async () => {
    const [M, at] = [matrixFrom(1), pointOf(3, 3)];
    const J = matrixOf(jacobian(bilinear, at, [M]), at);
    const eta = 0.7;
    const expected = orThrow(await backend.linearAlgebra.solve(ops.addDiagonal(ops.scale(eta, J), 1), column(at))());
    const exact = { tolerance: 1e-13 };
    const one = await play(bilinear, competitive(bilinear, { learningRate: eta, ...exact }), eta, at, M, 1);
    const two = await play(bilinear, damped(1 / eta, gameNewton(bilinear, exact)), 1, at, M, 1);
    const byHss = gameNewton(bilinear, { method: 'hss', ...exact });
    const three = await play(bilinear, damped(1 / eta, byHss), 1, at, M, 1);
    for (const z of [one, two, three]) expect(scaledError(column(z).data, expected.data)).toBeLessThan(1e-10);
  });
});

describe('Dirac-GAN', () => {
  const start = { x: scalar(1), y: scalar(1) };
  const nothing = scalar(0);

  it('law: simultaneous gradient does not converge: the norm grows in every step', async () => {
    let params: Params<Tensor> = start;
    for (let i = 0; i < 50; i += 1) {
      const next = await play(diracGan, identity, 0.2, params, nothing, 1);
      expect(normOf(next)).toBeGreaterThan(normOf(params));
      params = next;
    }
    expect(normOf(params)).toBeGreaterThan(1.1 * normOf(start));
  });

  it.each(solvers)('law: %s converges to the equilibrium 0', async (_, solverOf, learningRate) => {
    // Near 0 the slowest, symplectic, shrinks by √((1 − η / 4)² + η² / 4) = 0.937 in a step, 2e-6 in 200.
    const after = await play(diracGan, solverOf(diracGan), learningRate, start, nothing, 200);
    expect(normOf(after)).toBeLessThan(1e-4);
  });
});

describe('potential game, whose Jacobian is symmetric', () => {
  /** Both players lower one convex function, so there is no zero-sum part. */
  const potential: Program = (on, { x, y }, [M]) => {
    const z = on.concat([x, y], 0);
    return on.add(on.scale(0.5, on.dot(z, z)), on.sum(on.softplus(on.matmul(M, z)), [0, 1]));
  };
  const game = gameOf(potential, potential);

  it('law: symplectic adjustment is the gradient, damped Newton is CG’s answer on the Hessian', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [at, M] = [pointOf(seed, 3), gaussian(seed + 5, [4, 6])];
        const xi = jointGradient(game)(ops, at, [M]);
        const adjusted = await directionOf(game, symplectic(game, { tau: 2 }), at, M);
        expect(scaledError(elementsOf(adjusted), elementsOf(xi))).toBeLessThan(1e-12);
        const hessian: Action<Tensor> = (on, v) => hessianProduct(on, potential, at, v, [M]);
        const tight = { tolerance: 1e-12 };
        const { x: expected } = orThrow(await conjugateGradient(backend, shifted(hessian, 0.3), xi, tight)());
        for (const method of ['gmres', 'hss'] as const) {
          const newton = gameNewton(game, { alpha: 3, method, ...tight });
          const d = await directionOf(game, damped(0.3, newton), at, M);
          expect(scaledError(elementsOf(d), elementsOf(expected))).toBeLessThan(1e-8);
        }
        const mixed = interaction(game, at, [M]);
        const local: Action<Tensor> = (on, v) => {
          const image = mixed(on, v);
          return mapParams(v, (leaf, path) => on.linearCombination(1, leaf, 0.1, image[path]));
        };
        const { x: nash } = orThrow(await conjugateGradient(backend, local, xi, tight)());
        const d = await directionOf(game, competitive(game, { learningRate: 0.1, ...tight }), at, M);
        expect(scaledError(elementsOf(d), elementsOf(nash))).toBeLessThan(1e-8);
      }),
      { numRuns: 8 },
    );
  });
});

describe('symplectic', () => {
  it('law: ξ + τ Kᵀ ξ with K = (J − Jᵀ) / 2, as matrices', async () => {
    const [at, M] = [pointOf(3, 2), gaussian(9, [2, 2])];
    const J = matrixOf(jacobian(general, at, [M]), at);
    const K = ops.scale(0.5, ops.sub(J, ops.transposed(J)));
    const xi = column(jointGradient(general)(ops, at, [M]));
    for (const tau of [0, 0.7, -2]) {
      const expected = ops.add(xi, ops.scale(tau, ops.matmul(K, xi, { transposeA: true })));
      const direction = column(await directionOf(general, symplectic(general, { tau }), at, M));
      expect(scaledError(direction.data, expected.data)).toBeLessThan(1e-12);
    }
  });

  it('option: align turns the adjustment away from an unstable fixed point', async () => {
    // The players lower −½ x² + 2 x y and −½ y² − 2 x y: J = [[−1, 2], [−2, −1]], so 0 is unstable. At z: ξ = J z,
    // ∇H = Jᵀ ξ = 5 z, Kᵀ ξ with K = [[0, 2], [−2, 0]]. ⟨ξ, ∇H⟩ = −5 ‖z‖², ⟨Kᵀ ξ, ∇H⟩ = 20 ‖z‖²: opposite signs.
    const unstable = gameOf(
      (on, { x, y }) => on.add(on.scale(-0.5, on.dot(x, x)), on.scale(2, on.dot(x, y))),
      (on, { x, y }) => on.sub(on.scale(-0.5, on.dot(y, y)), on.scale(2, on.dot(x, y))),
    );
    const at = { x: scalar(1), y: scalar(0) };
    const plain = await directionOf(unstable, symplectic(unstable), at, scalar(0));
    const aligned = await directionOf(unstable, symplectic(unstable, { align: true }), at, scalar(0));
    // ξ = (−1, −2), Kᵀ ξ = [[0, −2], [2, 0]] ξ = (4, −2).
    expect(elementsOf(plain)).toEqual([3, -4]);
    expect(elementsOf(aligned)).toEqual([-5, 0]);
  });
});

describe('competitive', () => {
  it('law: the pair of solves of the paper, (I − η² D_xy f D_yx g) d_x = ∇_x f − η D_xy f ∇_y g and its mirror', async () => {
    const [at, M, eta] = [pointOf(3, 2), gaussian(9, [2, 2]), 0.4];
    const B = matrixOf(interaction(general, at, [M]), at);
    const [xy, yx] = [ops.slice(B, [0, 2], [2, 2]), ops.slice(B, [2, 0], [2, 2])];
    const { x: fx, y: gy } = jointGradient(general)(ops, at, [M]);
    const half = async (own: Tensor, other: Tensor, mine: Tensor, theirs: Tensor): Promise<Tensor> => {
      const matrix = ops.addDiagonal(ops.scale(-eta * eta, ops.matmul(own, other)), 1);
      const right = ops.sub(mine, ops.scale(eta, ops.matmul(own, theirs)));
      return orThrow(await backend.linearAlgebra.solve(matrix, right)());
    };
    const solver = competitive(general, { learningRate: eta, tolerance: 1e-13 });
    const direction = await directionOf(general, solver, at, M);
    expect(scaledError(direction['x'].data, (await half(xy, yx, fx, gy)).data)).toBeLessThan(1e-9);
    expect(scaledError(direction['y'].data, (await half(yx, xy, gy, fx)).data)).toBeLessThan(1e-9);
  });
});

describe('options and reports', () => {
  const [at, M] = [pointOf(3, 3), gaussian(9, [3, 3])];
  const convex = gameOf(
    (on, { x, y }, [A]) => on.add(on.scale(2, on.dot(x, x)), on.dot(x, on.matmul(A, y))),
    (on, { x, y }, [A]) => on.sub(on.dot(y, y), on.scale(2, on.dot(x, on.matmul(A, y)))),
  );

  it.each<readonly [string, Solver<GameNeeds>, Solver<GameNeeds>]>([
    ['symplectic tau', symplectic(convex), symplectic(convex, { tau: 0.5 })],
    ['competitive learningRate', competitive(convex, { learningRate: 1 }), competitive(convex, { learningRate: 0.5 })],
    [
      'competitive tolerance',
      competitive(convex, { learningRate: 1 }),
      competitive(convex, { learningRate: 1, tolerance: 0.9 }),
    ],
    [
      'competitive maxIterations',
      competitive(convex, { learningRate: 1 }),
      competitive(convex, { learningRate: 1, maxIterations: 1 }),
    ],
    ['gameNewton damping', damped(1, gameNewton(convex)), damped(2, gameNewton(convex))],
    ['gameNewton method', damped(1, gameNewton(convex)), damped(1, gameNewton(convex, { method: 'hss' }))],
    [
      'gameNewton alpha',
      damped(1, gameNewton(convex, { method: 'hss', maxIterations: 2 })),
      damped(1, gameNewton(convex, { method: 'hss', maxIterations: 2, alpha: 4 })),
    ],
    ['gameNewton tolerance', damped(1, gameNewton(convex)), damped(1, gameNewton(convex, { tolerance: 0.9 }))],
    ['gameNewton maxIterations', damped(1, gameNewton(convex)), damped(1, gameNewton(convex, { maxIterations: 1 }))],
  ])('option: %s changes the direction', async (_, one, other) => {
    const [a, b] = [await directionOf(convex, one, at, M), await directionOf(convex, other, at, M)];
    expect(scaledError(elementsOf(a), elementsOf(b))).toBeGreaterThan(1e-12);
  });

  it('iterations and residual are reported', async () => {
    const state = initialState(at, keyOf(1));
    const step = pipeline(playGame(convex), damp(1), solve(gameNewton(convex)), update({ learningRate: 1 }));
    const newton = await runStage(step, state, batchOf(M));
    expect(newton.metrics).toMatchObject({ damping: 1 });
    expect(Number(newton.metrics['solveIterations'])).toBeGreaterThan(0);
    expect(Number(newton.metrics['solveResidual'])).toBeLessThanOrEqual(1e-6);
    const local = await stepFrom(convex, competitive(convex, { learningRate: 1 }), 1, state, M);
    expect(Number(local.metrics['solveIterations'])).toBeGreaterThan(0);
    expect(Number(local.metrics['solveResidual'])).toBeLessThanOrEqual(1e-6);
  });

  it('law: where the symmetric part is not definite, HSS takes the least of λ, 4 λ, 16 λ, … for which it is', async () => {
    const lambda = 0.1;
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.nat(4),
        fc.double({ min: 0.3, max: 0.9, noNaN: true }),
        async (seed, raises, share) => {
          // S is −cI, of which λ raised so often takes care.
          const raised = lambda * 4 ** raises;
          const curvature = share * raised;
          const concave =
            (sign: number, own: 'x' | 'y'): Program =>
            (on, at, [M]) =>
              on.linearCombination(
                sign,
                on.dot(at['x'], on.matmul(M, at['y'])),
                -curvature / 2,
                on.dot(at[own], at[own]),
              );
          const game = gameOf(concave(1, 'x'), concave(-1, 'y'));
          const [at, M] = [pointOf(seed, 3), gaussian(seed + 5, [3, 3])];
          const newton = gameNewton(game, { method: 'hss', tolerance: 1e-12, maxIterations: 300 });
          const stages = pipeline(playGame(game), solve(damped(lambda, newton)));
          const { direction, metrics } = await runStage(stages, initialState(at, keyOf(1)), batchOf(M));
          expect(metrics['solveDamping']).toBe(raised);
          const J = matrixOf(jacobian(game, at, [M]), at);
          const xi = column(jointGradient(game)(ops, at, [M]));
          const expected = orThrow(await backend.linearAlgebra.solve(ops.addDiagonal(J, raised), xi)());
          expect(scaledError(column(direction).data, expected.data)).toBeLessThan(1e-8);
        },
      ),
      runs,
    );
  });

  it('law: α is √(λ (λ + γ)) with γ of the symmetric part, and what HSS ends with is no further from the solution than 0', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: 0.5, max: 4, noNaN: true }), async (seed, gamma) => {
        const [lambda, at, M] = [0.3, pointOf(seed, 3), gaussian(seed + 5, [3, 3])];
        const bowl =
          (sign: number, own: 'x' | 'y'): Program =>
          (on, { x, y }, [A]) =>
            on.linearCombination(
              sign,
              on.dot(x, on.matmul(A, y)),
              gamma / 2,
              on.dot(own === 'x' ? x : y, own === 'x' ? x : y),
            );
        const game = gameOf(bowl(1, 'x'), bowl(-1, 'y'));
        const after = async (options: GameNewtonOptions): Promise<ReadonlyArray<number>> =>
          elementsOf(
            await directionOf(
              game,
              damped(lambda, gameNewton(game, { method: 'hss', maxIterations: 1, ...options })),
              at,
              M,
            ),
          );
        const chosen = await after({ alpha: Math.sqrt(lambda * (lambda + gamma)) });
        expect(scaledError(await after({}), chosen)).toBeLessThan(1e-12);

        const newton = gameNewton(general, { method: 'hss', maxIterations: 3 });
        const stages = pipeline(playGame(general), solve(damped(lambda, newton)));
        const { metrics } = await runStage(stages, initialState(at, keyOf(1)), batchOf(M));
        expect(Number(metrics['solveResidual'])).toBeLessThanOrEqual(1);
      }),
      runs,
    );
  });

  it('law: purity, a step leaves state and batch bit-identical', async () => {
    for (const [, solverOf] of solvers) {
      const [state, batch] = [initialState(at, keyOf(1)), batchOf(M)];
      const before = structuredClone({ state, batch });
      await runStage(stepOf(convex, solverOf(convex), 0.1), state, batch);
      expect({ state, batch }).toEqual(before);
    }
  });

  describe('preconditionedGameNewton', () => {
    /** The players' curvature, here the diagonal of S: 4 for x and 2 for y. */
    const curvature = computation<'state', 'blocks' | 'operator'>('curvature', (on, { state }) => ({
      blocks: blocksOf([], Object.keys(state.params)),
      operator: blockDiagonal({ x: diagonal(on.full([3, 1], 4)), y: diagonal(on.full([3, 1], 2)) }),
    }));

    const curved = (options: PreconditionedGameNewtonOptions) =>
      pipeline(playGame(convex), curvature, damp(0.5), solve(preconditionedGameNewton(convex, options)));

    it.each(['gmres', 'hss'] as const)('by %s: the curvature changes the way, not the answer', async (method) => {
      const options = { method, alpha: 3, tolerance: 1e-11, preconditioner: kroneckerInverse, every: 2 };
      const state = initialState(at, keyOf(1));
      const context = await runStage(curved(options), state, batchOf(M), referenceEnv());
      const expected = await directionOf(convex, damped(0.5, gameNewton(convex, options)), at, M);
      expect(scaledError(elementsOf(context.direction), elementsOf(expected))).toBeLessThan(1e-8);
      expect(context.metrics).toMatchObject({ inverseAge: 0, damping: 0.5 });
      expect(context.state.solver.prepared).not.toBeNull();
      const next = await runStage(curved(options), { ...context.state, step: 1 }, batchOf(M));
      expect(next.metrics).toMatchObject({ inverseAge: 1 });
      expect(next.state.solver.prepared).toBe(context.state.solver.prepared);
    });
  });
});
