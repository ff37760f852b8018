/**
 * What came of a step, and what follows for λ and for how far the next steps are trusted: plain numbers, of losses and slopes that
 * `crossBatchDamping` has computed.
 *
 * @module
 */
import type { Period } from '../../core/pipeline/period.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { MemoryOf } from '../update/rules/memory.ts';
import { memoryAt } from '../update/rules/memory.ts';
import { mostDamping } from './levenbergMarquardt.ts';
import type { Along } from './stepLength.ts';
import { fromEnd, overAll } from './stepLength.ts';

/** What answers to noise. */
export const noises = ['damping', 'length'] as const;

/** What answers to noise. */
export type Noise = (typeof noises)[number];

/** Settings of `crossBatchDamping`. */
export interface CrossBatchOptions {
  /**
   * Steps between two judgements, 1 unless given: what the steps between have gained is judged as a whole, and taken back as
   * a whole.
   */
  readonly every?: Period;
  /**
   * What answers to noise: λ, unless given, which then moves by what steps gain of their promises; or the steps' length, which
   * moves by what they gain of their slope over all examples, while λ moves by whether the model holds on their own.
   */
  readonly noise?: Noise;
  /** Factor per step by which λ adapts, and length, in (0, 1]; 0.95 unless given. */
  readonly decay?: number;
  /** λ does not fall below this, 1e-3 unless given. */
  readonly minimum?: number;
  /** λ does not rise above this for what steps are worth, 30 unless given; steps that are not taken may raise it further. */
  readonly maximum?: number;
  /** Below this ratio of what steps gain to what they promise λ rises, or steps get shorter, 0.2 unless given; … */
  readonly low?: number;
  /** … and above this it falls, or they get longer, 0.5 unless given. */
  readonly high?: number;
  /** What is kept per judgement of the sums of gains and promises, in [0, 1); 0.9 unless given. */
  readonly memory?: number;
  /** λ rises by this part of itself when a step is not taken, 1 unless given; with 0 it does not. */
  readonly raise?: number;
  /** A step that raises the loss of the next examples by more than this times its promise is taken back; 2 unless given. */
  readonly tolerance?: number;
}

export const standard: Required<CrossBatchOptions> = {
  every: 1,
  noise: 'damping',
  decay: 0.95,
  minimum: 1e-3,
  maximum: 30,
  low: 0.2,
  high: 0.5,
  memory: 0.9,
  raise: 1,
  tolerance: 2,
};

const kinds = {
  before: 'params',
  promise: 'number',
  steps: 'number',
  gained: 'number',
  promised: 'number',
} as const;

/**
 * The parameters at the last judgement, what the model promised of the steps since (below 0), how many they are, and sums over
 * judgements: of gains, and of promises, or of slopes where the steps' length answers to noise.
 */
export const lastStep = memoryAt('lastStep', kinds);

/** What is remembered of the steps since the last judgement. */
export type LastStep<T> = MemoryOf<typeof kinds, T>;

export const nothingYet = { promise: 0, steps: 0, gained: 0, promised: 0 };

/** What came of a step. */
export type Verdict = 'taken' | 'rejected' | 'takenBack';

export interface Judged {
  readonly verdict: Verdict;
  /** Sums of changes of the loss, and of those that were promised; both below 0 where all is well. */
  readonly gained: number;
  readonly promised: number;
}

/** What is known of a step before it is judged. */
interface Given {
  readonly predictedChange: number;
  /** Of the batch's examples among all that are trained on; 0 where each is seen once. */
  readonly share: number;
}

/** The loss of the sample at the last judgement (where that is known), now, and after this step. */
export interface Losses {
  readonly before: number | null;
  readonly now: number;
  readonly after: number;
  /** Slopes of the batch's loss: along the steps since the last judgement, at their end, and along this step. */
  readonly slopes: { readonly since: number; readonly own: number } | null;
}

/**
 * What steps since the last judgement have gained, and what they should have: as promised by the model of their own batches, or
 * by slopes of all examples.
 *
 * @param losses - with slopes where those are asked for
 * @param before - the loss of the sample at the last judgement
 * @param promise - of the steps since
 * @param given - what this step promises, and the share of its examples in all
 */
