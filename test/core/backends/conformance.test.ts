/**
 * Every backend against the reference, which is itself measured against NumPy in `reference.test.ts`.
 */
import * as E from 'fp-ts/lib/Either.js';

import { nativeBackend } from '../../../src/core/backends/native/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { conformance } from '../../support/conformance.ts';

conformance('reference', () => E.right(referenceBackend()));
conformance('native f32', () => nativeBackend({ dtype: 'f32' }));
conformance('native f64', () => nativeBackend({ dtype: 'f64' }));
