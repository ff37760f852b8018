/**
 * Vector kernels on arrays in several memories. A call whose operands lie in one memory goes to the instance on it. Else it
 * goes to where most of its bytes lie, with copies of what lies elsewhere: what is computed is the same bit for bit.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { Memories } from '../memory/memories.ts';
import { apart } from '../memory/memories.ts';
import type { VectorMemory } from '../memory/memory.ts';

import type { KernelName } from './byName.ts';
import { byName, eachOf, otherNames, selectNames } from './byName.ts';
import type { Pointwise, Rowwise, VectorFunctions } from './functionTypes.ts';
import type { PointwiseName, RowwiseName } from './module.ts';
import { pointwiseNames, reserved, rowwiseNames } from './module.ts';
import type { Arguments, Operand } from './operands.ts';
import { operandsOf, partBytes, partsOf } from './operands.ts';

/** A copy of an operand. */
interface Copy {
  readonly argument: number;
  /** Address of what it is a copy of. */
  readonly of: number;
  readonly use: Operand[2];
  readonly data: Float32Array;
  /** Whether it is to be given back. */
  readonly isTaken: boolean;
}

/** What an operand elsewhere costs: what is changed is copied both ways. */
const costOf = ([, bytes, use]: Operand): number => (use === 'changed' ? 2 * bytes : bytes);

/**
 * The kernels on several memories.
 *
 * @param memory - the memories
 * @param functionsOn - the kernels on each
 */
export const acrossMemories = (
  memory: Memories,
  functionsOn: (memory: VectorMemory) => VectorFunctions,
): VectorFunctions => {
  /** Places for what lies in no memory are in each, but only the first one's are written to and read. */
  const isPlace = (address: number): boolean => address < reserved;

  /** Where copies cost least; places cost nothing. The last operand decides between those that are equal: it is a result. */
  const homeOf = (args: Arguments, operands: ReadonlyArray<Operand>): VectorMemory => {
    const costs = new Map<VectorMemory, number>();
    for (const operand of operands) {
      const address = args[operand[0]];
      const where = memory.of(address);
      if (!isPlace(address)) costs.set(where, (costs.get(where) ?? 0) + costOf(operand));
    }
    const [first, ...rest] = [...costs].reverse();
    return first === undefined ? memory.of(0) : rest.reduce((most, one) => (one[1] > most[1] ? one : most), first)[0];
  };

  const named = new Map<VectorMemory, ReturnType<typeof byName>>();
  const on = (home: VectorMemory): ReturnType<typeof byName> => {
    const found = named.get(home) ?? byName(functionsOn(home));
    named.set(home, found);
    return found;
  };

  const finish = (home: VectorMemory, copies: ReadonlyArray<Copy>): void => {
    for (const { isTaken, data } of copies) if (isTaken) home.give(data);
  };

  /** Copies of what lies elsewhere; `null` where there is no room for them. */
  const copiesIn = (
    home: VectorMemory,
    args: Arguments,
    operands: ReadonlyArray<Operand>,
  ): ReadonlyArray<Copy> | null => {
    const copies: Array<Copy> = [];
    for (const [argument, bytes, use] of operands) {
      const of = args[argument];
      if (memory.of(of) === home || bytes === 0) continue;
      const length = bytes / 4;
      const same = copies.find(
        (copy) => use === 'read' && copy.use === use && copy.of === of && copy.data.length >= length,
      );
      if (same !== undefined) {
        copies.push({ ...same, argument, isTaken: false });
        continue;
      }
      const isTaken = !isPlace(of);
      const data = isTaken ? home.take(length) : home.view(home.begin + of, length);
      if (data === null) {
        finish(home, copies);
        return null;
      }
      if (use !== 'written') data.set(memory.view(of, length));
      copies.push({ argument, of, use, data, isTaken });
    }
    return copies;
  };

  const nowhere = (): never =>
    raise({
      _tag: 'DeviceFailed',
      where: 'memory of vector kernels',
      reason: 'operands lie in several memories, and the system gives no memory for copies of them that lie together',
      advice: 'Take a smaller batch, or leave more memory to this process.',
    });

  /** Makes a call on copies. */
  const callOnCopies = (name: KernelName, args: Arguments, preferred: VectorMemory): unknown => {
    const operands = operandsOf[name](args);
    const found = copiesIn(preferred, args, operands);
    const home = found === null ? (memory.spare() ?? nowhere()) : preferred;
    const copies = found ?? copiesIn(home, args, operands) ?? nowhere();
    const moved = [...args];
    for (const { argument, data } of copies) moved[argument] = home.addressOf(data, 0);
    const value = on(home)[name](...moved);
    for (const { of, use, data } of copies) if (use !== 'read') memory.view(of, data.length).set(data);
    finish(home, copies);
    return value;
  };

  const call = (name: KernelName, args: Arguments): unknown => {
    const operands = operandsOf[name](args);
    const home = homeOf(args, operands);
    const elsewhere = operands.filter(([argument]) => memory.of(args[argument]) !== home);
    if (elsewhere.length === 0) return on(home)[name](...args);
    const parts = elsewhere.some(([, bytes]) => bytes > partBytes) ? partsOf[name]?.(args) : undefined;
    return (parts ?? [args]).reduce<unknown>((_, part) => callOnCopies(name, part, home), undefined);
  };

  const first = functionsOn(memory.of(0));

  const pointwise = (name: PointwiseName): Pointwise => {
    const f = first.pointwise[name];
    return (a, b, out, bytes, s, t) => {
      if (a < apart && b < apart && out < apart) f(a, b, out, bytes, s, t);
      else call(name, [a, b, out, bytes, s, t]);
    };
  };

  const rowwise = (name: RowwiseName): Rowwise => {
    const f = first.rowwise[name];
    return (a, b, out, bytes, rows, stepA, stepB) => {
      if (a < apart && b < apart && out < apart) f(a, b, out, bytes, rows, stepA, stepB);
      else call(name, [a, b, out, bytes, rows, stepA, stepB]);
    };
  };

  const any = (name: KernelName): ((...args: Arguments) => void) => {
    const f = byName(first)[name];
    return (...args) => {
      if (memory.isOne()) f(...args);
      else call(name, args);
    };
  };

  return {
    ...eachOf(otherNames, any),
    pointwise: eachOf(pointwiseNames, pointwise),
    rowwise: eachOf(rowwiseNames, rowwise),
    select: eachOf(selectNames, any),
    sum: (a, bytes) => (memory.isOne() ? first.sum(a, bytes) : Number(call('sum', [a, bytes]))),
    dot: (a, b, bytes) => (memory.isOne() ? first.dot(a, b, bytes) : Number(call('dot', [a, b, bytes]))),
  };
};
