/**
 * What a step of an optimizer costs, in steps of Adam and in words.
 *
 * @module
 */
import type { StageCost } from '../../core/pipeline/stageCosts.ts';
import type { StepCost } from '../trainer/counted.ts';

/** A part of a step's cost, in steps of Adam. */
export interface CostPart {
  readonly what: string;
  readonly cost: number;
}

/** What some stages do together. */
interface Work {
  readonly stages: ReadonlyArray<string>;
  /** Words for what they do in every step. */
  readonly what: (cost: StepCost) => string;
  /** Words for what they do now and then; those for every step unless given. */
  readonly dear?: string;
}

const isReported = ({ reports }: StepCost, metric: RegExp): boolean => reports.some((name) => metric.test(name));

const iterations = /(^|\.)\w*iterations$/i;

/** The work of the stages that there are. */
const works: ReadonlyArray<Work> = [
  { stages: ['forward', 'backward'], what: () => 'forward and backward' },
  {
    stages: ['sample', 'capture', 'updateFactors'],
    what: ({ statistics, batch }) =>
      statistics > 1 && statistics < batch ? `statistics (${statistics} of ${batch} examples)` : 'statistics',
  },
  { stages: ['equilibrate'], what: () => 'units of the curvature' },
  {
    stages: ['solve'],
    what: (cost) => (isReported(cost, iterations) ? 'iterations and directions' : 'directions'),
    dear: 'inverses',
  },
  {
    stages: ['update'],
    what: (cost) => (isReported(cost, /(^|\.)predictedChange$/) ? 'quadratic model and update' : 'update'),
  },
  { stages: ['adaptDamping', 'crossBatchDamping'], what: () => 'judging steps' },
];

const sumOf = (costs: ReadonlyArray<number>): number => costs.reduce((sum, cost) => sum + cost, 0);

/** Every how many of the steps that were counted. */
const often = (every: number, steps: number): string =>
  every === steps ? `once in ${steps} steps` : `every ${every} steps`;

/** Parts of one work: what it does always, and what now and then. */
const partsOf = (cost: StepCost, { what, dear }: Work, stages: ReadonlyArray<StageCost>): ReadonlyArray<CostPart> => {
  const words = what(cost);
  return [
    { what: words, cost: sumOf(stages.map(({ always }) => always)) },
    ...stages
      .filter(({ periodic }) => periodic > 0)
      .map(({ every, periodic }) => ({ what: `${dear ?? words} ${often(every, cost.steps)}`, cost: periodic })),
  ];
};

/** Parts below this are told together. */
const least = 0.05;

/**
 * The parts of a step's cost that matter, in the order in which a step comes to them, and the rest; they add up to the
 * whole.
 *
 * @param cost - counted
 */
export const costParts = (cost: StepCost): ReadonlyArray<CostPart> => {
  const known = works.flatMap(({ stages }) => stages);
  const own = cost.stages
    .filter(({ stage }) => !known.includes(stage))
    .map(({ stage }): Work => ({ stages: [stage], what: () => stage }));
  const parts = [...works, ...own].flatMap((work) =>
    partsOf(
      cost,
      work,
      cost.stages.filter(({ stage }) => work.stages.includes(stage)),
    ),
  );
  const rest = sumOf(parts.filter((part) => part.cost < least).map((part) => part.cost));
  return [...parts.filter((part) => part.cost >= least), ...(rest >= least ? [{ what: 'the rest', cost: rest }] : [])];
};

const shownCost = (cost: number): string => (cost < 9.95 ? cost.toFixed(1) : String(Math.round(cost)));

/**
 * A sentence: “kfac: a step costs about 2.1 steps of Adam: forward and backward 1.0, statistics 0.6, inverses every 5 steps
 * 0.5.” Operations are counted, not time: where arrays are small, time goes elsewhere.
 *
 * @param name - of the optimizer
 * @param cost - counted
 */
export const stepCostText = (name: string, cost: StepCost): string => {
  const about = isReported(cost, iterations) ? 'up to' : 'about';
  const parts = costParts(cost).map((part) => `${part.what} ${shownCost(part.cost)}`);
  const steps = shownCost(cost.ofAdam) === '1.0' ? 'one step' : `${shownCost(cost.ofAdam)} steps`;
  return `${name}: a step costs ${about} ${steps} of Adam: ${parts.join(', ')}.`;
};
