/**
 * Models that read lengths of sequences: how long a sequence may be.
 *
 * A device cannot say that a length is beyond its sequence; in host memory the values can be looked at.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import { shapeInterpreter } from '../autodiff/shape.ts';
import { attempt } from '../errors.ts';
import { mapParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import type { Admissible } from './admissible.ts';
import { evaluating } from './layers/circumstances.ts';
import type { Layer } from './layers/layer.ts';
import type { Model } from './model.ts';
import { model } from './model.ts';

/** An array of lengths that a layer reads. */
export interface Lengths {
  /** Name of the batch's array. */
  readonly array: string;
  /** Path of the layer. */
  readonly path: string;
  /** Positions of the layer's input. */
  readonly most: number;
}

/** The layer, with what it or its parts read of lengths added to a list. */
const observed = (layer: Layer, found: Array<Lengths>): Layer => {
  const inner = layer.withChildren(layer.children.map(([, child]) => observed(child, found)));
  const { lengths } = layer;
  return lengths === undefined
    ? inner
    : {
        ...inner,
        apply: (ops, params, path, x, at) => {
          found.push({ array: lengths, path, most: x.shape[1] });
          return inner.apply(ops, params, path, x, at);
        },
      };
};

const everyLength = (described: Model): ReadonlyArray<Lengths> => {
  const found: Array<Lengths> = [];
  const layer = observed(described.layer, found);
  const { ops } = shapeInterpreter();
  model(described.name, described.inputs, layer).program(
    ops,
    Object.fromEntries(layer.parameters('').map(({ path, shape }) => [path, { shape }])),
    evaluating(mapParams(described.inputs, (shape): Shaped => ({ shape: [1, ...shape] }))),
  );
  return found;
};

/**
 * The arrays of a batch that a model's layers read as lengths, each with its shortest sequence.
 *
 * @param described - the model
 * @returns one for each such array; none where the model's own shapes do not fit together
 */
export const lengthsOf = (described: Model): ReadonlyArray<Lengths> =>
  pipe(
    attempt(() => everyLength(described)),
    E.getOrElse((): ReadonlyArray<Lengths> => []),
    (all) =>
      all.filter(
        ({ array, most }, i) =>
          !all.some((other, j) => other.array === array && (other.most < most || (other.most === most && j < i))),
      ),
  );

/**
 * The lengths that a sequence may have.
 *
 * @param lengths - path of the layer that reads them, positions of its input
 */
export const lengthsUpTo = ({ path, most }: Omit<Lengths, 'array'>): Admissible => ({
  least: 0,
  most,
  isWhole: true,
  expected: `lengths from 0 to ${most}, the positions of the input at ${path === '' ? 'the model' : path}`,
  advice: 'Give sequences more room, or repair the example.',
});
