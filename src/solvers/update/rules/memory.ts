/**
 * What update rules remember, typed by the rule and plain data in the training state.
 *
 * A rule says what its memory has, name by name with the kind of each value, and that is both its type and the check of
 * what a state holds under the rule's name: a state that another rule of the same name has left is refused, and nothing
 * is taken for what it is not.
 *
 * @module
 */
import { raise } from '../../../core/errors.ts';
import type { Params } from '../../../core/params.ts';
import { isArray } from '../../../core/pipeline/arraysIn.ts';
import type { Memory, RuleMemory } from '../../../core/pipeline/trainState.ts';
import type { Shaped } from '../../../core/tensor.ts';

/** Kinds of values in a memory. */
export interface Kinds<T> {
  /** Arrays by parameter path. */
  readonly params: Params<T>;
  /** One array of any shape. */
  readonly array: T;
  readonly number: number;
}

/** What a memory has: the kind of each value by name. */
export type MemoryKinds = Readonly<Record<string, keyof Kinds<unknown>>>;

/** A memory for an interpreter's arrays. */
export type MemoryOf<K extends MemoryKinds, T> = { readonly [Name in keyof K]: Kinds<T>[K[Name]] };

const kindOf = <T extends Shaped>(value: RuleMemory<T>[string]): keyof Kinds<T> => {
  if (typeof value === 'number') return 'number';
  return isArray<T>(value) ? 'array' : 'params';
};

const described = (kinds: MemoryKinds): string => {
  const entries = Object.entries(kinds).map(([name, kind]) => `${name}: ${kind}`);
  return entries.length === 0 ? 'nothing' : entries.join(', ');
};

const fits = <K extends MemoryKinds, T extends Shaped>(
  kinds: K,
  memory: RuleMemory<T>,
): memory is RuleMemory<T> & MemoryOf<K, T> =>
  Object.entries(kinds).every(([name, kind]) => Object.hasOwn(memory, name) && kindOf(memory[name]) === kind);

/** A place for a memory in the training state. */
export interface MemoryPlace<K extends MemoryKinds> {
  readonly name: string;
  /** What a state has there, `null` at first. */
  readonly in: <T extends Shaped>(rules: Memory<T>['rules']) => MemoryOf<K, T> | null;
}

/**
 * A memory as its rule knows it.
 *
 * @param name - name of the rule
 * @param kinds - what its memory has
 * @param memory - what the state has under that name, `null` at first
 */
export const recall = <K extends MemoryKinds, T extends Shaped>(
  name: string,
  kinds: K,
  memory: RuleMemory<T> | null,
): MemoryOf<K, T> | null => {
  if (memory === null || fits(kinds, memory)) return memory;
  const found: MemoryKinds = Object.fromEntries(Object.entries(memory).map(([key, value]) => [key, kindOf(value)]));
  return raise({
    _tag: 'BadConfig',
    path: `rules.${name}`,
    expected: `a memory of ${described(kinds)}`,
    actual: `one of ${described(found)}, which another rule of this name has left`,
  });
};

/**
 * The place of a memory that a stage keeps for itself, as a rule does.
 *
 * @param name - its name in the state; no rule of the step may have it
 * @param kinds - what the memory has
 */
export const memoryAt = <const K extends MemoryKinds>(name: string, kinds: K): MemoryPlace<K> => ({
  name,
  in: <T extends Shaped>(rules: Memory<T>['rules']) =>
    recall<K, T>(name, kinds, Object.hasOwn(rules, name) ? rules[name] : null),
});
