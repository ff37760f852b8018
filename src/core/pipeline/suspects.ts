/**
 * Where a number that is not finite may stand in a step: its arrays in the order in which a step comes to them, in words.
 *
 * @module
 */
import type { LinearOperator } from '../operators/linearOperator.ts';
import type { AnySite } from '../ops/site.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { arraysAt } from './arraysIn.ts';
import type { StepFields } from './context.ts';
import type { Memory } from './trainState.ts';

/** What is looked at: as much of a step as there is, and the steps within it. */
export type Seen<T extends Shaped> = Partial<
  Pick<
    StepFields<T>,
    | 'state'
    | 'sites'
    | 'outputs'
    | 'loss'
    | 'siteCotangents'
    | 'gradient'
    | 'captured'
    | 'operator'
    | 'direction'
    | 'next'
    | 'parts'
  >
>;

/** An array with its stage and its name. */
export interface Suspect<T> {
  readonly where: string;
  readonly what: string;
  readonly array: T;
}

/** Whether what a site sees are numbers, and not indices. */
const isNumeric = ({ vocabulary }: AnySite): boolean => vocabulary === undefined;

const nameOf = (path: string): string => (path === '' ? 'the model' : path);

const byPath = <T>(where: string, what: string, params: Params<T> = {}): ReadonlyArray<Suspect<T>> =>
  Object.entries(params).map(([path, array]) => ({ where, what: `${what} ${nameOf(path)}`, array }));

/** The arrays of an operator by the blocks that it acts on: the blocks' own, their units, and then those that belong to none. */
const ofOperator = <T extends Shaped>(
  where: string,
  what: string,
  operator: LinearOperator<T> | null = null,
): ReadonlyArray<Suspect<T>> => {
  const all = arraysAt<T>(operator);
  const below = (field: string): ReadonlyArray<Suspect<T>> =>
    all.flatMap(([array, path]) => {
      const at = path.indexOf(field);
      return at < 0 ? [] : [{ where, what: `${what} of ${nameOf(path[at + 1])}`, array }];
    });
  const others = all.filter(([, path]) => !path.includes('blocks') && !path.includes('scales'));
  return [...below('blocks'), ...below('scales'), ...others.map(([array]) => ({ where, what, array }))];
};

/** What rules remember, and what is trained and is not. */
const ofRules = <T extends Shaped>(where: string, { rules }: Memory<T>): ReadonlyArray<Suspect<T>> =>
  Object.entries(rules).flatMap(([rule, memory]) =>
    arraysAt<T>(memory).map(([array, [name, path]]) => ({
      where,
      what: `${name} of ${rule}${path === undefined ? '' : ` at ${nameOf(path)}`}`,
      array,
    })),
  );

const ofAverages = <T>({ curvature }: Memory<T>): ReadonlyArray<Suspect<T>> =>
  Object.entries(curvature.averages).flatMap(([block, averages]) =>
    Object.entries(averages).map(([name, array]) => ({
      where: 'updateFactors',
      what: `the average ${name} of ${nameOf(block)}`,
      array,
    })),
  );

const ofSlots = <T>({ solver }: Memory<T>): ReadonlyArray<Suspect<T>> =>
  Object.entries(solver.slots).flatMap(([slot, params]) => byPath('solve', `the memory ${slot} of`, params));

/** Memories of groups, and of groups in them. */
const withGroups = <T>(memory: Memory<T>): ReadonlyArray<Memory<T>> => [
  memory,
  ...Object.values(memory.groups).flatMap((group) => withGroups(group)),
];

/**
 * All arrays of a step that hold numbers.
 *
 * @param seen - as much of the step as there is
 */
export const suspectsIn = <T extends Shaped>(seen: Seen<T>): ReadonlyArray<Suspect<T>> => {
  const { state, sites = [], outputs, loss, gradient, captured, operator, direction, next } = seen;
  const siteCotangents: ReadonlyArray<T | undefined> = seen.siteCotangents ?? [];
  const before = 'before the step';
  const one = (where: string, what: string, array: T | undefined): ReadonlyArray<Suspect<T>> =>
    array === undefined ? [] : [{ where, what, array }];
  const memories = state === undefined ? [] : withGroups<T>(state);
  return [
    ...byPath(before, 'the parameter', { ...state?.held, ...state?.params }),
    ...byPath(before, 'the running state', state?.running),
    ...memories.flatMap((memory) => ofRules(before, memory)),
    ...(seen.parts ?? []).flatMap((part) => suspectsIn<T>(part)),
    ...sites.flatMap(({ site, input }) =>
      isNumeric(site) ? one('forward', `the input of ${nameOf(site.path)}`, input) : [],
    ),
    ...one('forward', 'the output of the model', outputs),
    ...one('forward', 'the loss', loss),
    ...sites.flatMap(({ site }, i) => one('backward', `the cotangent at ${nameOf(site.path)}`, siteCotangents[i])),
    ...byPath('backward', 'the gradient of', gradient),
    ...(captured?.sites ?? []).flatMap(({ site, input, cotangents }) => [
      ...(isNumeric(site) ? one('capture', `the input of ${nameOf(site.path)}`, input) : []),
      ...cotangents.flatMap((g) => one('capture', `the cotangent at ${nameOf(site.path)}`, g)),
    ]),
    ...(captured?.uncovered ?? []).flatMap((params) => byPath('capture', 'the cotangent of', params)),
    ...memories.flatMap(ofAverages),
    ...ofOperator('updateFactors', 'the curvature', operator),
    ...memories.flatMap(ofSlots),
    ...memories.flatMap(({ solver }) => ofOperator('solve', 'what was prepared', solver.prepared)),
    ...byPath('solve', 'the direction of', direction),
    ...byPath('update', 'the parameter', next?.params),
    ...byPath('update', 'the running state', next?.running),
    ...(next === undefined ? [] : withGroups<T>(next).flatMap((memory) => ofRules('update', memory))),
  ];
};
