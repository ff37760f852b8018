/**
 * The array language on a machine that runs kernels.
 *
 * @module
 */
import type { Derived, Ops } from '../../../ops/ops.ts';
import { completeOps } from '../../../ops/complete.ts';
import { convolutionsByPatches } from '../../../ops/convolutions.ts';
import type { Site } from '../../../ops/site.ts';

import type { Machine, MachineArray } from './operations/machine.ts';
import { elementwise } from './operations/elementwise.ts';
import { movement } from './operations/movement.ts';
import { products } from './operations/products.ts';
import { reductions } from './operations/reductions.ts';

/**
 * All operations on a machine.
 *
 * @param machine - runs kernels, at once or later
 * @param scoped - what is known of scopes
 */
export const interpreterOn = <T extends MachineArray>(
  machine: Machine<T>,
  scoped: Partial<Pick<Derived<T>, 'within'>> = {},
): Ops<T> => {
  const own = {
    ...movement(machine),
    ...products(machine),
    ...elementwise(machine, () => ops),
    ...reductions(machine),
    ...convolutionsByPatches(() => ops),
    stopGradient: (x: T) => x,
    keep: (_: string, x: T) => x,
    site: (_: Site, __: T, output: T) => output,
    ...scoped,
  };
  const ops: Ops<T> = completeOps<T>(own, own);
  return ops;
};
