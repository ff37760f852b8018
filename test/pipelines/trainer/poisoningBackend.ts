/**
 * The reference backend with scopes that bite: whatever a scope hands back is filled with NaN at once.
 *
 * A trainer that keeps too little computes NaN; one that keeps too much is seen in the number of live arrays.
 *
 * @module
 */
import type { Backend, Scope } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import { completeOps } from '../../../src/core/ops/complete.ts';
import type { ReadonlyVector, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';

/** A poisoning backend and what it knows. */
export interface Poisoning {
  readonly backend: Backend<Tensor>;
  /** Buffers that have been made and not handed back. */
  readonly live: Set<ReadonlyVector>;
  /** Scopes that have been opened and not closed. */
  readonly openScopes: () => number;
  /** Most bytes that were live at a time. */
  readonly peak: () => number;
}

const isTensor = (value: unknown): value is Tensor => typeof value === 'object' && value !== null && 'data' in value;

const poison = (data: ReadonlyVector): void => {
  if (data instanceof Float64Array || data instanceof Float32Array) data.fill(NaN);
};

/** A backend that poisons. */
export const poisoningBackend = (): Poisoning => {
  const base = referenceBackend();
  const live = new Set<ReadonlyVector>();
  let open = 0;
  let [bytes, most] = [0, 0];

  /** Primitives that own all their results (nothing shares memory with an argument) and note them. */
  const noting = (made: Set<ReadonlyVector>): Ops<Tensor> => {
    const note = (result: unknown): unknown => {
      if (!isTensor(result)) return result;
      const own = tensor(result.data, result.shape, result.dtype);
      made.add(own.data);
      live.add(own.data);
      bytes += own.data.byteLength;
      most = Math.max(most, bytes);
      return own;
    };
    const entries = Object.entries(base.ops).map(([name, f]: [string, (...args: Array<never>) => unknown]) => [
      name,
      (...args: Array<never>) => note(f(...args)),
    ]);
    return completeOps(Object.fromEntries(entries) as Ops<Tensor>);
  };

  /** A scope; what it keeps belongs to the scope around it, where there is one. */
  const scopeIn = (around: Set<ReadonlyVector> | null) => (): Scope<Tensor> => {
    const made = new Set<ReadonlyVector>();
    open += 1;
    return {
      backend: { ...base, ops: noting(made), scope: scopeIn(made) },
      close: (keep, retire = []) => {
        open -= 1;
        const kept = new Set(keep.map(({ data }) => data));
        for (const data of [...made, ...retire.map((x) => x.data)]) {
          if (kept.has(data)) {
            if (made.has(data)) around?.add(data);
            continue;
          }
          poison(data);
          if (live.delete(data)) bytes -= data.byteLength;
        }
      },
    };
  };

  return {
    backend: { ...base, ops: noting(new Set()), scope: scopeIn(null) },
    live,
    openScopes: () => open,
    peak: () => most,
  };
};
