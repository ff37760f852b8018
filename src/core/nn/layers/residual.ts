/**
 * A layer beside a connection that skips it [H16].
 *
 * It adds no path segment, so putting a layer in a residual connection keeps the paths of its parameters.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { joinPath } from '../../params.ts';
import { sameShape, showShape } from '../../tensor.ts';
import type { Layer } from './layer.ts';

/**
 * x + f(x), or g(x) + f(x).
 *
 * @param inner - f, which keeps the shape of its input where nothing else does
 * @param shortcut - g, where f does not keep the shape: a convolution by 1 x 1 with a stride, say; its parameters are below
 *   `shortcut`
 * @example
 * ```ts
 * import { activation, dense, residual, sequential } from 'kfac-ts/core';
 *
 * const block = residual(sequential([dense({ in: 64, out: 64 }), activation('relu')]));
 * block.parameters('2').map(({ path }) => path); // => ['2.0.weight', '2.0.bias']
 * ```
 */
export const residual = (inner: Layer, shortcut: Layer | null = null): Layer => ({
  kind: 'residual',
  label: `residual, ${inner.label}`,
  parameters: (path) => [
    ...inner.parameters(path),
    ...(shortcut === null ? [] : shortcut.parameters(joinPath(path, 'shortcut'))),
  ],
  apply: (ops, params, path, x, at) => {
    const y = inner.apply(ops, params, path, x, at);
    const past = shortcut === null ? x : shortcut.apply(ops, params, joinPath(path, 'shortcut'), x, at);
    return sameShape(past.shape, y.shape)
      ? ops.add(past, y)
      : raise({
          _tag: 'ShapeMismatch',
          where: `residual${path === '' ? '' : ` at ${path}`}`,
          expected:
            shortcut === null
              ? `a layer that keeps its input's shape ${showShape(x.shape)}`
              : `the shape ${showShape(past.shape)} of the shortcut`,
          actual: showShape(y.shape),
        });
  },
  children: [['', inner], ...(shortcut === null ? [] : [['shortcut', shortcut] as const])],
  withChildren: ([first, second]) => residual(first, second),
});
