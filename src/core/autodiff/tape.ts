/**
 * The tape of the reverse mode: what was computed from what, and the walk back.
 *
 * Only values that depend on a leaf (a parameter or a site) get a place on the tape, and an operation keeps edges to
 * such operands alone, so constants cost nothing on the way back. The walk is restricted further to nodes that lead to
 * a target: asked for the sites' cotangents, it never forms a parameter's. Beside its edges a place has what it uses of the
 * named leaves.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import { tidyWithin } from '../ops/tidy.ts';
import type { Shape, Shaped } from '../tensor.ts';
import type { Uses } from './uses.ts';
import { unused, used } from './uses.ts';
import type { Pull } from './vjpRules.ts';

/** A value with its place on the tape, or `null` when no derivative flows to it. */
export interface TapeNode<T> extends Shaped {
  readonly value: T;
  readonly id: number | null;
}

interface Edge<T extends Shaped> {
  readonly parent: number;
  readonly pull: Pull<T>;
}

interface Entry<T extends Shaped> {
  readonly shape: Shape;
  readonly uses: Uses;
  readonly edges: ReadonlyArray<Edge<T>>;
}

/** Told of a target's cotangent, with the operations of the scope that it is in. */
type Told<T extends Shaped> = (on: Ops<T>, target: number, cotangent: T) => void;

/** Records operations and walks back over them. */
export interface Tape<T extends Shaped> {
  /** A value to differentiate with respect to; one with a name is followed by what uses it. */
  readonly leaf: (value: T, name?: string) => TapeNode<T> & { readonly id: number };
  /**
   * The result of an operation, with one function per operand (or none); a constant when all operands are. `uses` makes
   * its uses from those of the operands, which are empty for a constant.
   */
  readonly record: (
    value: T,
    operands: ReadonlyArray<TapeNode<T>>,
    pulls: ReadonlyArray<Pull<T>>,
    uses: (operands: ReadonlyArray<Uses>) => Uses,
  ) => TapeNode<T>;
  /** What a value uses of the leaves that have names. */
  readonly usesOf: (node: TapeNode<T>) => Uses;
  /**
   * The map from cotangents of results to those of targets, computed with the tape's own interpreter unless another is given;
   * zeros where a target does not reach a result. Each is told as soon as it is there.
   */
  readonly walkBack: (
    results: ReadonlyArray<TapeNode<T>>,
    targets: ReadonlyArray<number>,
  ) => (cotangents: ReadonlyArray<T>, on?: Ops<T>, tell?: Told<T>) => ReadonlyArray<T>;
}

/** A value that no derivative flows to. */
export const constantNode = <T extends Shaped>(value: T): TapeNode<T> => ({ shape: value.shape, value, id: null });

/** Which nodes are targets or depend on one. Operands come before results on a tape, so one pass is enough. */
const leadsTo = <T extends Shaped>(
  entries: ReadonlyArray<Entry<T>>,
  targets: ReadonlyArray<number>,
): ReadonlyArray<boolean> => {
  const leads = new Array<boolean>(entries.length).fill(false);
  for (const target of targets) leads[target] = true;
  for (let id = 0; id < entries.length; id += 1) {
    leads[id] = leads[id] || entries[id].edges.some(({ parent }) => leads[parent]);
  }
  return leads;
};

const nothing: ReadonlyMap<number, ReadonlyArray<number>> = new Map();

/** The targets whose cotangents are complete once the walk has passed a node: those of which it is the first user. */
const completedBy = <T extends Shaped>(
  entries: ReadonlyArray<Entry<T>>,
  targets: ReadonlySet<number>,
): ReadonlyMap<number, ReadonlyArray<number>> => {
  const users = new Map<number, Array<number>>();
  const left = new Set(targets);
  entries.forEach(({ edges }, id) => {
    for (const { parent } of edges) if (left.delete(parent)) users.set(id, [...(users.get(id) ?? []), parent]);
  });
  return users;
};

/**
 * An empty tape.
 *
 * @param ops - interpreter that adds up cotangents
 */
export const createTape = <T extends Shaped>(ops: Ops<T>): Tape<T> => {
  const entries: Array<Entry<T>> = [];
  const place = (value: T, edges: ReadonlyArray<Edge<T>>, uses: Uses): TapeNode<T> & { readonly id: number } => {
    entries.push({ shape: value.shape, edges, uses });
    return { shape: value.shape, value, id: entries.length - 1 };
  };
  const usesOf = ({ id }: TapeNode<T>): Uses => (id === null ? unused : entries[id].uses);

  return {
    leaf: (value, name) => place(value, [], name === undefined ? unused : used(name)),
    usesOf,
    record: (value, operands, pulls, uses) => {
      const edges = pulls.slice(0, operands.length).flatMap((pull, i) => {
        const parent = operands[i].id;
        return parent === null ? [] : [{ parent, pull }];
      });
      return edges.length === 0 ? constantNode(value) : place(value, edges, uses(operands.map(usesOf)));
    },
    walkBack: (results, targets) => {
      const leads = leadsTo(entries, targets);
      const isTarget = new Set(targets);
      const walk = (on: Ops<T>, cotangents: ReadonlyArray<T>, tell: Told<T> | undefined): ReadonlyArray<T> => {
        const completed = tell === undefined ? nothing : completedBy(entries, isTarget);
        const found = new Map<number, T>();
        const pending: Array<T | undefined> = [];
        const add = (id: number, part: T): void => {
          const sum = pending[id];
          pending[id] = sum === undefined ? part : on.add(sum, part);
        };
        results.forEach(({ id }, i) => {
          if (id !== null && leads[id]) add(id, cotangents[i]);
        });
        // A cotangent is complete when the walk has passed its first user, and dropped when the walk has passed its node.
        for (let id = pending.length - 1; id >= 0; id -= 1) {
          const cotangent = pending[id];
          if (cotangent !== undefined) {
            pending[id] = undefined;
            if (isTarget.has(id)) found.set(id, cotangent);
            for (const { parent, pull } of entries[id].edges) if (leads[parent]) add(parent, pull(on, cotangent));
          }
          for (const target of completed.get(id) ?? []) {
            const complete = pending[target];
            if (complete !== undefined) tell?.(on, target, complete);
          }
        }
        return targets.map((id) => found.get(id) ?? on.full(entries[id].shape, 0));
      };
      return (cotangents, on = ops, tell) =>
        tidyWithin(on, entries, (inner) => {
          const found = walk(inner, cotangents, tell);
          return [found, found];
        });
    },
  };
};
