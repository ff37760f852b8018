/**
 * Every setting of presets, with its range, default and meaning; configurations take those that their parts share.
 *
 * A preset takes a setting as it is or with another default. What is said of one here is what its options' comments, the
 * command line and the reference page say of it.
 *
 * @module
 */
import { mostClasses } from '../../curvature/classKfac.ts';
import type { Equilibration } from '../../curvature/equilibrate.ts';
import { equilibrations } from '../../curvature/equilibrate.ts';
import type { EstimatorName } from '../../curvature/estimators.ts';
import { estimatorNames } from '../../curvature/estimators.ts';
import type { VectorFactors } from '../../curvature/gradientFactors.ts';
import { vectorFactors } from '../../curvature/gradientFactors.ts';
import type { Biases } from '../../curvature/sites/biases.ts';
import { biasTreatments } from '../../curvature/sites/biases.ts';
import type { ScaleShiftKind } from '../../curvature/sites/options.ts';
import { scaleShiftKinds } from '../../curvature/sites/options.ts';
import { mostFull } from '../../curvature/statistics/factors.ts';
import type { Sharing } from '../../curvature/statistics/sharing.ts';
import { sharings } from '../../curvature/statistics/sharing.ts';
import type { ClassWiseMethod } from '../inverses/classWiseInverse.ts';
import { classWiseMethods } from '../inverses/classWiseInverse.ts';
import type { Grafting } from '../update/rules/grouped.ts';
import { graftings } from '../update/rules/grouped.ts';
import type { HeadMover, MuonScale } from '../solver/muon.ts';
import { headMovers, muonScales } from '../solver/muon.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decays } from '../update/rules/weightDecay.ts';
import type { SumMethod } from '../iterative/classWise.ts';
import { sumMethods } from '../iterative/classWise.ts';
import {
  belowOne,
  between,
  fraction,
  notNegative,
  oneOf,
  positive,
  text,
  truth,
  wholeBetween,
  wholeFrom,
} from './range.ts';
import { setting, tunable, withStandard } from './setting.ts';

/** Of updates. */
export const ofUpdates = {
  learningRate: setting(notNegative, 1, 'η'),
  klClip: setting(positive, 2, 'κ of the KL clip'),
  lossBound: setting(positive, 1, 'κ: the gradient promises at most this part of the loss'),
  momentum: setting(belowOne, 0.7, 'μ of the momentum'),
  weightDecay: setting(notNegative, 0, 'decoupled weight decay'),
  decayed: setting<Decays>(
    oneOf(decays),
    'all',
    'which parameters decay: all, or weights (not biases, gains and shifts)',
  ),
};

/** Of Muon, beside Adam's. */
export const ofMuon = {
  momentum: setting(belowOne, 0.95, 'μ of the momentum that is orthogonalised'),
  nesterov: setting(truth, true, 'whether momentum looks ahead along the gradient'),
  iterations: setting(wholeBetween(1, 100), 5, 'turns of the Newton–Schulz iteration'),
  scale: setting<MuonScale>(
    oneOf(muonScales),
    'rms',
    'scale of orthogonal matrices: as large as Adam’s, or Muon’s own',
  ),
  head: setting<HeadMover>(oneOf(headMovers), 'adam', 'who moves the last dense layer'),
  adamRate: setting(notNegative, 1, 'Adam’s part of the parameters moves by this multiple of η'),
};

/** Optimizers whose lengths presets graft. */
export const grafted = ['adam', 'sgd'] as const;

/** An optimizer whose lengths a preset grafts. */
export type Grafted = (typeof grafted)[number];

/** Of grafting. */
export const ofGrafting = {
  length: setting<Grafted>(oneOf(grafted), 'adam', 'whose length a step has; sgd has the momentum μ'),
  by: setting<Grafting>(
    oneOf(graftings),
    'parameter',
    'what takes a length: each parameter array, each layer, or the whole',
  ),
};

/** Of updates whose steps have the length of another optimizer's. */
export const ofGraftedUpdates = {
  learningRate: tunable(
    withStandard(ofUpdates.learningRate, 1e-3, 'η, in units of the steps whose length is taken'),
    [1e-4, 3e-2],
    'log',
  ),
  momentum: tunable(
    withStandard(ofUpdates.momentum, 0.9, 'μ of the momentum of directions, which does not lengthen steps'),
    [0, 0.95],
    'linear',
  ),
};

/** Of the damping and its adaptation. */
export const ofDamping = {
  damping: setting(positive, 10, 'λ at step 0, in units of the loss per example'),
  dampingDecay: setting(fraction, 0.05, 'λ is multiplied by this every 100 steps'),
  minDamping: setting(notNegative, 0.1, 'λ does not fall below this'),
  maxDamping: setting(positive, 30, 'λ does not rise above this for what steps are worth'),
  equilibrated: setting<Equilibration>(oneOf(equilibrations), 'block', 'parameters that share a unit of curvature'),
  dampingEvery: setting(wholeFrom(1), 5, 'steps between two adaptations of λ'),
  gammaEvery: setting(wholeFrom(0), 0, 'steps between two choices of the inverses’ own damping γ²; 0 takes λ for it'),
  gammaDecay: setting(between, Math.sqrt(19 / 20), 'factor per step by which γ adapts'),
  rejectSteps: setting(truth, false, 'whether a step that raises the loss of its batch is taken back'),
};

