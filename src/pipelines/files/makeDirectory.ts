/**
 * A directory with all that it is in.
 *
 * Not the system's own way to make several at once: where a directory takes none (`/proc` for example says that there is no such
 * file), that tries for ever.
 *
 * @module
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Makes a directory, and those above it that are missing; one that is there stays.
 *
 * @param path - of the directory
 */
export const makeDirectory = async (path: string): Promise<void> => {
  const above = dirname(path);
  if (await isDirectory(path)) return;
  if (above !== path) await makeDirectory(above);
  const isMade = await mkdir(path).then(
    () => true,
    () => isDirectory(path), // someone else may have made it meanwhile
  );
  if (!isMade) await mkdir(path); // which says what is in the way
};
