/**
 * Factorisations of one turn go to the ranks together: evenly, and in as few messages as there are ranks that have done some.
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { Backend, LinearAlgebra } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Collective } from '../../../src/core/parallel/collective.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { shareOut } from '../../../src/core/parallel/spread/rounds.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { orThrow } from '../../support/training.ts';

describe('shareOut', () => {
  it('worked example: the longest first, each to the rank with the least to do; of several to the one that has had the least', () => {
    // 8 to rank 1, which has had nothing; 5 and 4 to rank 0; 3 to rank 1, which has 8 and not 9.
    expect(shareOut([3, 8, 4, 5], [1, 0])).toEqual({ owners: [1, 1, 0, 0], loads: [9, 11] });
  });

  it('law: no rank has more than an even share and the longest task', () => {
    const tasks = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(tasks, fc.integer({ min: 1, max: 6 }), (operations, ranks) => {
        const { owners, loads } = shareOut(
          operations,
          Array.from({ length: ranks }, () => 0),
        );
        const total = operations.reduce((sum, each) => sum + each, 0);
        loads.forEach((load, rank) => {
          expect(operations.reduce((sum, each, i) => (owners[i] === rank ? sum + each : sum), 0)).toBe(load);
        });
        expect(Math.max(...loads)).toBeLessThanOrEqual(total / ranks + Math.max(...operations));
      }),
    );
  });
});

/** Symmetric positive definite, of order n. */
const symmetric = (n: number): Tensor =>
  generate([n, n], (i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    return row === column ? n + row : 1 / (1 + row + column);
  });

describe('a round', () => {
  it('tells who has failed in one message, and has another from each rank that has done something', async () => {
    const collective = simulated(3);
    const { ops, linearAlgebra } = distributed(referenceBackend(), collective);
    const matrices = ops.whole([2, 3, 4, 5].map((n) => ops.constant(symmetric(n))));
    const before = collective.traffic();
    const inverses = await Promise.all(matrices.map((m) => linearAlgebra.inverse(m)()));
    const after = collective.traffic();
    expect(inverses.every(E.isRight)).toBe(true);
    expect(after.messages - before.messages).toBe(1 + 3);
    // Who has failed, 4 numbers of 4 bytes from each; triangles of 3, 6, 10 and 15 numbers of 8.
    expect(after.bytes - before.bytes).toBe(3 * 4 * 4 + 8 * (3 + 6 + 10 + 15));
  });

  it.each([undefined, 0])(
    'tells each of its own outcome, errors too, where numbers above %s have a message',
    async (small) => {
      const backend = distributed(referenceBackend(), simulated(2), small === undefined ? {} : { small });
      const bad = tensor([1, 2, 2, 1], [2, 2]);
      const [good, failed, factor] = await Promise.all([
        backend.linearAlgebra.inverse(backend.ops.constant(tensor([4, 0, 0, 16], [2, 2])))(),
        backend.linearAlgebra.inverse(backend.ops.constant(bad))(),
        backend.linearAlgebra.cholesky(backend.ops.constant(tensor([4, 2, 2, 5], [2, 2])))(),
      ]);
      expect(orThrow(await backend.read(orThrow(good))()).data).toEqual(Float64Array.of(0.25, 0, 0, 0.0625));
      expect(failed).toMatchObject(E.left({ _tag: 'NotPositiveDefinite' }));
      expect(orThrow(await backend.read(orThrow(factor))()).data).toEqual(Float64Array.of(2, 0, 1, 2));
    },
  );

  /** What happens in a round of matrices of orders 2 to 5 on two ranks, whose factorisations take so many milliseconds. */
  const eventsOf = async (small: number, takes: (order: number) => number): Promise<ReadonlyArray<string>> => {
    const events: Array<string> = [];
    const local = referenceBackend();
    const inverse: LinearAlgebra<Tensor>['inverse'] = (m) => async () => {
      const [order] = m.shape;
      if (takes(order) > 0) await new Promise((resolve) => setTimeout(resolve, takes(order)));
      events.push(`${order} done`);
      return local.linearAlgebra.inverse(m)();
    };
    const slow: Backend<Tensor> = { ...local, linearAlgebra: { ...local.linearAlgebra, inverse } };
    const own = simulated(2);
    const watched: Collective = {
      ...own,
      allReduce: (parts, out) => {
        events.push('told');
        return own.allReduce(parts, out);
      },
      broadcast: (root, data, among) => {
        events.push(`${data.length} sent by ${root}`);
        return own.broadcast(root, data, among);
      },
    };
    const { ops, linearAlgebra } = distributed(slow, watched, { small });
    const matrices = ops.whole([2, 3, 4, 5].map((n) => ops.constant(symmetric(n))));
    await Promise.all(matrices.map((m) => linearAlgebra.inverse(m)()));
    return events;
  };

  it('law: a rank has done all of its own before it says a word of small ones', async () => {
    const events = await eventsOf(15, () => 0);
    expect(events.findIndex((event) => !event.endsWith('done'))).toBe(4);
    expect(events.slice(4)).toEqual(['told', '19 sent by 1', '15 sent by 0']);
  });

  it('law: large ones are sent while others are done, in an order that does not depend on how long they take', async () => {
    // Rank 0 has the one of order 5, rank 1 the others.
    const sent = ['15 sent by 0', '10 sent by 1', '6 sent by 1', '3 sent by 1'];
    for (const takes of [() => 0, (order: number) => 2 * order, (order: number) => 20 - 4 * order]) {
      const events = await eventsOf(0, takes);
      expect(events.filter((event) => event.includes('sent'))).toEqual(sent);
      expect(events.at(-1)).toBe('told');
    }
    const whole = await eventsOf(0, () => 0);
    expect(whole.slice(0, 4)).toEqual(['5 done', sent[0], '4 done', sent[1]]);
  });
});
