import * as E from 'fp-ts/lib/Either.js';

import { attempt } from '../../../src/core/errors.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Selection } from '../../../src/core/selection.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { decay } from '../../../src/solvers/update/decay.ts';
import { orThrow, referenceEnv } from '../../support/training.ts';

const params = { 'body.weight': tensor([1, 2], [1, 2]), 'body.bias': tensor([4], [1]) };
const state = { ...initialState(params, keyOf(1)), held: { 'head.weight': tensor([8], [1, 1]) } };
/** After a step of (1, −1) and 2. */
const next = {
  ...state,
  step: 1,
  params: { 'body.weight': tensor([2, 1], [1, 2]), 'body.bias': tensor([6], [1]) },
  scalars: { damping: 3 },
};

const decayed = (weight: number, selection?: Selection) =>
  decay(weight, selection).run({ state, next })(referenceEnv());

describe('decay of a step that has no learning rate', () => {
  // ½ of what there was before the step: (½, 1), and 2.
  it.each<readonly [string, Selection | undefined, ReadonlyArray<number>, ReadonlyArray<number>]>([
    ['everything, when nothing is said', undefined, [1.5, 0], [4]],
    ['all', 'all', [1.5, 0], [4]],
    ['weights', 'weights', [1.5, 0], [6]],
    ['vectors', 'vectors', [2, 1], [4]],
    ['a path', ['body.bias'], [2, 1], [4]],
    ['a layer', ['body'], [1.5, 0], [4]],
    ['what a function says', (path) => path === 'body.weight', [1.5, 0], [6]],
    ['what is held fixed, which stays', ['head'], [2, 1], [6]],
  ])('table: of %s', async (_, selection, weight, bias) => {
    const found = orThrow(await decayed(0.5, selection)()).next;
    expect(Array.from(found.params['body.weight'].data)).toEqual(weight);
    expect(Array.from(found.params['body.bias'].data)).toEqual(bias);
    expect({ ...found, params: next.params }).toEqual(next);
  });

  it('by nothing leaves the step as it is', async () => {
    expect(orThrow(await decayed(0)()).next).toEqual(next);
  });

  it.each<readonly [string, Selection]>([
    ['nobody', ['body', 'nobody']],
    ['bod', ['bod']],
  ])('refuses %s, which is no path of the model', async (actual, selection) => {
    expect(await decayed(0.5, selection)()).toMatchObject(E.left({ _tag: 'BadConfig', path: 'decay', actual }));
  });

  it('refuses a word, from JavaScript, that is no selection', async () => {
    expect(await decayed(0.5, 'biases' as unknown as Selection)()).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'decay' }),
    );
  });

  it.each([-0.1, Number.NaN, Infinity])('refuses %d where the stage is made', (weight) => {
    expect(attempt(() => decay(weight))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'decay', actual: String(weight) }),
    );
  });
});
