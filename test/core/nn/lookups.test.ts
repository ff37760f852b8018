import * as E from 'fp-ts/lib/Either.js';

import { activation } from '../../../src/core/nn/layers/activation.ts';
import { arrayAt } from '../../../src/core/nn/layers/circumstances.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { embedding } from '../../../src/core/nn/layers/embedding.ts';
import { leaf } from '../../../src/core/nn/layers/layer.ts';
import { reshape } from '../../../src/core/nn/layers/reshape.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { checkIndices, lookupsOf } from '../../../src/core/nn/lookups.ts';
import { model } from '../../../src/core/nn/model.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { classifier, vocabulary } from '../../support/sequences.ts';

const words = embedding({ vocabulary: 5, out: 3 });
const places = embedding({ vocabulary: 2, out: 3 });

/** Both columns of the inputs looked up in tables of their own, or each column in one. */
const twoTables = (apart: boolean) =>
  leaf({
    kind: 'twoTables',
    label: 'two tables',
    parameters: () => [...words.parameters('words'), ...places.parameters('places')],
    apply: (ops, params, _, x, at) => {
      const column = (begin: number) => (apart ? ops.slice(x, [0, begin], [x.shape[0], 1]) : x);
      return ops.add(
        words.apply(ops, params, 'words', column(0), at),
        places.apply(ops, params, 'places', column(1), at),
      );
    },
  });

/** The inputs looked up twice in one table. */
const twice = leaf({
  kind: 'twice',
  label: 'twice',
  parameters: () => words.parameters('words'),
  apply: (ops, params, _, x, at) =>
    ops.add(words.apply(ops, params, 'words', x, at), words.apply(ops, params, 'words', x, at)),
});

/** Tokens and who speaks them, each in a table of its own; lengths are numbers. */
const twoArrays = leaf({
  kind: 'twoArrays',
  label: 'two arrays',
  parameters: () => [...words.parameters('words'), ...places.parameters('places')],
  apply: (ops, params, _, x, at) =>
    ops.mul(
      ops.add(
        words.apply(ops, params, 'words', x, at),
        places.apply(ops, params, 'places', arrayAt(at.arrays, 'speakers', 'm'), at),
      ),
      ops.reshape(arrayAt(at.arrays, 'lengths', 'm'), [x.shape[0], 1, 1]),
    ),
});

describe('which indices a model knows', () => {
  it.each([
    ['an embedding of the inputs', classifier(3), [{ array: 'inputs', path: 'words', vocabulary }]],
    [
      'inputs in another shape',
      model('m', [2, 2], sequential({ flat: reshape([4]), words })),
      [{ array: 'inputs', path: 'words', vocabulary: 5 }],
    ],
    [
      'the smaller of two tables',
      model('m', [2], twoTables(false)),
      [{ array: 'inputs', path: 'places', vocabulary: 2 }],
    ],
    ['parts of the inputs, each in a table of its own', model('m', [2], twoTables(true)), []],
    ['numbers', model('m', [2], sequential([dense({ in: 2, out: 3 }), activation('tanh')])), []],
    ['a model whose shapes do not fit', model('m', [2], dense({ in: 3, out: 1 })), []],
    ['the same table at two places', model('m', [2], twice), [{ array: 'inputs', path: 'words', vocabulary: 5 }]],
    [
      'two arrays of the batch',
      model('m', { tokens: [2], speakers: [1], lengths: [1] }, twoArrays),
      [
        { array: 'tokens', path: 'words', vocabulary: 5 },
        { array: 'speakers', path: 'places', vocabulary: 2 },
      ],
    ],
  ] as const)('%s', (_, described, expected) => {
    expect(lookupsOf(described)).toEqual(expected);
  });
});

describe('indices that a table has', () => {
  const table = { array: 'inputs', path: 'words', vocabulary: 5 };

  it.each([
    ['8', tensor([0, 4, 8, 1], [2, 2], 'i32'), '8 in example 1, at position 0'],
    ['−1', tensor([-1, 4], [1, 2], 'i32'), '-1 in example 0, at position 0'],
    ['the number of rows', tensor([5], [1], 'i32'), '5 in example 0'],
    ['NaN', tensor([1, NaN], [2]), 'NaN in example 1'],
    ['a fraction', tensor([1, 2, 1.5], [3, 1]), '1.5 in example 2'],
  ])('refuses %s, and says where it is and which there are', (_, indices, actual) => {
    expect(checkIndices('data', indices, table)).toEqual(
      E.left({
        _tag: 'BadData',
        source: 'data',
        expected: 'indices from 0 to 4, the rows of the table at words',
        actual,
        advice: 'Give the embedding a larger vocabulary, or repair the example.',
      }),
    );
  });

  it('law: every row of the table is an index', () => {
    const all = tensor([0, 1, 2, 3, 4], [5], 'i32');
    expect(checkIndices('data', all, table)).toEqual(E.right(all));
  });
});
