/**
 * `kfac doctor`.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';

/** What the command asks for. */
export interface DoctorCommand {
  readonly name: 'doctor';
  readonly flags: RawFlags;
}

export const runDoctor = (_world: World, _command: DoctorCommand): TE.TaskEither<KfacError, void> =>
  TE.right(undefined);
