/**
 * Parameters alone, with PyTorch's names and in PyTorch's layout, and back.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import type { Model } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import { pickParams } from '../../core/params.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { generate, sameShape, showShape } from '../../core/tensor.ts';
import type { Piece } from './layout.ts';
import { layoutOf, shapesOf } from './layout.ts';

/** What training has made of a model. */
export interface Learned {
  readonly params: Params<Tensor>;
  /** State of layers that is not trained. */
  readonly running: Params<Tensor>;
}

const piecesOf = (models: ReadonlyArray<Model>): E.Either<KfacError, ReadonlyArray<Piece>> =>
  pipe(
    models,
    E.traverseArray(layoutOf),
    E.map((all) => all.flat()),
  );

/**
 * Arrays as `load_state_dict` takes them, for modules that are put together as the model is.
 *
 * @param models - the networks whose parameters these are
 * @param learned - parameters and running state
 * @returns by PyTorch's names; a running average that was never made is left out
 * @example
 * ```ts
 * import { conv2d, initialParams, keyOf, model } from 'kfac-ts/core';
 * import { toTorch } from 'kfac-ts/pipelines';
 *
 * const net = model('filters', [8, 8, 3], conv2d({ in: 3, out: 4, kernel: 5 }));
 * const theirs = toTorch([net], { params: initialParams(net, keyOf(1), 'f32'), running: {} });
 * theirs._tag === 'Right' ? theirs.right['weight'].shape : null; // => [4, 3, 5, 5]
 * ```
 */
export const toTorch = (
  models: ReadonlyArray<Model>,
  { params, running }: Learned,
): E.Either<KfacError, Params<Tensor>> =>
  pipe(
    piecesOf(models),
    E.map((pieces) => {
      const all = { ...params, ...running };
      const there = pieces.filter(({ ours }) => ours.every((path) => Object.hasOwn(all, path)));
      return Object.fromEntries(
        there.flatMap(({ ours, theirs, exported }) => {
          const arrays = exported(ours.map((path) => all[path]));
          return theirs.map((name, i) => [name, arrays[i]] as const);
        }),
      );
    }),
  );

const refused = (expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'ShapeMismatch', where: 'parameters of PyTorch', expected, actual });

/**
 * Whether arrays are all the parameters of some networks, by our names and in our layout.
 *
 * @param models - the networks
 * @param params - arrays by name
 */
export const isOf = (models: ReadonlyArray<Model>, params: Params<Tensor>): boolean => {
  const shapes = shapesOf(models);
  return (
    Object.keys(params).length === Object.keys(shapes).length &&
    Object.entries(params).every(([path, { shape }]) => Object.hasOwn(shapes, path) && sameShape(shape, shapes[path]))
  );
};

/** The first array of PyTorch's that is not there, or not of its shape; running averages may be missing. */
const misfit = (
  { ours, theirs, exported, isRunning }: Piece,
  shapes: Readonly<Record<string, Shape>>,
  given: Params<Tensor>,
): { readonly expected: string; readonly actual: string } | null => {
  if (isRunning === true) return null;
  const wanted = exported(ours.map((path) => generate(shapes[path], () => 0)));
  const wrong = theirs.findIndex(
    (name, i) => !Object.hasOwn(given, name) || !sameShape(given[name].shape, wanted[i].shape),
  );
  if (wrong < 0) return null;
  const name = theirs[wrong];
  return {
    expected: `${name} of shape ${showShape(wanted[wrong].shape)}`,
    actual: Object.hasOwn(given, name) ? showShape(given[name].shape) : `only ${Object.keys(given).join(', ')}`,
  };
};

/** Counts that PyTorch keeps and that nothing here depends on. */
const isCount = (name: string): boolean => /(^|\.)num_batches_tracked$/.test(name);

/**
 * What a model's parameters and running state are, of arrays with PyTorch's names and in its layout.
 *
 * @param models - the networks whose parameters they are to be
 * @param theirs - a state dict, as a safetensors file of PyTorch holds it
 * @returns parameters and running state, or the first array that is missing, of another shape, or one too many
 * @example
 * ```ts
 * import { lstm, model, tensor } from 'kfac-ts/core';
 * import { fromTorch } from 'kfac-ts/pipelines';
 *
 * // Two biases are one.
 * const net = model('lstm', [5, 1], lstm({ in: 1, features: 1 }));
 * const [weight, bias] = [tensor([1, 2, 3, 4], [4, 1]), tensor([1, 1, 1, 1], [4])];
 * const theirs = { weight_ih_l0: weight, weight_hh_l0: weight, bias_ih_l0: bias, bias_hh_l0: bias };
 * const learned = fromTorch([net], theirs);
 * learned._tag === 'Right' ? learned.right.params['0.forward.input.bias'].data : []; // => [2, 2, 2, 2]
 * ```
 */
export const fromTorch = (models: ReadonlyArray<Model>, theirs: Params<Tensor>): E.Either<KfacError, Learned> =>
  pipe(
    piecesOf(models),
    E.chain((pieces): E.Either<KfacError, Learned> => {
      const shapes = shapesOf(models);
      const wrong = pieces.flatMap((piece) => misfit(piece, shapes, theirs) ?? []);
      if (wrong.length > 0) return refused(wrong[0].expected, wrong[0].actual);
      const known = new Set(pieces.flatMap((piece) => piece.theirs));
      const other = Object.keys(theirs).find((name) => !known.has(name) && !isCount(name));
      if (other !== undefined) return refused(`only ${[...known].join(', ')}`, `${other} as well`);
      const entries = pieces.flatMap(({ ours, theirs: names, imported, isRunning = false }) => {
        const there = names.every((name) => Object.hasOwn(theirs, name));
        const arrays = there ? imported(names.map((name) => theirs[name])) : [];
        return arrays.map((array, i) => ({ entry: [ours[i], array] as const, isRunning }));
      });
      const those = (running: boolean): Params<Tensor> =>
        Object.fromEntries(entries.filter(({ isRunning }) => isRunning === running).map(({ entry }) => entry));
      return E.right({ params: pickParams(those(false), Object.keys(shapes)), running: those(true) });
    }),
  );
