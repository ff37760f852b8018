/**
 * Stages and their composition.
 *
 * A stage runs a context to the fields it adds. It is typed by the *names* of the fields it needs and adds
 * ({@link StepFields} gives them meaning) and is polymorphic in the interpreter, so a pipeline is a plain value that
 * runs on every backend. {@link pipeline} checks by those names that every field is there before it is used.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { KfacError } from '../errors.ts';
import type { Shaped } from '../tensor.ts';
import type { Context, Field, Given } from './context.ts';
import type { Env } from './env.ts';

/** What a stage does with an interpreter's arrays. */
export type StageRun<Needs extends Field, Adds extends Field> = <T extends Shaped>(
  context: Context<T, Needs>,
) => RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Adds>>;

/** A part of a training step: needs some fields of the context, adds or replaces others. */
export interface Stage<Needs extends Field, Adds extends Field> {
  /** Shown in the seconds per stage. */
  readonly name: string;
  readonly run: StageRun<Needs, Adds>;
}

/** A whole training step: from the given fields to the next state. */
export type Step = Stage<Given, 'next' | 'metrics'>;

/**
 * A stage from a name and a function.
 *
 * @param name - a word for reports
 * @param run - from a context to the fields it adds
 */
export const stage = <Needs extends Field, Adds extends Field>(
  name: string,
  run: StageRun<Needs, Adds>,
): Stage<Needs, Adds> => ({ name, run });

/** Runs a stage, keeps the context, and notes how long it took. */
const extend =
  <T extends Shaped>(next: Stage<Field, Field>) =>
  (context: Context<T, Field>): RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Field>> =>
  (env) => {
    const start = env.clock();
    const merge = (added: Context<T, Field>): Context<T, Field> => {
      const merged = { ...context, ...added };
      const name = `seconds.${next.name}`;
      const before = merged.metrics[name]; // of a stage of the same name
      const seconds = { [name]: env.clock() - start + (typeof before === 'number' ? before : 0) };
      return { ...merged, metrics: { ...merged.metrics, ...seconds } };
    };
    return pipe(next.run(context), RTE.map(merge))(env);
  };

/**
 * Stages in order, as one stage. Each may need what a step is given and what the stages before it add; anything else
 * does not compile.
 */
export function pipeline<N1 extends Given, A1 extends Field>(s1: Stage<N1, A1>): Stage<Given, Given | A1>;
export function pipeline<N1 extends Given, A1 extends Field, N2 extends Given | A1, A2 extends Field>(
  s1: Stage<N1, A1>,
  s2: Stage<N2, A2>,
): Stage<Given, Given | A1 | A2>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
>(s1: Stage<N1, A1>, s2: Stage<N2, A2>, s3: Stage<N3, A3>): Stage<Given, Given | A1 | A2 | A3>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
  N4 extends Given | A1 | A2 | A3,
  A4 extends Field,
>(s1: Stage<N1, A1>, s2: Stage<N2, A2>, s3: Stage<N3, A3>, s4: Stage<N4, A4>): Stage<Given, Given | A1 | A2 | A3 | A4>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
  N4 extends Given | A1 | A2 | A3,
  A4 extends Field,
  N5 extends Given | A1 | A2 | A3 | A4,
  A5 extends Field,
>(
  s1: Stage<N1, A1>,
  s2: Stage<N2, A2>,
  s3: Stage<N3, A3>,
  s4: Stage<N4, A4>,
  s5: Stage<N5, A5>,
): Stage<Given, Given | A1 | A2 | A3 | A4 | A5>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
  N4 extends Given | A1 | A2 | A3,
  A4 extends Field,
  N5 extends Given | A1 | A2 | A3 | A4,
  A5 extends Field,
  N6 extends Given | A1 | A2 | A3 | A4 | A5,
  A6 extends Field,
>(
  s1: Stage<N1, A1>,
  s2: Stage<N2, A2>,
  s3: Stage<N3, A3>,
  s4: Stage<N4, A4>,
  s5: Stage<N5, A5>,
  s6: Stage<N6, A6>,
): Stage<Given, Given | A1 | A2 | A3 | A4 | A5 | A6>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
  N4 extends Given | A1 | A2 | A3,
  A4 extends Field,
  N5 extends Given | A1 | A2 | A3 | A4,
  A5 extends Field,
  N6 extends Given | A1 | A2 | A3 | A4 | A5,
  A6 extends Field,
  N7 extends Given | A1 | A2 | A3 | A4 | A5 | A6,
  A7 extends Field,
>(
  s1: Stage<N1, A1>,
  s2: Stage<N2, A2>,
  s3: Stage<N3, A3>,
  s4: Stage<N4, A4>,
  s5: Stage<N5, A5>,
  s6: Stage<N6, A6>,
  s7: Stage<N7, A7>,
): Stage<Given, Given | A1 | A2 | A3 | A4 | A5 | A6 | A7>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
  N4 extends Given | A1 | A2 | A3,
  A4 extends Field,
  N5 extends Given | A1 | A2 | A3 | A4,
  A5 extends Field,
  N6 extends Given | A1 | A2 | A3 | A4 | A5,
  A6 extends Field,
  N7 extends Given | A1 | A2 | A3 | A4 | A5 | A6,
  A7 extends Field,
  N8 extends Given | A1 | A2 | A3 | A4 | A5 | A6 | A7,
  A8 extends Field,
>(
  s1: Stage<N1, A1>,
  s2: Stage<N2, A2>,
  s3: Stage<N3, A3>,
  s4: Stage<N4, A4>,
  s5: Stage<N5, A5>,
  s6: Stage<N6, A6>,
  s7: Stage<N7, A7>,
  s8: Stage<N8, A8>,
): Stage<Given, Given | A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8>;
export function pipeline<
  N1 extends Given,
  A1 extends Field,
  N2 extends Given | A1,
  A2 extends Field,
  N3 extends Given | A1 | A2,
  A3 extends Field,
  N4 extends Given | A1 | A2 | A3,
  A4 extends Field,
  N5 extends Given | A1 | A2 | A3 | A4,
  A5 extends Field,
  N6 extends Given | A1 | A2 | A3 | A4 | A5,
  A6 extends Field,
  N7 extends Given | A1 | A2 | A3 | A4 | A5 | A6,
  A7 extends Field,
  N8 extends Given | A1 | A2 | A3 | A4 | A5 | A6 | A7,
  A8 extends Field,
  N9 extends Given | A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8,
  A9 extends Field,
>(
  s1: Stage<N1, A1>,
  s2: Stage<N2, A2>,
  s3: Stage<N3, A3>,
  s4: Stage<N4, A4>,
  s5: Stage<N5, A5>,
  s6: Stage<N6, A6>,
  s7: Stage<N7, A7>,
  s8: Stage<N8, A8>,
  s9: Stage<N9, A9>,
): Stage<Given, Given | A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8 | A9>;
export function pipeline(...stages: ReadonlyArray<Stage<Field, Field>>): Stage<Field, Field> {
  return {
    name: stages.map((s) => s.name).join(' → '),
    run: <T extends Shaped>(context: Context<T, Field>) =>
      stages.reduce(
        (before: RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Field>>, next) =>
          pipe(before, RTE.chain(extend<T>(next))),
        RTE.right(context),
      ),
  };
}
