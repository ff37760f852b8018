/**
 * Computations whose temporaries go back when they end.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { attempt, raise } from '../errors.ts';
import type { Derived } from '../ops/ops.ts';
import type { Shaped } from '../tensor.ts';
import type { Scope } from './backend.ts';

/**
 * The derived operation `within`, in scopes.
 *
 * @param open - opens a scope inside the one whose operations these are
 */
export const withinScopes =
  <T extends Shaped>(open: () => Scope<T>): Derived<T>['within'] =>
  (run) => {
    const { backend, close } = open();
    const result = attempt(() => run(backend.ops));
    if (E.isLeft(result)) {
      close([]);
      return raise(result.left);
    }
    const [found, kept, spent = []] = result.right;
    close(kept, spent);
    return found;
  };
