/**
 * What the WebAssembly backend of TensorFlow.js lacks to train convolutions of images: the gradient of their filters. It is a
 * convolution itself, of images whose channels count examples with filters that are the cotangents.
 *
 * @module
 */
import type { KernelFunc, Tensor4D } from '@tensorflow/tfjs-core';
import { conv2d, getKernel, pad, registerKernel, slice, tidy, transpose } from '@tensorflow/tfjs-core';

type Pair = [number, number];

/** Zeros before and after an axis, so that a filter gives so many places. */
const around = (before: 'same' | 'valid', size: number, places: number, filter: number, stride: number): Pair => {
  const missing = before === 'same' ? Math.max((places - 1) * stride + filter - size, 0) : 0;
  return [Math.floor(missing / 2), Math.ceil(missing / 2)];
};

/** Registers the gradient, unless the backend has one. */
export const filterGradientsOnWasm = (): void => {
  if (getKernel('Conv2DBackpropFilter', 'wasm') !== undefined) return;
  const kernelFunc: KernelFunc = ({ inputs, attrs }) => {
    const given = attrs as unknown as { strides: Pair | number; pad: 'same' | 'valid'; filterShape: Array<number> };
    const [x, dy] = [inputs['x'] as Tensor4D, inputs['dy'] as Tensor4D];
    const strides: Pair = typeof given.strides === 'number' ? [given.strides, given.strides] : given.strides;
    const [height, width, channels, outputs] = given.filterShape;
    const rows = around(given.pad, x.shape[1], dy.shape[1], height, strides[0]);
    const columns = around(given.pad, x.shape[2], dy.shape[2], width, strides[1]);
    return tidy(() => {
      const examples = transpose(pad(x, [[0, 0], rows, columns, [0, 0]]), [3, 1, 2, 0]);
      const found = conv2d(examples, transpose(dy, [1, 2, 0, 3]), 1, 'valid', 'NHWC', strides);
      return transpose(slice(found, [0, 0, 0, 0], [channels, height, width, outputs]), [1, 2, 0, 3]);
    });
  };
  registerKernel({ kernelName: 'Conv2DBackpropFilter', backendName: 'wasm', kernelFunc });
};
