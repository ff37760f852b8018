/**
 * Estimators and curvatures from configuration.
 *
 * @module
 */
import * as t from 'io-ts';

import { blockKfac } from '../../../curvature/blockKfac.ts';
import { bySite } from '../../../curvature/bySite.ts';
import { classKfac, mostClasses } from '../../../curvature/classKfac.ts';
import type { Curvature } from '../../../curvature/curvature.ts';
import { dense } from '../../../curvature/dense.ts';
import { gradientFactors } from '../../../curvature/gradientFactors.ts';
import { diagonal } from '../../../curvature/diagonal.ts';
import type { Estimator } from '../../../curvature/estimators.ts';
import {
  curvaturePropagation,
  empirical,
  exact,
  forwardOnly,
  monteCarlo,
  mostSamples,
} from '../../../curvature/estimators.ts';
import { kfac } from '../../../curvature/kfac.ts';
import { kfra } from '../../../curvature/kfra.ts';
import type { Biases } from '../../../curvature/sites/biases.ts';
import type { Cut } from '../../../curvature/statistics/partition.ts';
import { tridiagonalKfac } from '../../../curvature/tridiagonalKfac.ts';
import { ofCurvature, ofGradients } from '../../../solvers/settings/table.ts';
import { text, wholeBetween, wholeFrom } from '../codecs/codecs.ts';
import type { Table } from './setting.ts';
import { known, listOf, optional, partIn, record, required, row } from './setting.ts';

/** Cotangents of a composition, and how often and of what they are taken. */
export interface Looking {
  readonly estimator: Estimator;
  readonly every: number;
  readonly fraction: number;
  readonly passesAtOnce?: number;
  readonly exampleGroups?: number;
  readonly biases: Biases;
}

const met = {
  every: known(ofCurvature.statisticsEvery),
  fraction: known(ofCurvature.statisticsFraction),
  biases: known(ofCurvature.biases),
};

const looking = {
  ...met,
  passesAtOnce: optional(wholeFrom(1), 16, 'backward passes whose cotangents are held at once'),
};

/** Of estimators that choose their cotangents for all examples at once. */
const chosen = {
  ...looking,
  exampleGroups: optional(wholeFrom(1), 8, 'groups that examples are taken in for parameters without a site'),
};

const samples = (what: string) =>
  optional(wholeBetween(1, mostSamples), 1, `${what} per example, each a backward pass`);

/** Every estimator of the Fisher. */
export const estimators: Table<Looking> = {
  monteCarlo: row(
    'Targets sampled from the model’s own predictions: the unbiased Fisher.',
    { ...looking, samples: samples('samples') },
    ({ samples: count, ...rest }) => ({ estimator: monteCarlo({ samples: count }), ...rest }),
  ),
  exact: row('Every column of a square root of the loss’s Hessian: no sampling error.', chosen, (rest) => ({
    estimator: exact(),
    ...rest,
  })),
  empirical: row('The training targets: no backward pass of its own, biased.', chosen, (rest) => ({
    estimator: empirical(),
    ...rest,
  })),
  curvaturePropagation: row(
    'Random ±1 combinations of the columns: unbiased, with bounded draws.',
    { ...looking, samples: samples('combinations') },
    ({ samples: count, ...rest }) => ({ estimator: curvaturePropagation({ samples: count }), ...rest }),
  ),
  forwardOnly: row('The inputs of layers alone: G = I, no backward pass, nothing of the loss.', met, (rest) => ({
    estimator: forwardOnly(),
    ...rest,
  })),
};

/** Forms of curvature that solvers tell apart. */
export const forms = ['product', 'parts', 'chain', 'twoClasses', 'classes', 'diagonal', 'full', 'mixed'] as const;

/** A form of curvature of captured sites, or that of gradients, which knows no sites. */
export type Form = (typeof forms)[number] | 'gradient';

/** A curvature of captured sites. */
export interface CurvedSites {
  readonly form: Exclude<Form, 'gradient'>;
  readonly curvature: Curvature;
}

/** A curvature of a composition; one of gradients needs no estimator, and says itself how often it is looked at. */
export type Curved = CurvedSites | { readonly form: 'gradient'; readonly curvature: Curvature; readonly every: number };

