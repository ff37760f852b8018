/**
 * Kinds of things that happen in runs, each with the sentences that tell it. Another kind is another row.
 *
 * @module
 */
import { showNumber } from './table.ts';
import { dampingLimits, dampingRises } from './dampingMoves.ts';
import type { Kind, SeenStep } from './seenSteps.ts';
import { largest, median, percent, reporting, roughly, someOf, stepsInWords } from './seenSteps.ts';

const numbersOf = (steps: ReadonlyArray<SeenStep>): ReadonlyArray<number> => steps.map(({ step }) => step);

/** From this part of the steps on there is advice. */
const often = 0.2;

const adviceIf = (some: ReadonlyArray<SeenStep>, all: ReadonlyArray<SeenStep>, part: number, advice: string): string =>
  some.length >= part * all.length ? `; ${advice}` : '';

/** Steps that were not taken, and steps that were taken back later, told by a metric that is 1 then. */
const undone: ReadonlyArray<Kind> = [
  {
    name: 'rejected',
    about: (all) => {
      const steps = reporting(all, 'rejected');
      const some = steps.filter(({ metrics }) => metrics['rejected'] === 1 && metrics['takenBack'] !== 1);
      if (some.length === 0) return [];
      const advice = adviceIf(some, steps, often, 'begin with a larger damping, or take larger batches');
      const was = some.length === 1 ? 'was' : 'were';
      const they = some.length === 1 ? 'it' : 'they';
      return [
        `${someOf(some, steps)} ${was} not taken because ${they} raised the loss of the batch that ${they} ${was} made ` +
          `from (${stepsInWords(numbersOf(some))})${advice}.`,
      ];
    },
  },
  {
    name: 'takenBack',
    about: (all) => {
      const steps = reporting(all, 'takenBack');
      const some = steps.filter(({ metrics }) => metrics['takenBack'] === 1);
      if (some.length === 0) return [];
      const advice = adviceIf(some, steps, often, 'take larger batches, or a larger minDamping');
      return [
        `In ${someOf(some, steps)} the last steps were taken back because they did more harm to the next batch than they had ` +
          `promised good (${stepsInWords(numbersOf(some))})${advice}.`,
      ];
    },
  },
];

/** Something that shortens steps: its scale is below 1 then. */
interface Limit {
  readonly metric: string;
  readonly what: string;
  readonly advice: string;
}

const limits: ReadonlyArray<Limit> = [
  { metric: 'klScale', what: 'the KL clip', advice: 'raise klClip or lower the learning rate' },
  {
    metric: 'slopeScale',
    what: 'the loss bound',
    advice: 'the model promises more than the loss can fall by, so more damping may serve better',
  },
  { metric: 'clipScale', what: 'the clip of the norm', advice: 'raise its bound or lower the learning rate' },
  { metric: 'normScale', what: 'the norm constraint', advice: 'raise its bound or lower the learning rate' },
];

const limited = ({ metric, what, advice }: Limit): Kind => ({
  name: metric,
  about: (all) => {
    const steps = reporting(all, metric);
    const some = steps.filter(({ metrics }) => metrics[metric] < 1);
    if (some.length === 0) return [];
    const scale = median(some.map(({ metrics }) => metrics[metric]));
    return [
      `${what.replace(/^t/, 'T')} made ${someOf(some, steps)} shorter (${percent(some.length / steps.length)}), half of them ` +
        `to ${percent(scale)} of their length or less${adviceIf(some, steps, 0.5, advice)}.`,
    ];
  },
});

/** Ascent in the name of the model: the solver's direction goes up, and the model turns it round. */
const turnedRound: Kind = {
  name: 'turnedRound',
  about: (all) => {
    const steps = reporting(all, 'predictedChange');
    const some = steps.filter(({ metrics }) => metrics['learningRate'] < 0);
    return some.length === 0
      ? []
      : [
          `In ${someOf(some, steps)} the solver's direction led uphill and was turned round ` +
            `(${stepsInWords(numbersOf(some))})${adviceIf(some, steps, often, 'prepare inverses more often, or raise minDamping')}.`,
        ];
  },
};

const raisedPrefix = 'raisedDamping.';

/** Factorisations that took more damping than λ. */
const raisedForInverses: Kind = {
  name: 'raisedDamping',
  about: (steps) => {
    const names = [
      ...new Set(steps.flatMap(({ metrics }) => Object.keys(metrics).filter((name) => name.startsWith(raisedPrefix)))),
    ];
    return names.map((name) => {
      const some = reporting(steps, name);
      const greatest = largest(some.map(({ metrics }) => metrics[name]));
      return (
        `The curvature of ${name.slice(raisedPrefix.length)} was not positive definite with λ: its inverse took up to ` +
        `${roughly(greatest)} in ${stepsInWords(numbersOf(some))}; a larger minDamping or double precision helps.`
      );
    });
  },
};

/** Iterations that ended before their tolerance. */
const notConverged: Kind = {
  name: 'solveConverged',
  about: (all) => {
    const steps = reporting(all, 'solveConverged');
    const some = steps.filter(({ metrics }) => metrics['solveConverged'] === 0);
    if (some.length === 0) return [];
    const residual = largest(some.map(({ metrics }) => metrics['solveResidual']));
    return [
      `The solver's iteration ended before its tolerance in ${someOf(some, steps)}, with a relative residual of up to ` +
        `${roughly(residual)}${adviceIf(some, steps, often, 'raise maxIterations, the tolerance or the damping')}.`,
    ];
  },
};

/** A loss so many times the first is told. */
const spike = 4;

/** A loss that was far above its beginning. */
const lossSpike: Kind = {
  name: 'lossSpike',
  about: (all) => {
    const steps = reporting(all, 'loss');
    if (steps.length === 0) return [];
    const first = steps[0].metrics['loss'];
    const worst = steps.reduce((a, b) => (b.metrics['loss'] > a.metrics['loss'] ? b : a));
    const { loss } = worst.metrics;
    return first > 0 && loss >= spike * first
      ? [
          `The loss rose to ${roughly(loss)} in step ${worst.step}, ${showNumber(Math.round(loss / first))} times that of ` +
            'the first; lower the learning rate or raise the damping if it did not come back.',
        ]
      : [];
  },
};

/** All that accounts tell, in this order. */
export const kinds: ReadonlyArray<Kind> = [
  lossSpike,
  dampingRises,
  dampingLimits,
  ...undone,
  ...limits.map(limited),
  turnedRound,
  notConverged,
  raisedForInverses,
];
