/**
 * Operations that count what they hold: elements of arrays that were made and have not gone back.
 *
 * @module
 */
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import { referencePrimitives } from '../../src/core/backends/reference/primitives.ts';
import { completeOps } from '../../src/core/ops/complete.ts';
import type { Derived, Ops } from '../../src/core/ops/ops.ts';
import type { Primitives } from '../../src/core/ops/primitives.ts';
import type { Tensor } from '../../src/core/tensor.ts';

/** Operations, and the most elements that they have held at once. */
export interface Ledger {
  readonly ops: Ops<Tensor>;
  readonly peak: () => number;
}

type Operation = (...operands: ReadonlyArray<unknown>) => Tensor;

const buffersIn = (operands: ReadonlyArray<unknown>): ReadonlySet<unknown> =>
  new Set(
    operands
      .flat()
      .map((operand) => (typeof operand === 'object' && operand !== null && 'data' in operand ? operand.data : null)),
  );

export const ledger = (): Ledger => {
  let held = 0;
  let peak = 0;
  const operationsOf = (made: Map<unknown, number>): Ops<Tensor> => {
    const counted =
      (operation: Operation) =>
      (...operands: ReadonlyArray<unknown>): Tensor => {
        const result = operation(...operands);
        // A view belongs to whoever owns the array it looks at.
        if (!buffersIn(operands).has(result.data) && !made.has(result.data)) {
          made.set(result.data, result.data.length);
          held += result.data.length;
          peak = Math.max(peak, held);
        }
        return result;
      };
    const within: Derived<Tensor>['within'] = (run) => {
      const inner = new Map<unknown, number>();
      const [result, kept, spent = []] = run(operationsOf(inner));
      const buffers = new Set<unknown>(kept.map(({ data }) => data));
      for (const [buffer, size] of inner) {
        if (buffers.has(buffer)) made.set(buffer, size);
        else held -= size;
      }
      for (const { data } of spent) {
        held -= made.get(data) ?? 0;
        made.delete(data);
      }
      return result;
    };
    const primitives = Object.fromEntries(
      Object.entries(referencePrimitives).map(([name, operation]) => [name, counted(operation as Operation)]),
    ) as unknown as Primitives<Tensor>;
    return completeOps(primitives, { within });
  };
  return { ops: operationsOf(new Map()), peak: () => peak };
};

/** The reference interpreter, for what is to be compared. */
export const plain = referenceBackend().ops;