/** How sites are treated, for whatever makes statistics of a capture. */
export const siteSettings = {
  sharing: known(ofCurvature.sharing),
  scaleShift: known(ofCurvature.scaleShift),
};

const common = {
  decay: known(ofCurvature.decay),
  strict: known(ofCurvature.strict),
  ...siteSettings,
};

const cut: t.Type<Cut> = record(
  'a record with size or count',
  row(
    '',
    {
      count: optional(wholeFrom(0), 0, ''),
      size: optional(wholeFrom(0), 0, ''),
    },
    ({ count, size }): Cut => (size > 0 ? { size } : { count: Math.max(1, count) }),
  ),
);

const paths = t.readonlyArray(text, 'a list of paths of sites');

const kindsOfCurvatures = (): Table<CurvedSites> => siteCurvatures;

const curved = partIn('a curvature', kindsOfCurvatures);

/** Every curvature of captured sites. */
const siteCurvatures: Table<CurvedSites> = {
  kfac: row(
    'A ⊗ G of each site.',
    {
      ...common,
      maxFactor: known(ofCurvature.maxFactor),
      uncorrelated: known(ofCurvature.uncorrelated),
      positionsFraction: known(ofCurvature.positionsFraction),
    },
    (options) => ({ form: 'product', curvature: kfac(options) }),
  ),
  kfra: row('A ⊗ recursive G: for dense layers one after another, with the exact estimator.', common, (options) => ({
    form: 'product',
    curvature: kfra(options),
  })),
  blockKfac: row(
    '(⊕ A_i) ⊗ (⊕ G_j): inputs and outputs cut into parts.',
    {
      ...common,
      positionsFraction: known(ofCurvature.positionsFraction),
      inputs: optional(cut, { count: 4 }, 'how inputs are cut'),
      outputs: optional(cut, { count: 4 }, 'how outputs are cut'),
      perHead: known(ofCurvature.perHead),
    },
    ({ inputs, outputs, perHead, ...options }) => ({
      form: 'parts',
      curvature: blockKfac({ ...options, blocks: { inputs, outputs, perHead } }),
    }),
  ),
  tridiagonalKfac: row('A ⊗ G of each site, and of each with the next.', common, (options) => ({
    form: 'chain',
    curvature: tridiagonalKfac(options),
  })),
  classKfac: row(
    'Σ_c π_c A_c ⊗ G_c, kept apart by class of the target.',
    { ...common, classes: required(wholeBetween(1, mostClasses), 'number of classes') },
    (options) => ({
      form: options.classes === 2 ? 'twoClasses' : options.classes === 1 ? 'product' : 'classes',
      curvature: classKfac(options),
    }),
  ),
  diagonal: row('The diagonal of the Fisher.', common, (options) => ({
    form: 'diagonal',
    curvature: diagonal(options),
  })),
  dense: row(
    'The whole Fisher block of each site: for small models.',
    { ...common, limit: optional(wholeFrom(1), 4096, 'most parameters in a block') },
    (options) => ({ form: 'full', curvature: dense(options) }),
  ),
  bySite: row(
    'Different curvatures for different sites.',
    {
      parts: required(
        listOf(
          'a list of { sites, curvature }',
          record(
            'a record of sites and curvature',
            row('', { sites: required(paths, ''), curvature: required(curved, '') }, (part) => part),
          ),
        ),
        'sites by path, each list with its curvature',
      ),
      rest: required(curved, 'curvature of every other site; its decay serves all'),
    },
    ({ parts, rest }) => ({
      form: 'mixed',
      curvature: bySite(
        parts.map(({ sites, curvature }) => ({ sites, curvature: curvature.curvature })),
        rest.curvature,
      ),
    }),
  ),
};

/** Every curvature. */
export const curvatures: Table<Curved> = {
  ...siteCurvatures,
  gradientFactors: row(
    'GᵀG ⊗ GGᵀ of the gradient of each parameter array: for Shampoo and SOAP. It takes no estimator.',
    {
      decay: known(ofCurvature.decay),
      every: known(ofCurvature.statisticsEvery),
      limit: known(ofGradients.limit),
      vectors: known(ofGradients.vectors),
    },
    ({ every, ...options }) => ({ form: 'gradient', curvature: gradientFactors(options), every }),
  ),
};
