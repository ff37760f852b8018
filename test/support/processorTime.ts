/**
 * How much work something is, where the machine may do other work at the same time.
 *
 * @module
 */

/**
 * Begins to count the seconds of processor time of this process. Unlike those of a clock they are nearly the same on a machine that
 * is busy, so a bound on them tells work that grows out of all proportion.
 *
 * @returns says how many there have been
 */
export const processorTime = (): (() => number) => {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
};
