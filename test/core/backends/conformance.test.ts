/**
 * Every backend against the reference, which is itself measured against NumPy in `reference.test.ts`.
 */
import * as E from 'fp-ts/lib/Either.js';

import { hostKernelBackend } from '../../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { openUnit } from '../../../src/core/backends/host/simd/instance.ts';
import { nativeBackend } from '../../../src/core/backends/native/backend.ts';
import { portableBackend } from '../../../src/core/backends/portable/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { inTurns } from './host/memory/inTurns.ts';
import { conformance } from '../../support/conformance.ts';

conformance('reference', () => E.right(referenceBackend()));
conformance('portable', () => portableBackend({ threads: 1 }));
// Every product and every loop of the vector unit on threads, however small.
conformance('portable on threads', () =>
  portableBackend({ threads: 3, worthSharing: 0, worthPacking: 0, sharing: { worthSharing: 0, atOnce: 0 } }),
);
// Memories that a few operands fill, so that products have some elsewhere, and panels have room in the one for copies only.
conformance('portable on small memories', () =>
  portableBackend({ threads: 1, worthPacking: 0, unit: inTurns(openUnit({ pages: 2 })) }),
);
conformance('portable on threads on two memories', () =>
  portableBackend({
    threads: 3,
    worthSharing: 0,
    worthPacking: 0,
    sharing: { worthSharing: 0, atOnce: 0 },
    unit: inTurns(openUnit({ pages: 400, memories: 2 })),
  }),
);
conformance('gpu, WebAssembly', () => hostKernelBackend('webasm', { threads: 1 }));
// Every product on threads, however small.
conformance('gpu, WebAssembly on threads', () =>
  hostKernelBackend('webasm', {
    threads: 3,
    worthSharing: 0,
    products: {
      planProduct: ({ transposeA }) => ({
        by: 'kernel',
        swapped: false,
        left: transposeA ? 'panels' : 'rows',
        right: 'panels',
      }),
      planSymmetric: () => ({ by: 'kernel', layout: 'panels' }),
    },
  }),
);

// On a machine without a BLAS the typed error is the behaviour; where one is required, its absence is a failure.
for (const dtype of ['f32', 'f64'] as const) {
  const opened = nativeBackend({ dtype });
  if (E.isRight(opened)) {
    conformance(`native ${dtype}`, () => opened);
    if (dtype === 'f32') conformance('native, memories of a MiB', () => nativeBackend({ memoryLimit: 1 }));
  } else {
    it(`native ${dtype} has no BLAS on this machine`, () => {
      expect(process.env['KFAC_REQUIRE_BLAS']).toBeUndefined();
      expect(opened.left).toMatchObject({ _tag: 'BackendUnavailable', backend: 'native' });
    });
  }
}
