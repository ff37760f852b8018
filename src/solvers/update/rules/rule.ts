/**
 * Update rules: what happens to a direction before it changes the parameters.
 *
 * A rule maps a proposal to a direction, with memory of its own under its name in the training state. Rules run in
 * order; the empty list is plain descent.
 *
 * @module
 */
import { raise } from '../../../core/errors.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import type { Params } from '../../../core/params.ts';
import type { RuleMemory } from '../../../core/pipeline/trainState.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { MemoryKinds, MemoryOf } from './memory.ts';
import { recall } from './memory.ts';

/** What a rule sees. */
export interface Proposal<T> {
  /** The direction so far; the parameters will change by −η times it. */
  readonly direction: Params<T>;
  /** Mean gradient of the batch. */
  readonly gradient: Params<T>;
  readonly params: Params<T>;
  /** η of this step. */
  readonly learningRate: number;
}

/** What a rule gives. */
export interface Revision<T, M> {
  readonly direction: Params<T>;
  /** To be remembered; nothing when absent. */
  readonly memory?: M;
  readonly metrics?: Readonly<Record<string, T | number>>;
}

/** A rule as it is written: typed by what its memory has. */
export interface RuleWith<K extends MemoryKinds> {
  /** Unique in an update; names the memory. */
  readonly name: string;
  /** What its memory has, by name. */
  readonly remembers: K;
  /** From a proposal and the memory, `null` at first, to a direction and the next memory. */
  readonly revise: <T extends Shaped>(
    ops: Ops<T>,
    proposal: Proposal<T>,
    memory: MemoryOf<K, T> | null,
  ) => Revision<T, MemoryOf<K, T>>;
}

/** A change of the direction. What its memory has is its own affair: {@link rule} makes one from a {@link RuleWith}. */
export interface UpdateRule {
  /** Unique in an update; names the memory. */
  readonly name: string;
  /** Paths that it names, which must be of the model. */
  readonly paths?: ReadonlyArray<string>;
  /** From a proposal and what the state has under its name, `null` at first, to a direction and what it will have. */
  readonly revise: <T extends Shaped>(
    ops: Ops<T>,
    proposal: Proposal<T>,
    memory: RuleMemory<T> | null,
  ) => Revision<T, RuleMemory<T>>;
}

/**
 * A rule, with its memory as the training state keeps it.
 *
 * @param own - name, what its memory has, and what it does
 * @example
 * ```ts
 * import { zipParams } from 'kfac-ts/core';
 * import { rule } from 'kfac-ts/solvers';
 *
 * // Each direction is the mean of the last two.
 * const smoothed = rule({
 *   name: 'smoothed',
 *   remembers: { last: 'params' },
 *   revise: (ops, { direction }, memory) => ({
 *     direction:
 *       memory === null ? direction : zipParams(direction, memory.last, (d, l) => ops.linearCombination(0.5, d, 0.5, l)),
 *     memory: { last: direction },
 *   }),
 * });
 * ```
 */
export const rule = <const K extends MemoryKinds>({ name, remembers, revise }: RuleWith<K>): UpdateRule => ({
  name,
  revise: <T extends Shaped>(ops: Ops<T>, proposal: Proposal<T>, memory: RuleMemory<T> | null) =>
    revise(ops, proposal, recall(name, remembers, memory)),
});

/**
 * A rule under another name, which its memory has in the state and its metrics before theirs: for two rules of one kind in
 * one update.
 *
 * @param name - the new name, unique in the update
 * @param revised - any rule
 * @example
 * ```ts
 * import { momentum, renamed, update } from 'kfac-ts/solvers';
 *
 * const step = update({ learningRate: 0.1, rules: [momentum(0.9), renamed('slow', momentum(0.99))] });
 * ```
 */
export const renamed = (name: string, revised: UpdateRule): UpdateRule => ({
  ...revised,
  name,
  revise: (ops, proposal, memory) => {
    const { metrics = {}, ...revision } = revised.revise(ops, proposal, memory);
    const labelled = Object.entries(metrics).map(([metric, value]) => [`${name}.${metric}`, value] as const);
    return { ...revision, metrics: Object.fromEntries(labelled) };
  },
});

/**
 * The rules, if no two have one name and so one memory; a `BadConfig` is raised else.
 *
 * @param path - the setting that lists them
 * @param rules - rules of one update
 */
export const distinctNames = (path: string, rules: ReadonlyArray<UpdateRule>): ReadonlyArray<UpdateRule> => {
  const names = rules.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined
    ? rules
    : raise({
        _tag: 'BadConfig',
        path,
        expected: 'rules whose names differ, for each has a memory under its name: rename one',
        actual: `${twice} twice`,
      });
};