/** Of statistics and curvature. */
export const ofCurvature = {
  decay: setting(belowOne, 0.95, 'ρ of the moving average of the statistics'),
  strict: setting(truth, false, 'whether a parameter without a site is an error'),
  sharing: setting<Sharing>(oneOf(sharings), 'expand', 'weights that meet one example at several positions'),
  scaleShift: setting<ScaleShiftKind>(oneOf(scaleShiftKinds), 'full', 'second moments of gain and shift'),
  uncorrelated: setting(truth, false, 'whether the pixels that a filter meets are taken for uncorrelated and alike'),
  maxFactor: setting(wholeFrom(1), mostFull, 'largest order of a full factor; a larger one is its diagonal'),
  estimator: setting<EstimatorName>(
    oneOf(estimatorNames),
    'monteCarlo',
    'which targets feed the Fisher; forwardOnly takes none',
  ),
  biases: setting<Biases>(oneOf(biasTreatments), 'joint', 'whether a bias has a block with its weight, or its own'),
  statisticsEvery: setting(wholeFrom(1), 1, 'steps between two captures of statistics'),
  statisticsFraction: setting(fraction, 1, 'part of the batch that statistics are taken from'),
  positionsFraction: setting(fraction, 1, 'part of an example’s positions that statistics are taken from'),
  modelFraction: setting(fraction, 0.25, 'part of the batch that the quadratic model’s products are taken over'),
  atLeast: setting(wholeFrom(1), 256, 'examples that both parts have at least, where the batch has them'),
  classes: setting(wholeBetween(1, mostClasses), 10, 'number of classes of the targets'),
  sites: setting(text, 'all', 'all, or paths of the sites that keep classes apart, with commas between'),
  inputBlocks: setting(wholeFrom(1), 4, 'parts of each layer’s inputs'),
  outputBlocks: setting(wholeFrom(1), 4, 'parts of each layer’s outputs'),
  blockSize: setting(wholeFrom(0), 0, 'size of a part, instead of their number; 0 counts'),
  perHead: setting(truth, false, 'whether the projections of attention have a part for each head instead'),
};

/** Of statistics of gradients. */
export const ofGradients = {
  limit: setting(wholeFrom(1), 2048, 'longest axis with a full factor; a longer one has a diagonal'),
  vectors: setting<VectorFactors>(oneOf(vectorFactors), 'full', 'factors of vectors'),
};

/** Of inverses: when they are prepared anew, and how. */
export const ofInverses = {
  inverseEvery: setting(wholeFrom(1), 5, 'steps between two preparations of the inverses, at most so many by drift'),
  inverseDrift: setting(notNegative, 0, 'relative change of the factors that calls for new inverses; 0 counts steps'),
  inverseStaleness: setting(wholeFrom(0), 0, 'steps that go on with the last inverses while the next are made'),
  share: setting(notNegative, 0.25, 'part of a step’s work that statistics, and inverses, may cost; 0 sets no bound'),
  settling: setting(wholeFrom(0), 40, 'steps in which periods, 1 at first, grow to what they stay; 0: at once'),
  relativeDamping: setting(positive, 1e-6, 'what a factor gains, as a multiple of its largest eigenvalue'),
  momentDecay: setting(belowOne, 0.95, 'ρ of the average of the second moments'),
  rank: setting(wholeFrom(1), 64, 'eigenvectors kept of each factor'),
  oversampling: setting(wholeFrom(0), 10, 'random columns on top of the rank'),
  powerIterations: setting(wholeBetween(0, 100), 1, 'products that sharpen the range'),
  newtonTolerance: setting(positive, 1e-6, 'residual at which the iteration ends'),
  newtonIterations: setting(wholeBetween(1, 1000), 40, 'iterations for one factor at most'),
  blockLimit: setting(wholeFrom(1), 4096, 'elements in a block at most'),
  classWiseMethod: setting<ClassWiseMethod>(oneOf(classWiseMethods), 'auto', 'how sums are inverted'),
};

/** Of iterations. */
export const ofIterations = {
  maxIterations: setting(wholeBetween(1, 10000), 100, 'iterations per step at most'),
  tolerance: setting(notNegative, 1e-6, 'relative residual at which the iteration stops'),
  warmStart: setting(notNegative, 0.95, 'ζ, the part of the last direction that the iteration starts from'),
  progress: setting(notNegative, 5e-4, 'ε of Martens’ stopping rule; 0 switches it off'),
  sumMethod: setting<SumMethod>(oneOf(sumMethods), 'auto', 'how sums are solved'),
  sumTolerance: setting(notNegative, 1e-4, 'relative residual at which the iteration of a block stops'),
  sumIterations: setting(wholeBetween(1, 10000), 20, 'iterations of a block at most'),
};

/** Of Adam. */
export const ofAdam = {
  beta1: tunable(setting(belowOne, 0.9, 'β₁ of the first moment'), [0, 0.95], 'linear'),
  beta2: tunable(setting(belowOne, 0.999, 'β₂ of the second moment'), [0.9, 0.999], 'linear'),
  epsilon: setting(positive, 1e-8, 'ε added to the root of the second moment'),
};
