/**
 * The host interpreter with the vector unit for arrays of every length. By default short ones, which most arrays of the
 * suite are, take plain loops; those are measured through the native backend.
 */
import * as E from 'fp-ts/lib/Either.js';

import { singleKernels } from '../../../../src/core/backends/host/simd/kernels.ts';
import { conformance } from '../../../support/conformance.ts';
import { loopBackend } from './support.ts';

conformance('host, vector unit for all lengths', () => E.right(loopBackend('f32', singleKernels(1)).backend));
