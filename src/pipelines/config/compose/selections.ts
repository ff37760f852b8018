/**
 * Selections of parameters from configuration.
 *
 * @module
 */
import * as t from 'io-ts';

import type { Selection } from '../../../core/selection.ts';
import type { Share } from '../../../solvers/groups/members.ts';
import { decoder, oneOf, text } from '../codecs/codecs.ts';
import { listOf, structured } from './setting.ts';

const name = 'all, weights, vectors, or a list of paths';
const words = oneOf(['all', 'weights', 'vectors'] as const);
const paths = listOf(name, text);

/** Which parameters: a word, or paths of parameters or layers. */
export const selection: t.Type<Selection> = structured(
  { _tag: 'either', of: [words, paths] },
  decoder<Selection>(name, (value, context) =>
    typeof value === 'string' ? words.validate(value, context) : paths.validate(value, context),
  ),
);

/** Which parameters are a group's: a selection, or the rest. */
export const share: t.Type<Share> = structured(
  { _tag: 'either', of: [t.literal('rest'), selection] },
  decoder<Share>(`rest, ${name}`, (value, context) =>
    value === 'rest' ? t.success(value) : selection.validate(value, context),
  ),
);
