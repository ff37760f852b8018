/**
 * Reductions: one thread per element of the result.
 *
 * A long reduction to few elements would leave a GPU idle, so it takes two kernels: partial results of interleaved
 * parts, as many as there are terms in each, and then a result of those.
 *
 * @module
 */
import type { Shape } from '../../../../tensor.ts';
import { denseStrides, mergeAxes } from '../../../host/strides.ts';

import { gridOf, offsetText, pointer } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { arrayNames, functionText } from './kernel.ts';

/** What is computed of the terms: a sum, a sum of products of two arrays, or a maximum. */
export type Reduction = 'sum' | 'dot' | 'max';

/** Kept axes, then reduced ones, with strides in the operand; all merged. */
export interface Reducing {
  readonly kept: { readonly extents: Shape; readonly strides: ReadonlyArray<number> };
  readonly reduced: { readonly extents: Shape; readonly strides: ReadonlyArray<number> };
}

/** How a reduction over some axes of a dense array goes through it. */
export const reducingOf = (shape: Shape, axes: ReadonlyArray<number>): Reducing => {
  const dense = denseStrides(shape);
  const part = (isReduced: boolean): Reducing['kept'] => {
    const own = shape.map((_, axis) => axis).filter((axis) => axes.includes(axis) === isReduced);
    const merged = mergeAxes(
      own.map((axis) => shape[axis]),
      [own.map((axis) => dense[axis])],
    );
    return { extents: merged.extents, strides: merged.strides[0] };
  };
  return { kept: part(false), reduced: part(true) };
};

const termOf = (reduction: Reduction, position: string): string =>
  reduction === 'dot' ? `a[${position}] * b[${position}]` : `a[${position}]`;

/** Statements that take a term into the result `s`. A NaN stays. */
const takeIn = (reduction: Reduction, term: string): string =>
  reduction === 'max' ? `let v = ${term}; s = v > s ? v : (s >= v ? s : v + s);` : `s += ${term};`;

const arraysOf = (reduction: Reduction): number => (reduction === 'dot' ? 2 : 1);

const describe = ({ kept, reduced }: Reducing): string =>
  [kept, reduced].map(({ extents, strides }) => `${extents.join('x')} ${strides.join(',')}`).join(' over ');

/** A reduction in one go. No extent is 0. */
export const reduceKernel = (reduction: Reduction, reducing: Reducing): Kernel => {
  const { kept, reduced } = reducing;
  const grid = gridOf(kept.extents);
  const names = reduced.extents.map((_, axis) => `r${axis}`);
  const position = `p + ${offsetText(names, reduced.strides)}`;
  const loops = reduced.extents.map((extent, axis) => `for (let r${axis} = 0; r${axis} < ${extent}; r${axis}++) {`);
  return {
    key: `${reduction} ${describe(reducing)}`,
    source: () =>
      functionText(arrayNames.slice(0, arraysOf(reduction)), [
        grid.setup,
        pointer('p', offsetText(grid.index, kept.strides), grid),
        reduction === 'max' ? 'let s = a[p];' : 'let s = 0.5; s = 0;',
        loops.join(' '),
        takeIn(reduction, termOf(reduction, position)),
        '}'.repeat(loops.length),
        'return s;',
      ]),
    threads: grid.threads,
    components: 1,
    arrays: arraysOf(reduction),
    numbers: 0,
  };
};

/** Whether two kernels are better than one. */
const worthSplitting = (outputs: number, terms: number): boolean => terms >= 512 && outputs * 8 <= terms * 64;

/** The first of two kernels: partial results `[…kept, parts]`, part i of the terms i, i + parts, …. */
export interface Split {
  readonly kernel: Kernel;
  readonly parts: number;
}

/**
 * The first of two kernels, where two are better than one.
 *
 * @param reduction - what is computed
 * @param reducing - through what
 */
export const splitReduction = (reduction: Reduction, reducing: Reducing): Split | null => {
  const { kept, reduced } = reducing;
  const outputs = kept.extents.reduce((size, extent) => size * extent, 1);
  const [terms] = reduced.extents;
  if (reduced.extents.length !== 1 || !worthSplitting(outputs, terms)) return null;
  const parts = Math.ceil(Math.sqrt(terms));
  const rounds = Math.ceil(terms / parts);
  const grid = gridOf([...(outputs === 1 ? [] : kept.extents), parts]);
  const index = grid.index.slice(0, -1);
  const part = grid.index[grid.index.length - 1];
  const [stride] = reduced.strides;
  const start = offsetText([...index, part], [...(outputs === 1 ? [] : kept.strides), stride]);
  const take = takeIn(reduction, termOf(reduction, `p + r * ${parts * stride}`));
  const guarded = terms % parts === 0 ? take : `if (r * ${parts} + ${part} < ${terms}) { ${take} }`;
  const kernel: Kernel = {
    key: `part ${reduction} ${describe(reducing)}`,
    source: () =>
      functionText(arrayNames.slice(0, arraysOf(reduction)), [
        grid.setup,
        pointer('p', start, grid),
        reduction === 'max' ? 'let s = a[p];' : 'let s = 0.5; s = 0;',
        `for (let r = 0; r < ${rounds}; r++) { ${guarded} }`,
        'return s;',
      ]),
    threads: grid.threads,
    components: 1,
    arrays: arraysOf(reduction),
    numbers: 0,
  };
  return { kernel, parts };
};
