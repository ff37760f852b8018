/**
 * The vector kernels by name, side by side as their module exports them.
 *
 * @module
 */
import type { VectorFunctions } from './functionTypes.ts';
import type { PointwiseName, RowwiseName } from './module.ts';
import { pointwiseNames, rowwiseNames } from './module.ts';
import type { SelectForm } from './select.ts';
import { selectForms } from './select.ts';

/** A kernel of addresses and numbers. */
export type Addressed = (...args: ReadonlyArray<number>) => unknown;

/** Kernels that are in no group. */
export const otherNames = [
  ...(['sum', 'dot', 'rowSums', 'rowMaxima', 'rowExponentials', 'softmaxRowsVjp'] as const),
  ...(['middleSums', 'middleSumsWide', 'middleMaxima', 'middleMaximaVjp'] as const),
  ...(['copyBlocks', 'addBlocks', 'transpose', 'mirrorLower', 'gatherRows', 'scatterRows'] as const),
  ...(['standardiseRows', 'standardiseRowsVjp', 'columnMoments', 'columnProducts'] as const),
  ...(['standardiseColumns', 'standardiseColumnsVjp', 'convolveWindows', 'correlateWindows'] as const),
] as const;

/** Name of such a kernel. */
export type OtherName = (typeof otherNames)[number];

/** Name of a kernel. */
export type KernelName = PointwiseName | RowwiseName | `select.${SelectForm}` | OtherName;

/** Names of kernels that choose. */
export const selectNames = selectForms.map((form) => `select.${form}` as const);

/** Names of all kernels. */
export const kernelNames: ReadonlyArray<KernelName> = [
  ...pointwiseNames,
  ...rowwiseNames,
  ...selectNames,
  ...otherNames,
];

/** Something for each of some names. */
export const eachOf = <K extends string, F>(names: ReadonlyArray<K>, of: (name: K) => F): Readonly<Record<K, F>> =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, F>;

/** The kernels by name. */
export const byName = (unit: VectorFunctions): Readonly<Record<KernelName, Addressed>> => ({
  ...eachOf(otherNames, (name): Addressed => unit[name]),
  ...eachOf(pointwiseNames, (name) => unit.pointwise[name]),
  ...eachOf(rowwiseNames, (name) => unit.rowwise[name]),
  ...eachOf(selectNames, (name) => unit.select[name]),
});
