/**
 * Layers against fixtures of another library: values, gradients and one second derivative.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

import type { Program } from '../../src/core/autodiff/program.ts';
import { hessianProduct } from '../../src/core/autodiff/products.ts';
import { vjp } from '../../src/core/autodiff/reverse.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import { evaluating } from '../../src/core/nn/layers/circumstances.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { scaledError } from './closeness.ts';

interface Stored {
  readonly shape: Shape;
  readonly data: ReadonlyArray<number>;
}

type StoredTree = Readonly<Record<string, Stored>>;

/** A layer as another library computes it. The input is the leaf `x`. */
export interface LayerFixture<Options> {
  readonly label: string;
  readonly options: Options;
  readonly leaves: StoredTree;
  readonly arrays: StoredTree;
  readonly output: Stored;
  /** Cotangent of the output. */
  readonly c: Stored;
  /** Direction of the second derivative. */
  readonly v: StoredTree;
  readonly gradient: StoredTree;
  readonly second: StoredTree;
}

const asTensor = ({ data, shape }: Stored): Tensor => tensor(data, shape);

const expectClose = (found: Params<Tensor>, expected: StoredTree, tolerance: number): void => {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [path, { shape, data }] of Object.entries(expected)) {
    expect([path, found[path].shape]).toEqual([path, shape]);
    expect(scaledError(found[path].data, data)).toBeLessThan(tolerance);
  }
};

/** The fixtures of a file. */
export const layerFixtures = <Options>(file: string): ReadonlyArray<LayerFixture<Options>> =>
  JSON.parse(readFileSync(`test/fixtures/${file}`, 'utf8')) as ReadonlyArray<LayerFixture<Options>>;

/**
 * Expects a layer's output, its gradient of ⟨c, f⟩ in all leaves, and the derivative of that along v.
 *
 * @param layer - the layer, at the empty path
 * @param fixture - what they are
 * @param tolerance - largest scaled error
 */
export const agreesWith = <Options>(layer: Layer, fixture: LayerFixture<Options>, tolerance: number): void => {
  const { ops } = referenceBackend();
  const arrays = mapParams(fixture.arrays, asTensor);
  const [leaves, v] = [mapParams(fixture.leaves, asTensor), mapParams(fixture.v, asTensor)];
  const names = Object.keys(arrays);
  const f: Program = (on, params, inputs) =>
    layer.apply(on, params, '', params['x'], evaluating(Object.fromEntries(names.map((name, i) => [name, inputs[i]]))));
  const inputs = Object.values(arrays);
  const { outputs, pullback } = vjp(ops, f, leaves, inputs);
  expectClose({ output: outputs }, { output: fixture.output }, tolerance);
  expectClose(pullback(asTensor(fixture.c)).params, fixture.gradient, tolerance);
  const judged: Program = (on, params, given) => on.dot(on.constant(asTensor(fixture.c)), f(on, params, given));
  expectClose(hessianProduct(ops, judged, leaves, v, inputs), fixture.second, tolerance);
};
