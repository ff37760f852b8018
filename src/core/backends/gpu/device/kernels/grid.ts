/**
 * How threads are laid out over the elements of a result.
 *
 * Threads have three coordinates, which are integers on every device; further axes would have to be taken out of a
 * coordinate by division, which GPUs do in floats. So neighbouring axes are merged first, and only what is left beyond
 * three is divided: small numbers, for which a quotient of floats rounded down is exact.
 *
 * @module
 */
import { raise } from '../../../../errors.ts';
import { integers } from '../../gpujs/kernelText.ts';

/** Threads, and where each of them is. */
export interface Grid {
  readonly threads: ReadonlyArray<number>;
  /** Statements that come first in a kernel. */
  readonly setup: string;
  /** For each axis, an expression for a thread's position along it. */
  readonly index: ReadonlyArray<string>;
}

/** WebGPU launches at most 65535 groups along an axis, of 8 threads along x and y and of one along z. */
const most = { x: 8 * 65535, y: 8 * 65535, z: 65535 };

/** Up to here, floats hold all integers. */
const exactIntegers = 2 ** 24;

/** Statements that take the coordinates along some axes out of one number. Remainders repair a quotient that is one off. */
export const unflatten = (
  name: string,
  value: string,
  extents: ReadonlyArray<number>,
): { readonly setup: string; readonly index: ReadonlyArray<string> } => {
  const lines: Array<string> = [`let ${name} = Math.floor(${value});`];
  const index = extents.map((_, axis) => (axis === 0 ? name : `${name}${axis}`));
  for (let axis = extents.length - 1; axis > 0; axis -= 1) {
    const n = extents[axis];
    lines.push(
      `let ${name}q${axis} = Math.floor((${name} + 0.5) / ${n});`,
      `let ${name}${axis} = ${name} - ${name}q${axis} * ${n};`,
      `if (${name}${axis} < 0) { ${name}q${axis} = ${name}q${axis} - 1; ${name}${axis} = ${name}${axis} + ${n}; }`,
      `if (${name}${axis} >= ${n}) { ${name}q${axis} = ${name}q${axis} + 1; ${name}${axis} = ${name}${axis} - ${n}; }`,
      `${name} = ${name}q${axis};`,
    );
  }
  return { setup: lines.join('\n'), index };
};

const product = (extents: ReadonlyArray<number>): number => extents.reduce((size, extent) => size * extent, 1);

/**
 * Threads for the elements of an array in row-major order.
 *
 * @param extents - outermost first, at least one, none of them 0
 */
export const gridOf = (extents: ReadonlyArray<number>): Grid => {
  if (extents.length === 1) return { threads: extents, setup: '', index: ['this.thread.x'] };
  const [y, x] = extents.slice(-2);
  const outer = extents.slice(0, -2);
  const z = product(outer);
  if (x <= most.x && y <= most.y && z <= most.z) {
    if (outer.length === 0) return { threads: [x, y], setup: '', index: ['this.thread.y', 'this.thread.x'] };
    const threads = [x, y, z];
    if (outer.length === 1) return { threads, setup: '', index: ['this.thread.z', 'this.thread.y', 'this.thread.x'] };
    const { setup, index } = unflatten('g', 'this.thread.z', outer);
    return { threads, setup, index: [...index, 'this.thread.y', 'this.thread.x'] };
  }
  const size = product(extents);
  if (size > exactIntegers) {
    return raise({
      _tag: 'DeviceFailed',
      where: 'gpu',
      reason: `an array of extents ${extents.join(' x ')} needs positions beyond 2^24`,
      advice: 'Use a smaller batch.',
    });
  }
  return { threads: [size], ...unflatten('g', 'this.thread.x', extents) };
};

/** Σ index · stride as an expression; terms that vanish are left out. */
export const offsetText = (index: ReadonlyArray<string>, strides: ReadonlyArray<number>, start = 0): string => {
  const terms = index.flatMap((name, axis) =>
    strides[axis] === 0 ? [] : [strides[axis] === 1 ? name : `${name} * ${strides[axis]}`],
  );
  const all = start === 0 && terms.length > 0 ? terms : [...terms, String(start)];
  return all.join(' + ');
};

/** A pointer into an array: an integer local, set to an offset where that is one. */
export const pointer = (name: string, offset: string, grid: Grid): string =>
  // A coordinate that came out of a division is a float, which some devices do not assign to an integer.
  grid.setup === '' ? `${integers([name])} ${name} = ${offset};` : `let ${name} = 0.5; ${name} = ${offset};`;
