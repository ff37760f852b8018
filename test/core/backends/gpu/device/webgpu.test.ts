/**
 * The device interpreter on WebGPU, where this machine has it.
 */
import * as TE from 'fp-ts/lib/TaskEither.js';
import { pipe } from 'fp-ts/lib/function.js';

import { conformanceOnOpening } from '../../../../support/conformance.ts';
import { webgpuBackend } from '../../../../support/webgpu.ts';

conformanceOnOpening(
  'device on WebGPU',
  'f32',
  pipe(
    webgpuBackend(),
    TE.mapLeft((reason) => ({ _tag: 'BackendUnavailable', backend: 'webgpu', reason, advice: '' })),
  ),
  { runs: 10 },
);
