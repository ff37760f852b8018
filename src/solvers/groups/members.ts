/**
 * Who has which parameters, where several have some each.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import type { Group } from '../../core/pipeline/group.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Selection } from '../../core/selection.ts';
import { checkSelection, selectedPaths, selects } from '../../core/selection.ts';
import type { Shaped } from '../../core/tensor.ts';

/** Which parameters are a group's: a selection, or the rest, which no other group selects. */
export type Share = Selection | 'rest';

/** A claim on parameters. */
export interface Claim {
  readonly name: string;
  readonly parameters: Share;
}

const refuse = (path: string, expected: string, actual: string): never =>
  raise({ _tag: 'BadConfig', path, expected, actual });

/** The claim, if it is one on some of the model's parameters. */
const checkClaim = <T extends Shaped>({ name, parameters }: Claim, { params, held }: TrainState<T>): void => {
  if (parameters === 'rest') return;
  const all = { ...held, ...params };
  const where = `groups.${name}.parameters`;
  checkSelection(where, parameters, Object.keys(all));
  if (selectedPaths(parameters, all).length === 0) refuse(where, 'some of the model’s parameters', 'none of them');
};

/**
 * The parameters of each group among those that are trained: every one in exactly one group, else a `BadConfig` with its
 * path is raised.
 *
 * @param claims - which parameters each group has
 * @param state - the state before the step
 */
export const groupsOf = <T extends Shaped>(
  claims: ReadonlyArray<Claim>,
  state: TrainState<T>,
): ReadonlyArray<Group> => {
  const names = claims.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return refuse('groups', 'groups whose names differ', `${twice} twice`);
  // Metrics that begin so are the seconds of stages.
  if (names.includes('') || names.includes('seconds'))
    return refuse('groups', 'names other than seconds', 'one of them');
  for (const claim of claims) checkClaim(claim, state);
  const { params } = state;
  const ownerOf = (path: string): string => {
    const claiming = claims.filter(
      ({ parameters }) => parameters !== 'rest' && selects(parameters, path, params[path].shape),
    );
    const owners = claiming.length > 0 ? claiming : claims.filter(({ parameters }) => parameters === 'rest');
    const found = owners.map(({ name }) => name);
    return found.length === 1
      ? found[0]
      : refuse(path, 'a parameter of exactly one group', found.length === 0 ? 'in none' : `in ${found.join(' and ')}`);
  };
  const owned = Object.keys(params).map((path) => [path, ownerOf(path)] as const);
  return names.map((name) => ({
    name,
    paths: owned.filter(([, owner]) => owner === name).map(([path]) => path),
  }));
};
