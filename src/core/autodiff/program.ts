/**
 * Programs: functions of parameters and inputs, written against the array language.
 *
 * A program is polymorphic in the interpreter's array type, so the interpreter that runs it decides what it means: its
 * value, its derivative, its cost. It also cannot mix arrays of two interpreters, which is what makes nested
 * derivatives safe.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';

/** A function with one result. Derivatives are taken with respect to the parameters; inputs are constants. */
export type Program = <T extends Shaped>(ops: Ops<T>, params: Params<T>, inputs: ReadonlyArray<T>) => T;

/** A function with named results, such as a gradient. */
export type TreeProgram = <T extends Shaped>(ops: Ops<T>, params: Params<T>, inputs: ReadonlyArray<T>) => Params<T>;
