/**
 * The device interpreter in modes that every machine has.
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { conformanceOnOpening } from '../../../../support/conformance.ts';
import { memoryBackend } from './support.ts';

conformanceOnOpening(
  'device in JavaScript',
  'f32',
  TE.fromIO(() => memoryBackend('cpu')),
  { runs: 30 },
);
