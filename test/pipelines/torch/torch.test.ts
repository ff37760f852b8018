/**
 * Parameters with PyTorch's names and layouts: modules of PyTorch are ours with the same outputs, and the other way round.
 * TORCH_OUT=<file> writes what we export, for `python test/fixtures/torch/generate.py load <file>`.
 */
import { writeFileSync } from 'node:fs';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import { mapParams } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { Learned } from '../../../src/pipelines/torch/convert.ts';
import { fromTorch, isOf, toTorch } from '../../../src/pipelines/torch/convert.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { channelsFirst, channelsLast, ours, stored, tensorOf } from './models.ts';

const outputOf = (name: string, { params, running }: Learned, inputs: Tensor): Tensor =>
  ours[name].program(referenceBackend().ops, params, evaluating({ inputs }, running));

const stateOf = (name: string) => mapParams(stored[name].state, tensorOf);

const isCount = (key: string): boolean => key.endsWith('num_batches_tracked');

describe.each(Object.keys(stored))('%s', (name) => {
  const theirs = stateOf(name);

  it('a module of PyTorch is ours: its outputs are the same', () => {
    const learned = orThrow(fromTorch([ours[name]], theirs));
    const found = channelsFirst(name, outputOf(name, learned, channelsLast(name, tensorOf(stored[name].input))));
    const expected = tensorOf(stored[name].output);
    expect(found.shape).toEqual(expected.shape);
    Array.from(found.data).forEach((x, i) => expect(x).toBeCloseTo(expected.data[i], 10));
  });

  it('law: names and shapes are those of its state dict', () => {
    const exported = orThrow(toTorch([ours[name]], orThrow(fromTorch([ours[name]], theirs))));
    const shapesOf = (all: typeof theirs) =>
      Object.entries(all)
        .filter(([key]) => !isCount(key))
        .map(([key, { shape }]) => [key, shape] as const)
        .toSorted(([a], [b]) => a.localeCompare(b));
    expect(shapesOf(exported)).toEqual(shapesOf(theirs));
  });

  it('law: what is exported is imported as it was, bit for bit', () => {
    const { params, running } = orThrow(fromTorch([ours[name]], theirs));
    const other = {
      params: mapParams(params, ({ shape }, path) => normal(keyOf(path.length + shape.length), shape, 'f32')),
      running,
    };
    expect(orThrow(fromTorch([ours[name]], orThrow(toTorch([ours[name]], other))))).toEqual(other);
  });
});

it('what is missing, of another shape, or one too many is named', () => {
  const { '0.weight': weight, ...rest } = stateOf('perceptron');
  const net = [ours['perceptron']];
  expect(errorOf(fromTorch(net, rest))).toMatchObject({ _tag: 'ShapeMismatch', expected: '0.weight of shape [4, 5]' });
  expect(errorOf(fromTorch(net, { ...rest, '0.weight': tensor([1], [1, 1]) }))).toMatchObject({
    expected: '0.weight of shape [4, 5]',
    actual: '[1, 1]',
  });
  expect(errorOf(fromTorch(net, { ...rest, '0.weight': weight, '9.weight': weight }))).toMatchObject({
    actual: '9.weight as well',
  });
});

it('our own layout is not taken for PyTorch’s', () => {
  const { params } = orThrow(fromTorch([ours['images']], stateOf('images')));
  expect(isOf([ours['images']], params)).toBe(true);
  expect(isOf([ours['images']], stateOf('images'))).toBe(false);
  expect(errorOf(fromTorch([ours['images']], params))).toMatchObject({ expected: '0.weight of shape [6, 2, 3, 2]' });
});

/** What we export with what comes out here, for PyTorch to load. */
const exportedAll = () =>
  Object.fromEntries(
    Object.keys(stored).map((name) => {
      const learned = orThrow(fromTorch([ours[name]], stateOf(name)));
      const moved = { ...learned, params: mapParams(learned.params, (x) => normal(keyOf(x.shape[0]), x.shape, 'f64')) };
      const input = tensorOf(stored[name].input);
      const output = channelsFirst(name, outputOf(name, moved, channelsLast(name, input)));
      const plain = ({ data, shape }: Tensor) => ({ data: [...data], shape });
      return [
        name,
        { state: mapParams(orThrow(toTorch([ours[name]], moved)), plain), input: plain(input), output: plain(output) },
      ];
    }),
  );

it('what PyTorch is to load, which is written where that is asked for', () => {
  const all = exportedAll();
  const target = process.env['TORCH_OUT'];
  if (target !== undefined) writeFileSync(target, JSON.stringify(all));
  expect(Object.values(all).every(({ output }) => output.data.every(Number.isFinite))).toBe(true);
});
