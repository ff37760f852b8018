import * as E from 'fp-ts/lib/Either.js';

import { attempt } from '../../src/core/errors.ts';
import type { Selection } from '../../src/core/selection.ts';
import { checkSelection, selectedPaths } from '../../src/core/selection.ts';

const params = {
  'encoder.0.weight': { shape: [3, 4] },
  'encoder.0.bias': { shape: [3] },
  'encoder.10.weight': { shape: [2, 3] },
  'head.gain': { shape: [2] },
  temperature: { shape: [] },
};
const all = Object.keys(params);

describe('selections of parameters', () => {
  it.each<[Selection, ReadonlyArray<string>]>([
    ['all', all],
    ['weights', ['encoder.0.weight', 'encoder.10.weight']],
    ['vectors', ['encoder.0.bias', 'head.gain', 'temperature']],
    [
      ['encoder.0', 'temperature'],
      ['encoder.0.weight', 'encoder.0.bias', 'temperature'],
    ],
    [['encoder.1'], []],
    [[''], all],
    [(path, shape) => path.startsWith('encoder') && shape.length === 1, ['encoder.0.bias']],
  ])('table: %p has %p', (selection, expected) => {
    expect(selectedPaths(selection, params)).toEqual(expected);
  });

  it('law: weights and vectors are all of the parameters, each once', () => {
    expect([...selectedPaths('weights', params), ...selectedPaths('vectors', params)].sort()).toEqual([...all].sort());
  });

  it.each(['head', 'encoder.0.weight', {}, null, 5])('%p, from JavaScript, is no selection', (selection) => {
    expect(attempt(() => checkSelection('hold', selection as unknown as Selection, all))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'hold', expected: 'all, weights, vectors, a list of paths, or a function' }),
    );
  });

  it('a path that names no parameter and no layer is refused; parts of a name are no path', () => {
    expect(checkSelection('rules.decay', ['encoder', 'head.gain'], all)).toEqual(['encoder', 'head.gain']);
    for (const path of ['encoder.1', 'enc', 'head.gain.0']) {
      expect(attempt(() => checkSelection('rules.decay', ['head', path], all))).toMatchObject(
        E.left({ _tag: 'BadConfig', path: 'rules.decay', actual: path }),
      );
    }
  });
});
