/**
 * Stages whose temporaries go back when they end and not with the step, so that the stages after them use the same memory.
 *
 * For stages that add nothing but plain data: what only a closure holds on to would go back under it. Where a model is small,
 * a scope costs more than it saves.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { attempt, raise } from '../errors.ts';
import { areLarge } from '../ops/tidy.ts';
import type { Shaped } from '../tensor.ts';
import { arraysWithin } from './arraysIn.ts';
import type { Context, Field } from './context.ts';
import type { Env } from './env.ts';
import type { Stage } from './stage.ts';

/**
 * A computation whose temporaries go back.
 *
 * @param backend - where to compute
 * @param size - arrays like those that it makes, by which it decides whether that is worth a scope
 * @param run - computes with a backend; all arrays that live on are in its result
 */
export const tidily = <T extends Shaped, A extends object>(
  backend: Backend<T>,
  size: ReadonlyArray<T>,
  run: (backend: Backend<T>) => A,
): A => {
  if (!areLarge(size)) return run(backend);
  const { backend: inner, close } = backend.scope();
  const result = attempt(() => run(inner));
  close(E.isRight(result) ? [...arraysWithin<T>(result.right)] : []);
  return E.isRight(result) ? result.right : raise(result.left);
};

/**
 * A task whose temporaries go back when it is done.
 *
 * @param backend - where to compute
 * @param size - shapes like those of the arrays that it makes
 * @param run - a task on a backend; all arrays that live on are in its result
 */
export const tidilyDone =
  <T extends Shaped, A extends object>(
    backend: Backend<T>,
    size: ReadonlyArray<Shaped>,
    run: (backend: Backend<T>) => TE.TaskEither<KfacError, A>,
  ): TE.TaskEither<KfacError, A> =>
  async () => {
    if (!areLarge(size)) return run(backend)();
    const { backend: inner, close } = backend.scope();
    const outcome = await run(inner)();
    close(E.isRight(outcome) ? [...arraysWithin<T>(outcome.right)] : []);
    return outcome;
  };

/** Fields that are plain data: all their arrays can be found in them. */
type Plain = 'direction' | 'state' | 'next' | 'predictedChange' | 'metrics';

/**
 * The same stage, whose temporaries go back when it ends.
 *
 * @param inner - a stage that adds plain data
 */
export const tidied = <Needs extends Field, Adds extends Plain>(
  inner: Stage<Needs, Adds>,
): Stage<Needs | 'state', Adds> => ({
  ...inner,
  run:
    <T extends Shaped>(context: Context<T, Needs | 'state'>) =>
    (env: Env<T>) => {
      const { state }: Context<T, 'state'> = context;
      return tidilyDone(env.backend, Object.values(state.params), (backend) =>
        inner.run<T>(context)({ ...env, backend }),
      );
    },
});
