/**
 * Kernels on sliding windows: what a window sees, and the sum of what the windows hold.
 *
 * @module
 */
import type { Window } from '../../../../ops/window.ts';
import type { Shape } from '../../../../tensor.ts';

import { gridOf, unflatten } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { functionText } from './kernel.ts';

const keyOf = (what: string, images: Shape, { kernel, stride, dilation, padding }: Window): string =>
  `${what} ${[images, kernel, stride, dilation, padding].map((part) => part.join(',')).join(' ')}`;

/**
 * Sliding windows of images.
 *
 * @param images - shape `[n, h, w, c]`
 * @param columns - shape `[n, oh, ow, kh kw c]` of the result
 * @param window - geometry
 */
export const patchesKernel = (images: Shape, columns: Shape, window: Window): Kernel => {
  const [, height, width, channels] = images;
  const { kernel, stride, dilation, padding } = window;
  const grid = gridOf(columns);
  const [example, row, column, element] = grid.index;
  const place = unflatten('w', element, [kernel[0], kernel[1], channels]);
  const [kernelRow, kernelColumn, channel] = place.index;
  return {
    key: keyOf('patches', images, window),
    source: () =>
      functionText(
        ['a'],
        [
          grid.setup,
          place.setup,
          `let y = ${row} * ${stride[0]} + ${kernelRow} * ${dilation[0]} - ${padding[0]};`,
          `let x = ${column} * ${stride[1]} + ${kernelColumn} * ${dilation[1]} - ${padding[2]};`,
          'let v = 0.5; v = 0;',
          `if (y >= 0 && y < ${height} && x >= 0 && x < ${width}) {`,
          `  v = a[((${example} * ${height} + y) * ${width} + x) * ${channels} + ${channel}];`,
          '}',
          'return v;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};

/**
 * Overlapping windows summed into images: each pixel collects from the windows that see it.
 *
 * @param columns - shape `[n, oh, ow, kh kw c]`
 * @param images - shape `[n, h, w, c]` of the result
 * @param window - geometry
 */
export const unpatchesKernel = (columns: Shape, images: Shape, window: Window): Kernel => {
  const [, outRows, outColumns, width] = columns;
  const { kernel, stride, dilation, padding } = window;
  const grid = gridOf(images);
  const [example, row, column, channel] = grid.index;
  const channels = images[3];
  return {
    key: keyOf('unpatches', images, window),
    source: () =>
      functionText(
        ['a'],
        [
          grid.setup,
          'let s = 0.5; s = 0;',
          `for (let i = 0; i < ${kernel[0]}; i++) {`,
          `  let y = ${row} + ${padding[0]} - i * ${dilation[0]};`,
          `  let u = Math.floor((y + 0.5) / ${stride[0]});`,
          `  if (y === u * ${stride[0]} && u >= 0 && u < ${outRows}) {`,
          `    for (let j = 0; j < ${kernel[1]}; j++) {`,
          `      let x = ${column} + ${padding[2]} - j * ${dilation[1]};`,
          `      let v = Math.floor((x + 0.5) / ${stride[1]});`,
          `      if (x === v * ${stride[1]} && v >= 0 && v < ${outColumns}) {`,
          `        s += a[((${example} * ${outRows} + u) * ${outColumns} + v) * ${width} + (i * ${kernel[1]} + j) * ${channels} + ${channel}];`,
          '      }',
          '    }',
          '  }',
          '}',
          'return s;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};
