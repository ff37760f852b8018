/**
 * Matrix products on flat row-major f32 arrays, through kernels that are compiled by the first product of a shape.
 *
 * The one thing to know is where a product runs and how its operands lie (`planOf`): plain loops when a kernel call
 * would cost more, otherwise the tile kernel, on packed panels where columns would have to be read with a large stride.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { ReadonlyVector } from '../../tensor.ts';

import type { Epilogue } from './epilogue.ts';
import { activationFunction, noEpilogue } from './epilogue.ts';
import type { Gpu, GpuKernel } from './gpujs.ts';
import type { CacheLimits, KernelCache } from './kernelCache.ts';
import { kernelCache } from './kernelCache.ts';
import type { OperandLayout } from './matmulSource.ts';
import { matmulSource, matmulThreads } from './matmulSource.ts';
import { packPanels, panelsLength, unpackSymmetric, unpackTiles } from './panels.ts';
import { smallProduct } from './smallProducts.ts';
import { symmetricSource, symmetricThreads } from './symmetricSource.ts';
