/**
 * A kernel as data: what to compile, before anything runs.
 *
 * Kernels are made from shapes alone, so that an interpreter may run them one by one and a compiler may put a whole
 * stage of them together.
 *
 * @module
 */

/** A kernel. Its function takes arrays first, each as a flat list of numbers, and then single numbers. */
export interface Kernel {
  /** Everything that the source and the extents depend on. */
  readonly key: string;
  /** The text of the function; made when it is needed, which is once for each key. */
  readonly source: () => string;
  /** Threads along x, y and z; x runs fastest. None is 0. */
  readonly threads: ReadonlyArray<number>;
  /** How many numbers a thread returns: those of thread t are elements `components t` and on of the result. */
  readonly components: 1 | 4;
  /** How many arrays the function takes. */
  readonly arrays: number;
  /** How many numbers it takes after them. */
  readonly numbers: number;
}

/** Names of the arrays in the text of a kernel: a, b, c, …. */
export const arrayNames = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

/** The most arrays that a kernel may take: WebGPU binds eight buffers, and one of them is the result. */
export const mostArrays = arrayNames.length;

/** The text of a function from its parameters and statements. */
export const functionText = (parameters: ReadonlyArray<string>, statements: ReadonlyArray<string>): string =>
  [`function(${parameters.join(', ')}) {`, ...statements.filter((statement) => statement !== ''), '}'].join('\n');
