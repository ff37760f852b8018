/**
 * Elementwise operations with broadcasting, on kernels that know nothing of shapes.
 *
 * @module
 */
import type { BinaryKind } from '../../ops/primitives.ts';
import { broadcastShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape } from '../../tensor.ts';
import { sameShape, sizeOf } from '../../tensor.ts';
import type { Vector } from '../native/vectors.ts';

import type { BinaryKernel } from './kernels/kernels.ts';
import type { Allocator } from './pool.ts';
import { broadcastStrides, denseStrides, forEachRun, mergeAxes } from './walk.ts';

/** An array as operations see it here: elements with a shape. */
export interface Shaped {
  readonly shape: Shape;
  readonly data: ReadonlyVector;
}
