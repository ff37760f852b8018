/**
 * Curvatures that differ by site: for example neighbours linked in the body of a network, and classes kept apart at its
 * head.
 *
 * Each part sees its own sites only, so that what it says of neighbours is said of neighbours within the part. Parameters
 * without a site belong to the rest.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { raise } from '../core/errors.ts';
import type { LinearOperator } from '../core/operators/linearOperator.ts';
import { sumOf } from '../core/operators/composite.ts';
import { blockDiagonal } from '../core/operators/linearOperator.ts';
import type { Captured } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';

/** A curvature for some sites. */
export interface SitePart {
  /** Paths of the sites; at least one. */
  readonly sites: ReadonlyArray<string>;
  readonly curvature: Curvature;
}

const refuse = (expected: string, actual: string): never =>
  raise({ _tag: 'BadConfig', path: 'bySite', expected, actual });

const check = <T extends Shaped>(parts: ReadonlyArray<SitePart>, captured: Captured<T>): void => {
  const known = captured.sites.map(({ site }) => site.path);
  const named = parts.flatMap(({ sites }) => sites);
  const unknown = named.find((path) => !known.includes(path));
  if (unknown !== undefined) refuse(`paths of sites: ${known.join(', ')}`, unknown);
  const twice = named.find((path, i) => named.indexOf(path) < i);
  if (twice !== undefined) refuse('each site in one part', `${twice} in two`);
};

/** What one part sees of a capture, or `null` where that is nothing. */
const partOf = <T extends Shaped>(
  captured: Captured<T>,
  has: (path: string) => boolean,
  own: boolean,
): Captured<T> | null => {
  const sites = captured.sites.filter(({ site }) => has(site.path));
  return sites.length === 0 && !own ? null : { ...captured, sites, uncovered: own ? captured.uncovered : [] };
};

/** Operators on different blocks as one; block-diagonal where all are. */
const joined = <T>(operators: ReadonlyArray<LinearOperator<T>>): LinearOperator<T> => {
  const blocks = operators.flatMap((op) => (op._tag === 'blockDiagonal' ? [op.blocks] : []));
  if (blocks.length === operators.length) return blockDiagonal(Object.fromEntries(blocks.flatMap(Object.entries)));
  return sumOf(operators);
};

/**
 * One curvature for some sites, another for others, a last one for the rest, whose decay serves all.
 *
 * @param parts - sites and their curvature; no site in two parts
 * @param rest - curvature of every other site, and of parameters without a site
 * @example
 * ```ts
 * import { bySite, classKfac, kfac, updateFactors } from 'kfac-ts/curvature';
 *
 * // A Kronecker product for each class at the last layer, plain K-FAC at the others.
 * const head = { sites: ['4'], curvature: classKfac({ classes: 10 }) };
 * const average = updateFactors(bySite([head], kfac({ decay: 0.95 })));
 * ```
 */
export const bySite = (parts: ReadonlyArray<SitePart>, rest: Curvature): Curvature => {
  const named = new Set(parts.flatMap(({ sites }) => sites));
  const all = [
    ...parts.map(({ sites, curvature }) => ({ curvature, has: (path: string) => sites.includes(path), own: false })),
    { curvature: rest, has: (path: string) => !named.has(path), own: true },
  ];
  return {
    name: `bySite(${all.map(({ curvature }) => curvature.name).join(', ')})`,
    decay: rest.decay,
    strict: all.some(({ curvature }) => curvature.strict),
    inspect: (backend, captured) =>
      pipe(
        all,
        TE.traverseSeqArray(({ curvature, has, own }) => {
          const seen = partOf(captured, has, own);
          return seen === null || curvature.inspect === undefined ? TE.right(null) : curvature.inspect(backend, seen);
        }),
      ),
    statistics: (ops, captured, at) => {
      check(parts, captured);
      return Object.fromEntries(
        all.flatMap(({ curvature, has, own }) => {
          const seen = partOf(captured, has, own);
          return seen === null ? [] : Object.entries(curvature.statistics(ops, seen, at));
        }),
      );
    },
    operator: (ops, blocks, averages) =>
      joined(
        all.map(({ curvature, has, own }) =>
          curvature.operator(
            ops,
            blocks.filter((block) => (block.kind === 'site' ? has(block.name) : own)),
            averages,
          ),
        ),
      ),
    describe: (block, sites) => {
      const { curvature, has } =
        all.find((part) => (block.kind === 'site' ? part.has(block.name) : part.own)) ?? all[all.length - 1];
      return curvature.describe(
        block,
        sites?.filter(({ site }) => has(site.path)),
      );
    },
  };
};
