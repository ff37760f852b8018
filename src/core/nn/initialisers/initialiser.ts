/**
 * What an initialiser is.
 *
 * @module
 */
import type { Key } from '../../random/key.ts';
import type { FloatType } from '../../random/uniform.ts';
import type { Shape, Tensor } from '../../tensor.ts';

/** Draws the initial value of a parameter of a shape, `[out, in]` for weights. */
export type Initialiser = (key: Key, shape: Shape, dtype: FloatType) => Tensor;
