import * as E from 'fp-ts/lib/Either.js';

import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { attempt } from '../../../src/core/errors.ts';
import { dataset, datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const x = tensor([1, 2, 3, 4, 5, 6], [3, 2], 'f32');

describe('dataset', () => {
  it('worked example: rows at positions, repeated and in any order', () => {
    const data = orThrow(datasetOf('d', x, tensor([7, 8, 9], [3], 'i32')));
    expect(data.size).toBe(3);
    const { inputs, targets } = data.batch(Int32Array.of(2, 0, 2));
    expect(inputs).toEqual(tensor([5, 6, 1, 2, 5, 6], [3, 2], 'f32'));
    expect(targets).toEqual(tensor([9, 7, 9], [3], 'i32'));
  });

  it('scales bytes when they are asked for', () => {
    const bytes = { shape: [2], data: Uint8Array.of(0, 255, 51, 102), scale: 1 / 255, dtype: 'f64' } as const;
    const { inputs } = orThrow(dataset('d', bytes, bytes)).batch(Int32Array.of(1));
    expect(inputs.shape).toEqual([1, 2]);
    expect(inputs.data[0]).toBeCloseTo(0.2, 12);
    expect(inputs.data[1]).toBeCloseTo(0.4, 12);
  });

  it('law: targets that are the inputs stay one tensor', () => {
    const { inputs, targets } = orThrow(datasetOf('d', x, x)).batch(Int32Array.of(0, 1));
    expect(targets).toBe(inputs);
  });

  it('worked example: arrays by name, as many as there are', () => {
    const [tokens, mask] = [tensor([1, 2, 3, 0], [2, 2], 'i32'), tensor([1, 1, 1, 0], [2, 2])];
    const data = orThrow(datasetOf('d', { tokens, mask, lengths: tensor([2, 1], [2]), again: tokens }));
    const batch = data.batch(Int32Array.of(1));
    expect(batch['tokens']).toEqual(tensor([3, 0], [1, 2], 'i32'));
    expect(batch['mask']).toEqual(tensor([1, 0], [1, 2]));
    expect(batch['again']).toBe(batch['tokens']);
    expect(Object.keys(batch)).toEqual(['tokens', 'mask', 'lengths', 'again']);
    expect(data.batch.ranges).toMatchObject({ tokens: { most: 3 }, lengths: { least: 1 } });
    expect(orThrow(datasetOf('d', { tokens })).size).toBe(2);
  });

  it('refuses arrays by name that do not fit together, and none', () => {
    const tokens = tensor([1, 2, 3], [3], 'i32');
    expect(errorOf(datasetOf('d', { tokens, mask: tensor([1], [1]), more: tokens }))).toMatchObject({
      expected: 'as many tokens as mask as more, and at least one',
      actual: '3 tokens and 1 mask and 3 more',
    });
    expect(errorOf(datasetOf('d', { tokens: tensor([NaN, 1], [2]) }))).toMatchObject({ source: 'd, tokens' });
    expect(errorOf(datasetOf('d', { tokens: tensor([], [0]) }))).toMatchObject({ expected: 'at least one example' });
    expect(errorOf(datasetOf('d', {}))).toMatchObject({ expected: 'at least one array' });
  });

  it.each([NaN, Infinity, -Infinity])('refuses %p and names the example', (bad) => {
    const inputs = tensor([1, 2, 3, bad, 5, 6], [3, 2], 'f32');
    const error = errorOf(datasetOf('d', inputs, tensor([0, 0, 0], [3])));
    expect(error).toMatchObject({ _tag: 'BadData', source: 'd, inputs', actual: `${bad} in example 1` });
  });

  it('refuses NaN in targets', () => {
    const error = errorOf(datasetOf('d', x, tensor([0, 0, NaN], [3])));
    expect(error).toMatchObject({ _tag: 'BadData', source: 'd, targets' });
  });

  it('refuses different numbers of inputs and targets, and an empty set', () => {
    expect(errorOf(datasetOf('d', x, tensor([1, 2], [2])))).toMatchObject({ actual: '3 inputs and 2 targets' });
    expect(errorOf(datasetOf('d', tensor([], [0, 2]), tensor([], [0])))).toMatchObject({ _tag: 'BadData' });
  });

  it('refuses arrays that do not fill their shapes, and rows that are no shapes', () => {
    const hollow: Tensor = { shape: [3, 2], dtype: 'f32', data: new Float32Array(0) };
    expect(errorOf(datasetOf('d', x, hollow))).toMatchObject({ _tag: 'ShapeMismatch', where: 'd, targets' });
    const rows = (shape: ReadonlyArray<number>, count: number) =>
      ({ shape, data: new Float32Array(count), scale: 1, dtype: 'f32' }) as const;
    expect(errorOf(dataset('d', rows([2], 5), rows([2], 5)))).toMatchObject({
      _tag: 'BadData',
      expected: 'rows of 2 numbers, as shape [2] has',
      actual: '5 numbers',
    });
    expect(errorOf(dataset('d', rows([-1], 3), rows([], 3)))).toMatchObject({ _tag: 'ShapeMismatch' });
    expect(errorOf(dataset('d', { ...rows([2], 4), scale: NaN }, rows([], 2)))).toMatchObject({
      actual: 'a scale of NaN',
    });
  });

  it.each([1.7, 3e9, -0.5])('refuses %p as a whole number, which would be another one', (value) => {
    const labels = { shape: [], data: Float64Array.of(1, 2, value), scale: 1, dtype: 'i32' } as const;
    expect(errorOf(dataset('d', { shape: [2], data: x.data, scale: 1, dtype: 'f32' }, labels))).toMatchObject({
      _tag: 'BadData',
      source: 'd, targets',
      expected: 'whole numbers of 32 bits',
      actual: `${value} in example 2`,
    });
  });

  it.each([-1, 3, 0.5, NaN])('refuses to give an example at %p', (position) => {
    const data = orThrow(datasetOf('d', x, x));
    expect(attempt(() => data.batch(Float64Array.of(0, position)))).toMatchObject(
      E.left({ _tag: 'BadData', expected: 'whole numbers from 0 to 2', actual: `${position} at position 1` }),
    );
  });

  it('knows the largest number among its examples', () => {
    const bytes = { shape: [2], data: Uint8Array.of(0, 255, 51, 102), scale: 2, dtype: 'f32' } as const;
    expect(orThrow(dataset('d', bytes, bytes)).batch.largest).toBe(510);
    expect(orThrow(datasetOf('d', x, tensor([-7, 8, -9], [3], 'i32'))).batch.largest).toBe(9);
    expect(orThrow(datasetOf('d', tensor([1e39, -1e40], [2]), tensor([0, 0], [2]))).batch.largest).toBe(1e40);
  });
});
