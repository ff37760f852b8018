/**
 * A reference backend whose scopes really take their arrays back: what was handed back becomes NaN, so a use after that
 * shows, and handing back twice is an error.
 *
 * @module
 */
import type { Backend } from '../../src/core/backends/backend.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import { referencePrimitives } from '../../src/core/backends/reference/primitives.ts';
import { completeOps } from '../../src/core/ops/complete.ts';
import type { Primitives } from '../../src/core/ops/primitives.ts';
import type { ReadonlyVector, Tensor } from '../../src/core/tensor.ts';

/** The backend, and how many of its arrays have been made and not handed back. */
export interface Poisoning {
  readonly backend: Backend<Tensor>;
  readonly live: () => number;
  /** The most that were live at the end of a scope. */
  readonly peak: () => number;
}

type Operation = (...operands: ReadonlyArray<unknown>) => Tensor;

const buffersIn = (operands: ReadonlyArray<unknown>): ReadonlySet<unknown> =>
  new Set(
    operands
      .flat()
      .map((operand) => (typeof operand === 'object' && operand !== null && 'data' in operand ? operand.data : null)),
  );

export const poisoningBackend = (): Poisoning => {
  const reference = referenceBackend();
  const live = new Set<ReadonlyVector>();
  const freed = new WeakSet<ReadonlyVector>();
  let peak = 0;

  const observed = (made: Set<ReadonlyVector>): Primitives<Tensor> =>
    Object.fromEntries(
      Object.entries(referencePrimitives).map(([name, operation]) => [
        name,
        (...operands: ReadonlyArray<unknown>): Tensor => {
          const result = (operation as Operation)(...operands);
          // A view belongs to whoever owns the array it looks at.
          if (!buffersIn(operands).has(result.data)) {
            made.add(result.data);
            live.add(result.data);
          }
          return result;
        },
      ]),
    ) as unknown as Primitives<Tensor>;

  const free = (buffer: ReadonlyVector): void => {
    if (freed.has(buffer)) throw new Error('handed back twice');
    freed.add(buffer);
    live.delete(buffer);
    (buffer as Float64Array).fill(NaN);
  };

  const within = (owner: Set<ReadonlyVector>): Backend<Tensor> => ({
    ...reference,
    ops: completeOps(observed(owner)),
    scope: () => {
      const made = new Set<ReadonlyVector>();
      return {
        backend: within(made),
        close: (keep, retire = []) => {
          peak = Math.max(peak, live.size);
          const kept = new Set(keep.map(({ data }) => data));
          for (const buffer of made) if (kept.has(buffer)) owner.add(buffer);
          for (const buffer of made) if (!kept.has(buffer)) free(buffer);
          for (const { data } of retire) {
            free(data);
            owner.delete(data);
          }
        },
      };
    },
  });
  return { backend: within(new Set()), live: () => live.size, peak: () => peak };
};
