import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { arraysIn } from '../../../src/core/pipeline/arraysIn.ts';
import type { Work } from '../../../src/core/pipeline/background.ts';
import type { Prepared } from '../../../src/core/pipeline/prepared.ts';
import { createBackground } from '../../../src/core/pipeline/background.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { orThrow } from '../../support/training.ts';
import { poisoningBackend } from '../../pipelines/trainer/poisoningBackend.ts';

/** Work that doubles, and counts how often it was done. */
const doubling = (x: Tensor) => {
  let done = 0;
  const work: Work<Tensor> = ({ ops }) =>
    TE.fromIO(() => {
      done += 1;
      const waste = ops.add(x, x);
      return { operator: blockDiagonal({ p: diagonal(ops.scale(2, x)) }), metrics: { size: ops.sum(waste, [0]) } };
    });
  return { work, done: () => done };
};

/** The value that the work was about. */
const valueOf = ({ operator }: Prepared<Tensor>): number => {
  const block = operator._tag === 'blockDiagonal' ? operator.blocks['p'] : null;
  return block?._tag === 'diagonal' ? block.values.data[0] : NaN;
};

describe('background', () => {
  const x = tensor([3], [1]);

  it('law: what was begun is done once, and its outcome is that of doing it at the end', async () => {
    const { backend } = poisoningBackend();
    const background = createBackground(backend);
    const [early, late] = [doubling(x), doubling(x)];
    const description = {};
    background.begin(description, early.work);
    await new Promise((resolve) => setImmediate(resolve));
    expect(early.done()).toBe(1);
    const begun = orThrow(await background.finish(description, early.work)());
    const atOnce = orThrow(await background.finish({}, late.work)());
    expect([early.done(), late.done()]).toEqual([1, 1]);
    expect([valueOf(begun), valueOf(atOnce)]).toEqual([6, 6]);
  });

  it('work is known by its description, so two of them do not meet, and what is finished is forgotten', async () => {
    const { backend } = poisoningBackend();
    const background = createBackground(backend);
    const [a, b] = [doubling(x), doubling(tensor([5], [1]))];
    const [first, second] = [{}, {}];
    background.begin(first, a.work);
    background.begin(second, b.work);
    expect(valueOf(orThrow(await background.finish(second, b.work)()))).toBe(10);
    expect(valueOf(orThrow(await background.finish(first, a.work)()))).toBe(6);
    expect(valueOf(orThrow(await background.finish(first, a.work)()))).toBe(6);
    expect(a.done()).toBe(2);
  });

  it('scopes: temporaries go back when it is finished, the outcome stays; an error keeps nothing', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    const background = createBackground(backend);
    const { work } = doubling(x);
    const description = {};
    background.begin(description, work);
    expect(openScopes()).toBe(1);
    const prepared = orThrow(await background.finish(description, work)());
    expect(openScopes()).toBe(0);
    expect(live.size).toBe(2); // the diagonal and the metric
    expect(valueOf(prepared)).toBe(6);
    const taken = background.takeOver();
    expect(new Set(taken)).toEqual(arraysIn(prepared));
    expect(background.takeOver()).toEqual([]);
    const failing: Work<Tensor> = ({ ops }) => {
      ops.add(x, x);
      return TE.left({ _tag: 'NotPositiveDefinite', where: 'p', order: 1 });
    };
    expect(E.isLeft(await background.finish({}, failing)())).toBe(true);
    expect([openScopes(), live.size]).toEqual([0, 2]);
  });

  it('what is abandoned leaves nothing behind, and abandoning what was never begun does nothing', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    const background = createBackground(backend);
    const description = {};
    background.begin(description, doubling(x).work);
    await background.abandon(description)();
    await background.abandon({})();
    expect([openScopes(), live.size]).toEqual([0, 0]);
  });

  it('what is settled leaves nothing behind, whatever is under way, and is done anew where it is wanted after all', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    const background = createBackground(backend);
    const [a, b] = [doubling(x), doubling(tensor([5], [1]))];
    const [first, second] = [{}, {}];
    background.begin(first, a.work);
    background.begin(second, b.work);
    await background.settle();
    await background.settle();
    expect([openScopes(), live.size]).toEqual([0, 0]);
    expect(valueOf(orThrow(await background.finish(second, b.work)()))).toBe(10);
    expect([a.done(), b.done()]).toEqual([1, 2]);
  });
});
