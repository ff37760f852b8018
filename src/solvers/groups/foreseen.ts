/**
 * What several optimizers foresee in one run.
 *
 * @module
 */
import type { Foresee } from '../../core/pipeline/stage.ts';
import { foreseenBy } from '../../core/pipeline/stage.ts';

/** Someone who foresees, under a name. */
export interface Foreseeing {
  readonly name: string;
  readonly foresee?: Foresee;
}

/**
 * The first of what they foresee, at a path below the name of who does.
 *
 * @param parts - optimizers of groups, of players
 */
export const foreseenIn = (parts: ReadonlyArray<Foreseeing>): Foresee =>
  foreseenBy(
    parts.map(({ name, foresee }) => ({
      foresee: (from, to) => {
        const error = foresee?.(from, to) ?? null;
        return error?._tag === 'BadConfig' ? { ...error, path: `${name}.${error.path}` } : error;
      },
    })),
  );
