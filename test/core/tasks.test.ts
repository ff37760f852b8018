import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as fc from 'fast-check';

import { chained, mapped } from '../../src/core/tasks.ts';

const outcome: fc.Arbitrary<E.Either<string, number>> = fc.oneof(
  fc.string().map((error) => E.left(error)),
  fc.integer().map((n) => E.right(n)),
);

describe('tasks', () => {
  it('law: mapped(f) is map(f), and chained(f) is chain(f), after a result and after an error', async () => {
    await fc.assert(
      fc.asyncProperty(outcome, outcome, async (first, second) => {
        const task = TE.fromEither(first);
        const twice = (n: number): number => 2 * n;
        expect(await mapped(twice)(task)()).toEqual(await TE.map(twice)(task)());
        const next = (n: number): TE.TaskEither<string, readonly [number, number]> =>
          pipe(
            TE.fromEither(second),
            TE.map((m) => [n, m] as const),
          );
        expect(await chained(next)(task)()).toEqual(await TE.chain(next)(task)());
      }),
    );
  });

  it('law: nothing runs before the task does, and each run is anew', async () => {
    let runs = 0;
    const task: TE.TaskEither<string, number> = () => {
      runs += 1;
      return Promise.resolve(E.right(runs));
    };
    const both = pipe(
      task,
      mapped((n) => n + 1),
      chained((n) => TE.right(n + 1)),
    );
    expect(runs).toBe(0);
    expect([await both(), await both()]).toEqual([E.right(3), E.right(4)]);
  });
});
