/**
 * Optional packages where there can be none. A bundler for browsers takes this file in place of `optional.ts`; the
 * `browser` field of package.json says so.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { loadOptional as present } from './optional.ts';

/** Says why there are no packages. */
export const loadOptional: typeof present = (name) => E.left(`a browser loads no package ${name} at run time`);
