/**
 * A layer beside a connection that skips it [H16].
 *
 * It adds no path segment, so putting a layer in a residual connection keeps the paths of its parameters.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { sameShape, showShape } from '../../tensor.ts';
import type { Layer } from './layer.ts';

/**
 * x + f(x).
 *
 * @param inner - f, which keeps the shape of its input
 * @example
 * ```ts
 * import { activation, dense, residual, sequential } from 'kfac-ts/core';
 *
 * const block = residual(sequential([dense({ in: 64, out: 64 }), activation('relu')]));
 * block.parameters('2').map(({ path }) => path); // => ['2.0.weight', '2.0.bias']
 * ```
 */
export const residual = (inner: Layer): Layer => ({
  kind: 'residual',
  label: `residual, ${inner.label}`,
  parameters: inner.parameters,
  apply: (ops, params, path, x, at) => {
    const y = inner.apply(ops, params, path, x, at);
    return sameShape(x.shape, y.shape)
      ? ops.add(x, y)
      : raise({
          _tag: 'ShapeMismatch',
          where: `residual${path === '' ? '' : ` at ${path}`}`,
          expected: `a layer that keeps its input's shape ${showShape(x.shape)}`,
          actual: showShape(y.shape),
        });
  },
  children: [['', inner]],
  withChildren: ([replaced]) => residual(replaced),
});
