/**
 * Tests that need a BLAS.
 *
 * On a machine without one the typed error is the behaviour that is tested; where one is required, its absence fails.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import { nativeBackend } from '../../src/core/backends/native/backend.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { orThrow } from './training.ts';

/** The native backend in both precisions. */
export interface NativePair {
  readonly single: Backend<Tensor>;
  readonly double: Backend<Tensor>;
}

/**
 * Defines tests on the native backend, which is disposed of after them.
 *
 * @param define - the tests
 */
export const withNative = (define: (pair: NativePair) => void): void => {
  const opened = nativeBackend({ dtype: 'f32' });
  if (E.isLeft(opened)) {
    it('has no BLAS on this machine, and says how to get one', () => {
      expect(process.env['KFAC_REQUIRE_BLAS']).toBeUndefined();
      expect(opened.left).toMatchObject({ _tag: 'BackendUnavailable', backend: 'native' });
    });
    return;
  }
  const single = opened.right;
  const double = orThrow(nativeBackend({ dtype: 'f64' }));
  afterAll(async () => {
    orThrow(await single.dispose());
    orThrow(await double.dispose());
  });
  define({ single, double });
};
