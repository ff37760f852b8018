/**
 * Charts of what steps report, each with a sentence that says what to look for.
 *
 * @module
 */
import type { Chart } from '../tasks/task.ts';
import type { CourseOf } from '../loading/metrics.ts';

/** A chart and what it tells. */
export interface StepChart {
  readonly heading: string;
  readonly words: string;
  readonly chart: Chart;
}

/** What is known of a kind of metric. */
interface Known extends Omit<StepChart, 'chart'> {
  /** Metrics by the last part of their names, and titles of their panels. */
  readonly panels: Readonly<Record<string, string>>;
}

const known: ReadonlyArray<Known> = [
  {
    heading: 'Damping',
    words:
      'A λ that keeps rising says that the model of the loss does not hold as far as the steps go: larger batches or a smaller ' +
      'learning rate help. The reduction ratio ρ is the change of the loss over the change that was promised; near 1 is good.',
    panels: { damping: 'damping λ', reductionRatio: 'reduction ratio ρ' },
  },
  {
    heading: 'Length of steps',
    words:
      'A scale below 1 is a step that was made shorter. Where that is most steps, the bound sets the learning rate.',
    panels: {
      learningRate: 'learning rate',
      momentum: 'momentum',
      klScale: 'scale of the KL clip',
      slopeScale: 'scale of the loss bound',
      clipScale: 'scale of the clip',
      normScale: 'scale of the norm constraint',
    },
  },
  {
    heading: 'Norms',
    words: 'A gradient that grows while the loss stands still, or updates that jump, come before a run that diverges.',
    panels: { gradientNorm: 'norm of the gradient', updateNorm: 'norm of the update' },
  },
  {
    heading: 'Inverses',
    words: 'How many steps old the inverses were, and how many iterations the solver took.',
    panels: { inverseAge: 'age of inverses (steps)', cgIterations: 'iterations of the solver' },
  },
];

const lastPart = /(?:^|\.)(\w+)$/;

/** Metrics of a kind, those of groups of parameters and of players included: `head.damping`. */
const panelsOf = ({ panels }: Known, metrics: ReadonlyArray<string>): Chart['panels'] =>
  Object.fromEntries(
    metrics.flatMap((name) => {
      const [, last = ''] = lastPart.exec(name) ?? [];
      if (!Object.hasOwn(panels, last)) return [];
      return [[name, name === last ? panels[last] : `${panels[last]}, ${name.slice(0, -last.length - 1)}`]];
    }),
  );

/**
 * The charts that there are numbers for.
 *
 * @param courses - of all optimizers
 */
export const stepCharts = (courses: ReadonlyArray<CourseOf>): ReadonlyArray<StepChart> => {
  const metrics = [...new Set(courses.flatMap(({ history }) => history.flatMap((step) => Object.keys(step.metrics))))];
  return known.flatMap((kind) => {
    const { heading, words } = kind;
    const panels = panelsOf(kind, metrics);
    return Object.keys(panels).length === 0 ? [] : [{ heading, words, chart: { name: heading, of: 'steps', panels } }];
  });
};
