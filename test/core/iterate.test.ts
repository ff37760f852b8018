import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { iterate } from '../../src/core/iterate.ts';

/** Counts down to 0 and gives a word. */
const countDown = (from: number) =>
  iterate(from, (n: number) => TE.right<string, E.Either<number, string>>(n === 0 ? E.right('done') : E.left(n - 1)));

describe('iterate', () => {
  it('runs a hundred thousand turns without growing the stack', async () => {
    expect(await countDown(100_000)()).toEqual(E.right('done'));
  });

  it('ends at the first error', async () => {
    const visited: Array<number> = [];
    const run = iterate(0, (n: number) => {
      visited.push(n);
      return n === 3 ? TE.left('broken') : TE.right<string, E.Either<number, never>>(E.left(n + 1));
    });
    expect(await run()).toEqual(E.left('broken'));
    expect(visited).toEqual([0, 1, 2, 3]);
  });

  it('does nothing before it is run, and the same each time it is', async () => {
    const run = countDown(3);
    expect(await run()).toEqual(await run());
  });

  it('lets timers through between turns', async () => {
    let fired = false;
    setTimeout(() => (fired = true), 0);
    const run = iterate(0, (n: number) =>
      TE.right<never, E.Either<number, number>>(fired ? E.right(n) : E.left(n + 1)),
    );
    expect(await run()).toMatchObject({ _tag: 'Right' });
  });
});

describe('iterate without setImmediate, as in a browser', () => {
  const known = globalThis.setImmediate;
  beforeAll(() => void Reflect.deleteProperty(globalThis, 'setImmediate'));
  afterAll(() => void Object.assign(globalThis, { setImmediate: known }));

  it('law: between two turns, messages and timers of others get through', async () => {
    const { port1, port2 } = new MessageChannel();
    const heard: Array<string> = [];
    port1.on('message', (message: string) => heard.push(message));
    port2.postMessage('message');
    setTimeout(() => heard.push('timer'), 0);
    const turns = await iterate<never, number, number>(0, (turn) =>
      TE.right(heard.length === 2 || turn === 100_000 ? E.right(turn) : E.left(turn + 1)),
    )();
    port1.close();
    expect(heard.sort()).toEqual(['message', 'timer']);
    expect(E.isRight(turns)).toBe(true);
  });
});
