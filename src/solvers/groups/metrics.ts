/**
 * Metrics of several optimizers in one step.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Scalars } from '../../core/pipeline/metrics.ts';
import { isSeconds, mergeMetrics } from '../../core/pipeline/metrics.ts';
import type { Shaped } from '../../core/tensor.ts';

/** What one of several reports, under its name. */
export interface Reported<T> {
  readonly name: string;
  readonly metrics: Scalars<T>;
}

/**
 * Metrics with a name before theirs, except seconds.
 *
 * @param reported - who reports what
 * @param which - the metrics that carry the name; all unless given
 */
export const labelled = <T>(
  { name, metrics }: Reported<T>,
  which: (metric: string) => boolean = () => true,
): Scalars<T> =>
  Object.fromEntries(
    Object.entries(metrics).map(([metric, value]) => [
      isSeconds(metric) || !which(metric) ? metric : `${name}.${metric}`,
      value,
    ]),
  );

/** Norms over all parameters, which are the roots of the sums of the groups' squares. */
const norms = ['gradientNorm', 'directionNorm', 'updateNorm'];

/** Below any norm that matters, above 0. */
const tiny = 1e-30;

/** √(a² + b²), where the squares may be too large for the precision. */
const hypotenuse = <T extends Shaped>(ops: Ops<T>, a: T, b: T): T => {
  const larger = ops.maximum(ops.maximum(a, b), ops.full([], tiny));
  const [x, y] = [ops.div(a, larger), ops.div(b, larger)];
  return ops.mul(larger, ops.sqrt(ops.add(ops.square(x), ops.square(y))));
};

/**
 * Metrics of groups of parameters as those of a step: what only one reports has its own name, what several report carries
 * theirs (`head.damping`), seconds are summed, and norms are those of all parameters as well.
 *
 * @param ops - interpreter
 * @param groups - by group, in any order
 */
export const mergedMetrics = <T extends Shaped>(ops: Ops<T>, groups: ReadonlyArray<Reported<T>>): Scalars<T> => {
  const reported = [...groups].sort((a, b) => (a.name < b.name ? -1 : 1));
  const reporting = (metric: string): ReadonlyArray<T | number> =>
    reported.filter(({ metrics }) => Object.hasOwn(metrics, metric)).map(({ metrics }) => metrics[metric]);
  const clashes = (metric: string): boolean => reporting(metric).length > 1;
  const array = (value: T | number): T => (typeof value === 'number' ? ops.full([], value) : value);
  const joint = norms.filter((norm) => clashes(norm) && reporting(norm).length === reported.length);
  return mergeMetrics<T>([
    ...reported.map((each) => labelled(each, clashes)),
    Object.fromEntries(
      joint.map((norm) => [
        norm,
        reporting(norm)
          .map(array)
          .reduce((a, b) => hypotenuse(ops, a, b)),
      ]),
    ),
  ]);
};
