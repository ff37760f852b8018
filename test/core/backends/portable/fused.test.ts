/**
 * The portable backend with products that are added by the instruction that makes them: the suite of all backends, and what is said
 * of it.
 */
import * as E from 'fp-ts/lib/Either.js';

import { portableBackend } from '../../../../src/core/backends/portable/backend.ts';
import { isFused } from '../../../../src/core/backends/webAssembly/fused.ts';
import { conformance } from '../../../support/conformance.ts';
import { withRelaxedVectors } from '../../../support/relaxedVectors.ts';
import { orThrow } from '../../../support/training.ts';

withRelaxedVectors();

conformance('portable, fused', () => portableBackend({ threads: 1, worthPacking: 0 }));

describe('fused multiply-add', () => {
  it('is found where the engine and the processor have it', () => {
    expect(isFused()).toBe(true);
  });

  it.each([
    [true, 'vectors in WebAssembly, fused multiply-add'],
    [false, 'vectors in WebAssembly'],
  ])('fused: %s is told', async (fused, library) => {
    const opened = portableBackend({ threads: 1, fused });
    expect(E.isRight(opened) ? opened.right.report().library : opened.left).toBe(library);
    await orThrow(opened).dispose();
  });
});
