/**
 * Stages and their composition.
 *
 * A stage runs a context to the fields it adds. It is typed by the *names* of the fields it needs and adds
 * ({@link StepFields} gives them meaning) and is polymorphic in the interpreter, so a pipeline is a plain value that
 * runs on every backend. {@link pipeline} checks by those names that every field is there before it is used.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { KfacError } from '../errors.ts';
import type { Shaped } from '../tensor.ts';
import type { Context, Field, Given } from './context.ts';
import { causeOf } from './diagnosis.ts';
import type { Env } from './env.ts';
import type { Reports, Scalars } from './metrics.ts';
import { addMetrics, secondsAt, secondsIn } from './metrics.ts';

/** What a stage does with an interpreter's arrays. */
export type StageRun<Needs extends Field, Adds extends Field> = <T extends Shaped>(
  context: Context<T, Needs>,
) => RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Adds>>;

/**
 * What will not hold in the steps from one to, not including, another, as far as settings alone tell; `null` where nothing
 * is known to fail. A run asks before its first step.
 */
export type Foresee = (from: number, to: number) => KfacError | null;

/** The first of what several foresee. */
export const foreseenBy =
  (parts: ReadonlyArray<{ readonly foresee?: Foresee }>): Foresee =>
  (from, to) =>
    parts.reduce((found: KfacError | null, { foresee }) => found ?? foresee?.(from, to) ?? null, null);

/** A part of a training step: needs some fields of the context, adds or replaces others. */
export interface Stage<Needs extends Field, Adds extends Field> {
  /** Shown in the seconds per stage. */
  readonly name: string;
  readonly run: StageRun<Needs, Adds>;
  readonly foresee?: Foresee;
  /** The stages that a pipeline is made of, in order. */
  readonly stages?: ReadonlyArray<Stage<Field, Field>>;
}

/** A whole training step: from the given fields to the next state. */
export type Step = Stage<Given, 'next' | 'metrics'>;

/**
 * A stage from a name and a function.
 *
 * @param name - a word for reports
 * @param run - from a context to the fields it adds
 * @example
 * ```ts
 * import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
 * import { backward, forward, pipeline, stage } from 'kfac-ts/core';
 *
 * // Adds a number to the metrics of each step.
 * const count = stage<'gradient', 'metrics'>('count', ({ gradient }) =>
 *   RTE.right({ metrics: { arrays: Object.keys(gradient).length } }),
 * );
 * const step = pipeline(forward, backward, count);
 * ```
 */
export const stage = <Needs extends Field, Adds extends Field>(
  name: string,
  run: StageRun<Needs, Adds>,
): Stage<Needs, Adds> => ({ name, run });

/**
 * Runs a stage, keeps the context, notes what it reports and how long it took, and says what a failure comes of.
 *
 * @param reports - what the stages of the pipeline have reported so far, which it is added to
 */
const extend = async <T extends Shaped>(
  next: Stage<Field, Field>,
  context: Context<T, Field>,
  env: Env<T>,
  reports: Reports<T>,
): Promise<E.Either<KfacError, Context<T, Field>>> => {
  const start = env.clock();
  const outcome = await next.run(context)(env)();
  if (E.isLeft(outcome)) return causeOf(env.backend, context, outcome.left)();
  const added: Context<T, Field> = outcome.right;
  const metrics: Scalars<T> = added.metrics ?? {};
  const own = secondsAt(next.name, env.clock() - start - secondsIn(metrics));
  addMetrics(reports, metrics);
  addMetrics(reports, own);
  return E.right({ ...context, ...added, metrics: reports });
};

/** Any stage: what nothing more is known of than that it runs. */
export type AnyStage = Stage<Field, never>;

type NeedsOf<S> = S extends Stage<infer Needs, never> ? Needs : never;
/** The fields that a stage adds. */
export type AddsOf<S> = S extends Stage<Field, infer Adds> ? Adds : never;

/** The stage itself where all that it needs is known; else what the compiler shows in its place. */
type Fits<S, Known extends Field> = [Exclude<NeedsOf<S>, Known>] extends [never]
  ? S
  : `No stage before this one adds: ${Exclude<NeedsOf<S>, Known>}`;

/** Stages that fit where some fields are known; in the place of one that does not, what is missing. */
export type InOrder<Stages, Known extends Field> = Stages extends readonly [infer First, ...infer Rest]
  ? [Fits<First, Known>, ...InOrder<Rest, Known | AddsOf<First>>]
  : Stages extends readonly []
    ? []
    : Stages extends ReadonlyArray<infer S>
      ? Array<Fits<S, Known>> // as many as there are: each must fit as it is
      : never;

/**
 * Any stages in order as one, unchecked; a pipeline among them counts as its stages.
 *
 * @param parts - stages and pipelines
 */
export const inOrder = (parts: ReadonlyArray<Stage<Field, Field>>): Stage<Field, Field> => {
  const stages = parts.flatMap((part) => part.stages ?? [part]);
  return {
    name: stages.map((s) => s.name).join(' → '),
    stages,
    foresee: foreseenBy(stages),
    run:
      <T extends Shaped>(context: Context<T, Field>) =>
      (env: Env<T>) =>
      async () => {
        const reports: Reports<T> = {}; // its own, whatever was reported before
        let known: Context<T, Field> = { ...context, metrics: reports };
        for (const next of stages) {
          const outcome = await extend<T>(next, known, env, reports);
          if (E.isLeft(outcome)) return outcome;
          known = outcome.right;
        }
        return E.right(known);
      },
  };
};

/**
 * Stages in order, as one stage. Each may need what a step is given and what the stages before it add; anything else
 * does not compile. What a stage replaces is replaced, except metrics, which are merged. A pipeline among the stages
 * counts as its stages.
 *
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact, kfac, updateFactors } from 'kfac-ts/curvature';
 * import { constant, damp, kroneckerInverse, preconditioned, solve, update } from 'kfac-ts/solvers';
 *
 * const step = pipeline(
 *   forward,
 *   backward,
 *   capture(exact()),
 *   updateFactors(kfac({ decay: 0.95 })),
 *   damp(constant(0.1)),
 *   solve(preconditioned(kroneckerInverse, { every: 20 })),
 *   update({ learningRate: 0.5 }),
 * );
 * ```
 */
export function pipeline<const Stages extends ReadonlyArray<AnyStage>>(
  ...stages: Stages extends InOrder<Stages, Given> ? Stages : InOrder<Stages, Given>
): Stage<Given, Given | AddsOf<Stages[number]>>;
export function pipeline(...parts: ReadonlyArray<Stage<Field, Field>>): Stage<Field, Field> {
  return inOrder(parts);
}
