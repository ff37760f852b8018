/**
 * Which optimizers are tried on what.
 *
 * @module
 */
import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import { sineTask, wordsTask } from '../../pipelines/trainer/support.ts';
import { singleBackend } from '../single.ts';
import type { Written } from './optimizers.ts';
import { optimizers } from './optimizers.ts';

/** A task with the paths of its sites. */
interface Subject {
  readonly task: TrainTask;
  readonly sites: ReadonlyArray<string>;
}

/** A classifier of words with every kind of site, and a regression through dense layers. */
export const subjects = {
  words: { task: wordsTask(12), sites: ['words', 'norm', 'body', 'head'] },
  sine: { task: sineTask(12), sites: ['0', '2'] },
} as const satisfies Readonly<Record<string, Subject>>;

/** In both precisions. */
export const backends: Readonly<Record<'f32' | 'f64', Backend<Tensor>>> = {
  f64: referenceBackend(),
  f32: singleBackend(),
};

/** Paths of the sites, and now and then one that there is not. */
export const pathsOf = (subject: keyof typeof subjects): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<string>(...subjects[subject].sites) },
    { weight: 1, arbitrary: fc.constant('nowhere') },
  );

/** One trial. */
export interface Run {
  readonly subject: keyof typeof subjects;
  readonly precision: keyof typeof backends;
  readonly written: Written;
}

/** Trials of any optimizer on either task in either precision. */
export const runs: fc.Arbitrary<Run> = fc.constantFrom<keyof typeof subjects>('words', 'sine').chain((subject) =>
  fc.record({
    subject: fc.constant(subject),
    precision: fc.constantFrom<keyof typeof backends>('f32', 'f64'),
    written: optimizers(pathsOf(subject)),
  }),
);
