/**
 * Waiting for what threads and collectors do in their own time.
 *
 * @module
 */

/** Milliseconds after which what has not happened never will: far more than a loaded machine takes, less than jest waits. */
export const patience = 180_000;

/**
 * Does something again and again, other work between, until that has had its effect.
 *
 * @param happened - says whether it has
 * @param again - what to do
 * @param pause - milliseconds between, in which other threads and the event loop have their turn
 * @throws where it does not happen
 */
export const eventually = async (happened: () => boolean, again: () => void, pause = 20): Promise<void> => {
  const end = performance.now() + patience;
  while (!happened()) {
    if (performance.now() > end) throw new Error(`It has not happened within ${patience / 1000} seconds.`);
    again();
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
};