const worthOf = (
  { now, after, slopes }: Losses,
  before: number,
  promise: number,
  { predictedChange, share }: Given,
): Along => {
  const others = now - before;
  if (slopes === null) return { gain: others, slope: promise };
  const fresh = fromEnd(others, slopes.since);
  // What holds of this step on its own examples is taken to have held of those before it.
  const times = predictedChange < 0 ? promise / predictedChange : null;
  if (times === null) return fresh;
  return overAll({ gain: times * (after - now), slope: times * slopes.own }, fresh, share);
};

export const judge = (
  losses: Losses,
  last: Omit<LastStep<never>, 'before'>,
  given: Given,
  { memory, tolerance }: Required<CrossBatchOptions>,
): Judged => {
  const { before, now, after } = losses;
  const worth = before === null ? null : worthOf(losses, before, last.promise, given);
  const sums =
    worth === null
      ? { gained: last.gained, promised: last.promised }
      : { gained: memory * last.gained + worth.gain, promised: memory * last.promised + worth.slope };
  // Not `>`: a loss that is not a number is no gain.
  if (before !== null && !(now - before <= -tolerance * last.promise)) {
    return { verdict: 'takenBack', gained: 0, promised: 0 };
  }
  return after <= now ? { verdict: 'taken', ...sums } : { verdict: 'rejected', gained: 0, promised: 0 };
};

/** Steps that promise less of the loss than this cannot be told from none. */
const leastTrust = 1e-6;

/**
 * The part of their bound that steps may promise, in (0, 1].
 *
 * @param scalars - of a training state
 * @param first - before any step, 1 unless given
 */
export const trusted = (scalars: TrainState<unknown>['scalars'], first = 1): number => scalars['trust'] ?? first;

/** It halves where a step is not taken, and comes back at the rate of λ. */
export const trustAfter = (trust: number, verdict: Verdict, rate: number): number =>
  verdict === 'taken' ? Math.min(1, trust / rate) : Math.max(leastTrust, trust / 2);

/** The next λ, and the bound that kept it from moving on: 1 the greatest, −1 the least, 0 none. */
interface Adapted {
  readonly damping: number;
  readonly dampingLimit: -1 | 0 | 1;
}

/** Where λ goes: 1 up, −1 down. */
type Move = -1 | 0 | 1;

/** By what steps gain of what they promise. */
export const byGain = ({ gained, promised }: Judged, { low, high }: Required<CrossBatchOptions>): Move => {
  const rho = promised < 0 ? gained / promised : NaN;
  if (rho > high) return -1;
  return rho < low ? 1 : 0;
};

/** By whether the model holds on a step's own examples [MG15 §6.5], where steps do not go too far on all. */
export const byModel = (rho: number, ratio: number | null, { high }: Required<CrossBatchOptions>): Move => {
  if (rho > 0.75) return ratio === null || ratio > high ? -1 : 0;
  return rho < 0.25 ? 1 : 0;
};

/** The next λ by what came of so many steps. */
export const adapted = (
  lambda: number,
  verdict: Verdict,
  move: Move,
  steps: number,
  { decay, minimum, maximum, raise }: Required<CrossBatchOptions>,
): Adapted => {
  const raisedTo = (damping: number): number => Math.max(minimum, lambda, damping);
  if (verdict !== 'taken') return { damping: raisedTo(Math.min(mostDamping, lambda * (1 + raise))), dampingLimit: 0 };
  if (move === -1) {
    const lowered = lambda * decay ** steps;
    return { damping: Math.max(minimum, lowered), dampingLimit: lowered < minimum ? -1 : 0 };
  }
  if (move === 0) return { damping: Math.max(minimum, lambda), dampingLimit: 0 };
  const higher = lambda / decay ** steps;
  return { damping: raisedTo(Math.min(maximum, higher)), dampingLimit: higher > maximum ? 1 : 0 };
};
