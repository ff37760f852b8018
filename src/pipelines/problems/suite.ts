/**
 * All problems, by name.
 *
 * @module
 */
import { answerProblems } from './answers.ts';
import { autoencoderProblems } from './autoencoders.ts';
import { classificationProblems } from './classification.ts';
import { depthProblems } from './depths.ts';
import { flowerProblems } from './flowers.ts';
import { imageProblems } from './images.ts';
import { linearProblems } from './linear.ts';
import type { Problem } from './problem.ts';
import { regressionProblems } from './regression.ts';
import { sequenceProblems } from './sequences.ts';

/** The suite. */
export const problems: ReadonlyArray<Problem> = [
  ...linearProblems,
  ...regressionProblems,
  ...answerProblems,
  ...classificationProblems,
  ...depthProblems,
  ...autoencoderProblems,
  ...imageProblems,
  ...sequenceProblems,
  ...flowerProblems,
];
