/**
 * Timing: the median of repeated runs, after a warm-up.
 *
 * @module
 */

const median = (sorted: ReadonlyArray<number>): number => sorted[Math.floor(sorted.length / 2)];

/**
 * Seconds per call: the median over windows of at least 20 ms.
 *
 * @param run - what is measured
 * @param seconds - how long to measure
 */
export const secondsPerCall = (run: () => void, seconds = 0.6): number => {
  run();
  const probeStart = performance.now();
  run();
  const probe = Math.max(1e-4, performance.now() - probeStart);
  const calls = Math.max(1, Math.round(20 / probe));
  const windows: Array<number> = [];
  const end = performance.now() + 1000 * seconds;
  while (windows.length < 3 || performance.now() < end) {
    const start = performance.now();
    for (let i = 0; i < calls; i += 1) run();
    windows.push((performance.now() - start) / calls / 1000);
  }
  return median(windows.sort((a, b) => a - b));
};

/**
 * Seconds of the fastest call among many, which other programs on the machine disturb least.
 *
 * @param run - what is measured
 * @param seconds - how long to measure
 */
export const leastSecondsPerCall = (run: () => void, seconds: number): number => {
  let least = Infinity;
  const end = performance.now() + 1000 * seconds;
  for (let calls = 0; calls < 3 || performance.now() < end; calls += 1) {
    const start = performance.now();
    run();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
};

/**
 * Seconds of the fastest call of each of several, taken in turns, so that whatever else the machine does meets all of them.
 *
 * @param runs - what is measured
 * @param seconds - how long to measure each
 */
export const leastSecondsInTurns = (runs: ReadonlyArray<() => void>, seconds: number): ReadonlyArray<number> => {
  const rounds = 4;
  const times = runs.map(() => Infinity);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, run] of runs.entries()) times[i] = Math.min(times[i], leastSecondsPerCall(run, seconds / rounds));
  }
  return times;
};

/** The mean of some numbers. */
export const meanOf = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The median of some numbers. */
export const medianOf = (values: ReadonlyArray<number>): number => median(values.toSorted((a, b) => a - b));
