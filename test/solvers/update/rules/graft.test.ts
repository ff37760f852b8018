import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import { attempt } from '../../../../src/core/errors.ts';
import { squaredError } from '../../../../src/core/nn/losses/squaredError.ts';
import type { Params } from '../../../../src/core/params.ts';
import { mapParams, zipParams } from '../../../../src/core/params.ts';
import { pipeline } from '../../../../src/core/pipeline/stage.ts';
import type { RuleMemory } from '../../../../src/core/pipeline/trainState.ts';
import { backward, forward } from '../../../../src/core/pipeline/forward.ts';
import { withObjective } from '../../../../src/core/pipeline/withObjective.ts';
import type { Shaped, Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { adam } from '../../../../src/solvers/presets/adam.ts';
import { kfacGrafted } from '../../../../src/solvers/presets/kfacGrafted.ts';
import { sgd } from '../../../../src/solvers/presets/sgd.ts';
import { adam as adamSolver, identity } from '../../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../../src/solvers/solver/solver.ts';
import { adamRule } from '../../../../src/solvers/update/rules/adamRule.ts';
import { graft } from '../../../../src/solvers/update/rules/graft.ts';
import type { Grafting } from '../../../../src/solvers/update/rules/grouped.ts';
import { graftings } from '../../../../src/solvers/update/rules/grouped.ts';
import { momentum } from '../../../../src/solvers/update/rules/momentum.ts';
import { onlyFor } from '../../../../src/solvers/update/rules/onlyFor.ts';
import type { UpdateRule } from '../../../../src/solvers/update/rules/rule.ts';
import { update } from '../../../../src/solvers/update/update.ts';
import { scaledError } from '../../../support/closeness.ts';
import { onEveryBackend } from '../../../support/everyBackend.ts';
import { gaussian, mlp, orThrow, runStage, stateOf, tryStage } from '../../../support/training.ts';

const { ops } = referenceBackend();

/** Two layers whose parameters are not side by side, and a parameter of none. */
const tree = (seed: number): Params<Tensor> => ({
  'a.weight': gaussian(seed, [2, 3]),
  'b.weight': gaussian(seed + 3, [2, 2]),
  c: gaussian(seed + 2, []),
  'a.bias': gaussian(seed + 1, [3]),
  'b.bias': gaussian(seed + 4, [2]),
});

const norm = (...arrays: ReadonlyArray<Tensor>): number =>
  Math.hypot(...arrays.flatMap(({ data }) => Array.from(data)));

const groups: Readonly<Record<Grafting, ReadonlyArray<ReadonlyArray<string>>>> = {
  parameter: Object.keys(tree(0)).map((path) => [path]),
  layer: [['a.weight', 'a.bias'], ['b.weight', 'b.bias'], ['c']],
  whole: [Object.keys(tree(0))],
};

const groupsOf = (by: Grafting, params: Params<Tensor>): ReadonlyArray<ReadonlyArray<Tensor>> =>
  groups[by].map((paths) => paths.map((path) => params[path]));

const lengths: Readonly<Record<string, ReadonlyArray<UpdateRule>>> = {
  SGD: [],
  'SGD with momentum': [momentum(0.9)],
  Adam: [adamRule({ beta2: 0.9 })],
  'Adam of averaged gradients': [momentum(0.5), adamRule()],
};

/** A rule run over directions and gradients. */
const runOf = (
  rule: UpdateRule,
  steps: ReadonlyArray<{ readonly direction: Params<Tensor>; readonly gradient: Params<Tensor> }>,
): ReadonlyArray<Params<Tensor>> => {
  let memory: RuleMemory<Tensor> | null = null;
  return steps.map(({ direction, gradient }) => {
    const found = rule.revise<Tensor>(ops, { direction, gradient, params: tree(9), learningRate: 0.1 }, memory);
    memory = found.memory ?? null;
    return found.direction;
  });
};

describe.each(Object.entries(lengths))('grafting %s', (_, length) => {
  it.each(graftings)('law: the length is the other optimizer’s, the direction stays, by %s', (by) => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.double({ min: -12, max: 12, noNaN: true }), (seed, exponent) => {
        const steps = Array.from({ length: 4 }, (__, i) => ({
          direction: mapParams(tree(seed + 10 * i), (x) => ops.scale(10 ** exponent, x)),
          gradient: tree(seed + 10 * i + 5),
        }));
        const beside = steps.map(({ gradient }) => ({ direction: gradient, gradient }));
        // The other optimizer by itself: its rules one after another, each with its memory.
        const others = length.reduce<
          ReadonlyArray<{ readonly direction: Params<Tensor>; readonly gradient: Params<Tensor> }>
        >((before, rule) => {
          const found = runOf(rule, before);
          return before.map(({ gradient }, i) => ({ direction: found[i], gradient }));
        }, beside);
        runOf(graft({ length, by }), steps).forEach((grafted, i) => {
          expect(Object.keys(grafted)).toEqual(Object.keys(steps[i].direction));
          const [made, other, given] = [grafted, others[i].direction, steps[i].direction].map((x) => groupsOf(by, x));
          made.forEach((group, g) => {
            expect(norm(...group) / norm(...other[g])).toBeCloseTo(1, 12);
            const ratio = norm(...group) / norm(...given[g]);
            group.forEach((x, j) => {
              expect(scaledError(x.data, ops.scale(ratio, given[g][j]).data)).toBeLessThan(1e-12);
            });
          });
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('graft', () => {
  it('law: identity. The other optimizer’s own direction stays as it is', () => {
    const steps = [1, 2, 3].map((seed) => ({ direction: tree(seed), gradient: tree(seed) }));
    const own = runOf(adamRule(), steps);
    const grafted = runOf(
      graft(),
      steps.map(({ gradient }, i) => ({ direction: own[i], gradient })),
    );
    own.forEach((d, i) => {
      for (const path of Object.keys(d)) expect(scaledError(grafted[i][path].data, d[path].data)).toBeLessThan(1e-14);
    });
  });

  it('worked example: (3, 4) with the length of the gradient (0, 10) is (6, 8)', () => {
    const [step] = runOf(graft({ length: [] }), [
      { direction: { a: tensor([3, 4], [2]) }, gradient: { a: tensor([0, 10], [2]) } },
    ]);
    expect(Array.from(step['a'].data)).toEqual([6, 8]);
  });

  it('refuses two rules of one name', () => {
    expect(attempt(() => graft({ length: [momentum(0.9), momentum(0.5)] }))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'graft.length', actual: 'momentum twice' }),
    );
  });

  it('refuses a path of nobody’s that one of its rules is for', async () => {
    const objective = { model: mlp([3, 2]), loss: squaredError };
    const stepFor = (path: string) =>
      pipeline(
        withObjective(objective),
        forward,
        backward,
        solve(identity),
        update({ learningRate: 0.1, rules: [graft({ length: [onlyFor([path], momentum(0.9))] })] }),
      );
    const batch = { inputs: gaussian(1, [8, 3]), targets: gaussian(2, [8, 2]) };
    const state = stateOf(objective.model, 1);
    expect(E.isRight(await tryStage(stepFor('0'), state, batch))).toBe(true);
    expect(await tryStage(stepFor('nobody'), state, batch)).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'rules.graft', actual: 'nobody' }),
    );
  });

  onEveryBackend((name, use) => {
    it(`law: zeros and the extremes of 32 bits have finite lengths, and the right ones (${name})`, () =>
      use(async <T extends Shaped>(backend: Backend<T>) => {
        const filled = (value: number): T => backend.ops.constant(generate([4], (i) => (i === 0 ? 0.5 : 1) * value));
        const expected: ReadonlyArray<readonly [direction: number, gradient: number, first: number]> = [
          [0, 0, 0],
          [0, 3, 0],
          [3, 0, 0],
          [1e-30, 1, 0.5],
          [1e30, 1, 0.5],
          [1, 1e-30, 0.5e-30],
          [1, 1e30, 0.5e30],
          [1e-36, 1e36, 0.5e36],
          [1e36, 1e-36, 0.5e-36],
        ];
        for (const taker of graftings) {
          for (const [direction, gradient, first] of expected) {
            const [of, by] = [{ d: filled(direction) }, { d: filled(gradient) }];
            const proposal = { direction: of, gradient: by, params: of, learningRate: 1 };
            const { direction: made } = graft({ length: [], by: taker }).revise(backend.ops, proposal, null);
            const [found] = orThrow(await backend.read(made['d'])()).data;
            expect(found === first || Math.abs(found / first - 1) < 1e-6).toBe(true);
          }
        }
      }));
  });
});

describe('adamRule', () => {
  it('law: after the gradient itself it is the solver adam', async () => {
    const objective = { model: mlp([3, 4, 2]), loss: squaredError };
    const batch = { inputs: gaussian(1, [8, 3]), targets: gaussian(2, [8, 2]) };
    const options = { beta1: 0.8, beta2: 0.95, epsilon: 1e-3 };
    const byRule = pipeline(
      withObjective(objective),
      forward,
      backward,
      solve(identity),
      update({ learningRate: 0.1, rules: [adamRule(options)] }),
    );
    const bySolver = pipeline(
      withObjective(objective),
      forward,
      backward,
      solve(adamSolver(options)),
      update({ learningRate: 0.1 }),
    );
    let [one, other] = [stateOf(objective.model, 1), stateOf(objective.model, 1)];
    for (let i = 0; i < 3; i += 1) {
      one = (await runStage(byRule, one, batch)).next;
      other = (await runStage(bySolver, other, batch)).next;
    }
    expect(one.params).toEqual(other.params);
  });
});

describe('kfac-grafted', () => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };
  const batchAt = (i: number) => ({ inputs: gaussian(20 + i, [16, 3]), targets: gaussian(40 + i, [16, 2]) });

  it.each(
    graftings.flatMap((by) => [
      { by, length: 'adam', other: adam({ learningRate: 0.01 }) } as const,
      { by, length: 'sgd', other: sgd({ learningRate: 0.01, momentum: 0.9 }) } as const,
    ]),
  )('law: a learning rate of $length carries over: each step is as long, by $by', async ({ by, length, other }) => {
    const grafted = pipeline(
      withObjective(objective),
      kfacGrafted({ learningRate: 0.01, length, by, damping: 0.1 }).step,
    );
    const plain = pipeline(withObjective(objective), other.step);
    const taken = {
      parameter: ['0.weight', '0.bias', '2.weight', '2.bias'].map((path) => [path]),
      layer: ['0', '2'].map((layer) => [`${layer}.weight`, `${layer}.bias`]),
      whole: [['0.weight', '0.bias', '2.weight', '2.bias']],
    }[by];
    let state = stateOf(objective.model, 3);
    let memory = stateOf(objective.model, 3);
    for (let i = 0; i < 5; i += 1) {
      const { next } = await runStage(grafted, state, batchAt(i));
      // The other optimizer's memory, at the same parameters and so of the same gradients.
      const beside = await runStage(plain, { ...memory, params: state.params }, batchAt(i));
      const moved = zipParams(next.params, state.params, (x, y) => ops.sub(x, y));
      const expected = zipParams(beside.next.params, state.params, (x, y) => ops.sub(x, y));
      for (const paths of taken) {
        const [made, others] = [moved, expected].map((x) => norm(...paths.map((path) => x[path])));
        expect(made / others).toBeCloseTo(1, 10);
      }
      expect(scaledError(moved['0.weight'].data, expected['0.weight'].data)).toBeGreaterThan(1e-3);
      [state, memory] = [next, beside.next];
    }
  });
});
