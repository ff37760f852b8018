/**
 * Independent draws whose variance follows from the layer's extents.
 *
 * The first axis of a weight counts outputs and all others count inputs.
 *
 * @module
 */
import { normal } from '../../random/normal.ts';
import { uniform } from '../../random/uniform.ts';
import type { Shape } from '../../tensor.ts';
import { generate, sizeOf } from '../../tensor.ts';
import type { Initialiser } from './initialiser.ts';

/** Variance of an initial weight from the numbers of inputs and outputs of its layer. */
type VarianceRule = (fanIn: number, fanOut: number) => number;

const varianceOf = (rule: VarianceRule, shape: Shape): number => rule(sizeOf(shape.slice(1)), shape[0]);

const uniformWith =
  (rule: VarianceRule): Initialiser =>
  (key, shape, dtype) => {
    const limit = Math.sqrt(3 * varianceOf(rule, shape));
    const { data } = uniform(key, shape, dtype);
    return generate(shape, (i) => limit * (2 * data[i] - 1), dtype);
  };

const normalWith =
  (rule: VarianceRule): Initialiser =>
  (key, shape, dtype) => {
    const deviation = Math.sqrt(varianceOf(rule, shape));
    const { data } = normal(key, shape, dtype);
    return generate(shape, (i) => deviation * data[i], dtype);
  };

const glorot: VarianceRule = (fanIn, fanOut) => 2 / (fanIn + fanOut);
const he: VarianceRule = (fanIn) => 2 / fanIn;

/**
 * U(−c, c) with c = √(6 / (in + out)) [GB10, eq. 16].
 *
 * @example
 * ```ts
 * import { dense, glorotUniform } from 'kfac-ts/core';
 *
 * const layer = dense({ in: 784, out: 100, initialiser: glorotUniform }); // what a dense layer does anyway
 * ```
 */
export const glorotUniform: Initialiser = uniformWith(glorot);

/**
 * N(0, 2 / (in + out)) [GB10, eq. 12].
 *
 * @example
 * ```ts
 * import { dense, glorotNormal } from 'kfac-ts/core';
 *
 * const layer = dense({ in: 784, out: 100, initialiser: glorotNormal });
 * ```
 */
export const glorotNormal: Initialiser = normalWith(glorot);

/**
 * U(−c, c) with c = √(6 / in) [H15, eq. 10].
 *
 * @example
 * ```ts
 * import { activation, dense, heUniform, sequential } from 'kfac-ts/core';
 *
 * const layers = sequential([dense({ in: 784, out: 100, initialiser: heUniform }), activation('relu')]);
 * ```
 */
export const heUniform: Initialiser = uniformWith(he);

/**
 * N(0, 2 / in) [H15, eq. 10].
 *
 * @example
 * ```ts
 * import { activation, dense, heNormal, sequential } from 'kfac-ts/core';
 *
 * const layers = sequential([dense({ in: 784, out: 100, initialiser: heNormal }), activation('relu')]);
 * ```
 */
export const heNormal: Initialiser = normalWith(he);
