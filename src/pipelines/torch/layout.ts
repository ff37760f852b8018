/**
 * How the parameters of a model are called and laid out in PyTorch, layer by layer.
 *
 * Most have the same name and layout there: `weight` `[out, in]`, `bias`, the weights of norms, the table of an embedding. What
 * differs is here: filters have their channels first, what follows a flattened image meets its channels first, gates and
 * projections stand under each other, running averages have other names.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { SiteShapes } from '../../core/autodiff/shape.ts';
import { shapeInterpreter } from '../../core/autodiff/shape.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import type { Model } from '../../core/nn/model.ts';
import { joinPath, mapParams } from '../../core/params.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { permuted, reshaped, split, stacked, sum, zerosLike } from './permute.ts';

/** Some arrays of ours and what they are in PyTorch; both functions take and give them in the order of their names. */
export interface Piece {
  readonly ours: ReadonlyArray<string>;
  readonly theirs: ReadonlyArray<string>;
  readonly exported: (ours: ReadonlyArray<Tensor>) => ReadonlyArray<Tensor>;
  readonly imported: (theirs: ReadonlyArray<Tensor>) => ReadonlyArray<Tensor>;
  /** Whether the arrays are state that is not trained. */
  readonly isRunning?: true;
}

const same = (arrays: ReadonlyArray<Tensor>): ReadonlyArray<Tensor> => arrays;

const renamed = (ours: string, theirs: string): Piece => ({
  ours: [ours],
  theirs: [theirs],
  exported: same,
  imported: same,
});

/** One array in another layout of the same name. */
const laidOut = (path: string, exported: (x: Tensor) => Tensor, imported: (x: Tensor) => Tensor): Piece => ({
  ours: [path],
  theirs: [path],
  exported: ([x]) => [exported(x)],
  imported: ([x]) => [imported(x)],
});

/** Filters `[n, kh · kw · c]` with their channels first, `[n, c, kh, kw]`, or `[n, c, k]` of sequences. */
const filters = (path: string, [rows, columns]: Shape, kernel: Shape): Piece => {
  const channels = columns / sizeOf(kernel);
  const [extents, order] = [
    [rows, ...kernel, channels],
    [0, kernel.length + 1, ...kernel.map((_, i) => i + 1)],
  ];
  const theirs = order.map((axis) => extents[axis]);
  const back = extents.map((_, axis) => order.indexOf(axis));
  return laidOut(
    path,
    (x) => permuted(x, extents, order),
    (x) => reshaped(permuted(x, theirs, back), [rows, columns]),
  );
};

/** The weight of a dense layer that meets flattened images `[h, w, c]`, which are `[c, h, w]` there. */
const afterImages = (path: string, [out, fanIn]: Shape, [h, w, c]: Shape): Piece =>
  laidOut(
    path,
    (x) => reshaped(permuted(x, [out, h, w, c], [0, 3, 1, 2]), [out, fanIn]),
    (x) => reshaped(permuted(x, [out, c, h, w], [0, 2, 3, 1]), [out, fanIn]),
  );

/** A recurrent layer in one direction. Where we have one bias PyTorch has two, which are added. */
const recurrent = (
  path: string,
  layer: string,
  direction: string,
  has: (path: string) => boolean,
): ReadonlyArray<Piece> => {
  const inner = joinPath(path, `${layer}.${direction}`);
  const suffix = `l${layer}${direction === 'backward' ? '_reverse' : ''}`;
  const named = (name: string): string => joinPath(path, `${name}_${suffix}`);
  const [input, state] = [`${inner}.input.bias`, `${inner}.state.bias`];
  const biases = [named('bias_ih'), named('bias_hh')];
  return [
    renamed(`${inner}.input.weight`, named('weight_ih')),
    renamed(`${inner}.state.weight`, named('weight_hh')),
    has(state)
      ? { ours: [input, state], theirs: biases, exported: same, imported: same }
      : {
          ours: [input],
          theirs: biases,
          exported: ([x]) => [x, zerosLike(x)],
          imported: ([x, y]) => [sum(x, y)],
        },
  ];
};

/** The projections of attention: one under the other, unless the memory has other features. */
const attention = (path: string, shapes: Readonly<Record<string, Shape>>): ReadonlyArray<Piece> => {
  const names = ['query', 'key', 'value'];
  const under = (name: string, theirs: string): Piece => ({
    ours: names.map((each) => joinPath(path, `${each}.${name}`)),
    theirs: [joinPath(path, theirs)],
    exported: (parts) => [stacked(parts)],
    imported: ([whole]) => split(whole, names.length),
  });
  const [query, key] = names.map((name) => shapes[joinPath(path, `${name}.weight`)]);
  const hasBias = Object.hasOwn(shapes, joinPath(path, 'query.bias'));
  return [
    ...(query[1] === key[1]
      ? [under('weight', 'in_proj_weight')]
      : names.map((name) => renamed(joinPath(path, `${name}.weight`), joinPath(path, `${name[0]}_proj_weight`)))),
    ...(hasBias ? [under('bias', 'in_proj_bias')] : []),
    ...(hasBias ? ['weight', 'bias'] : ['weight']).map((name) =>
      renamed(joinPath(path, `output.${name}`), joinPath(path, `out_proj.${name}`)),
    ),
  ];
};

/** Shapes of the parameters of some models, by path. */
export const shapesOf = (models: ReadonlyArray<Model>): Readonly<Record<string, Shape>> =>
  Object.fromEntries(models.flatMap(({ layer }) => layer.parameters('').map(({ path, shape }) => [path, shape])));

/** What is known of a model: shapes of its parameters, its sites by their weights, what each flattening layer was given. */
interface Known {
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly sites: Readonly<Record<string, SiteShapes>>;
  readonly flattened: Readonly<Record<string, Shape>>;
}

/** Layers between which numbers keep their places. */
const inPlace: ReadonlyArray<string> = ['activation', 'dropout'];

/** The images that a layer's features were, if it comes after a layer that flattened them. */
const imagesBefore = (siblings: Layer['children'], i: number, path: string, { flattened }: Known): Shape | null => {
  const before = siblings.slice(0, i).findLast(([, { kind }]) => !inPlace.includes(kind));
  if (before?.[1].kind !== 'flatten') return null;
  const [, ...images] = flattened[joinPath(path, before[0])] ?? [];
  return images.length === 3 ? images : null;
};

const leafPieces = (layer: Layer, path: string, images: Shape | null, known: Known): ReadonlyArray<Piece> => {
  const { shapes, sites } = known;
  const own = layer.parameters(path).map((spec) => spec.path);
  const weight = joinPath(path, 'weight');
  switch (layer.kind) {
    case 'rnn':
    case 'gru':
    case 'lstm': {
      const inner = own.map((name) => name.slice(path === '' ? 0 : path.length + 1));
      const directions = new Set(inner.map((name) => name.split('.').slice(0, 2).join('.')));
      return [...directions].flatMap((name) => {
        const [number, direction] = name.split('.');
        return recurrent(path, number, direction, (at) => own.includes(at));
      });
    }
    case 'batchNorm':
      return [
        ...own.map((name) => renamed(name, name)),
        { ...renamed(joinPath(path, 'mean'), joinPath(path, 'running_mean')), isRunning: true },
        { ...renamed(joinPath(path, 'variance'), joinPath(path, 'running_var')), isRunning: true },
      ];
    default:
      return own.map((name) => {
        const site = Object.hasOwn(sites, name) ? sites[name].site : null;
        if (name !== weight || site === null) return renamed(name, name);
        if ('window' in site) {
          const { kernel } = site.window;
          return filters(name, shapes[name], layer.kind === 'conv1d' ? [kernel[0]] : kernel);
        }
        return layer.kind === 'dense' && images !== null
          ? afterImages(name, shapes[name], images)
          : renamed(name, name);
      });
  }
};

const piecesIn = (layer: Layer, path: string, images: Shape | null, known: Known): ReadonlyArray<Piece> => {
  if (layer.kind === 'multiHeadAttention') return attention(path, known.shapes);
  if (layer.children.length === 0) return leafPieces(layer, path, images, known);
  const parts = layer.children.flatMap(([name, child], i) =>
    piecesIn(
      child,
      joinPath(path, name),
      layer.kind === 'sequential' ? imagesBefore(layer.children, i, path, known) : null,
      known,
    ),
  );
  // What a layer has besides its parts is called as it is here.
  const named = new Set(parts.flatMap(({ ours }) => ours));
  return [
    ...parts,
    ...layer.parameters(path).flatMap((spec) => (named.has(spec.path) ? [] : [renamed(spec.path, spec.path)])),
  ];
};

/** The layer with what each flattening part is given told to someone. */
const observed = (layer: Layer, tell: (path: string, shape: Shape) => void): Layer => {
  const inner = layer.withChildren(layer.children.map(([, child]) => observed(child, tell)));
  return {
    ...inner,
    apply: (ops, params, path, x, at) => {
      if (layer.kind === 'flatten') tell(path, x.shape);
      return inner.apply(ops, params, path, x, at);
    },
  };
};

/**
 * How each parameter of a model, and each array of its running state, is called and laid out in PyTorch.
 *
 * @param model - any model; what it does is looked at in a dry run
 */
export const layoutOf = (model: Model): E.Either<KfacError, ReadonlyArray<Piece>> =>
  pipe(
    attempt(() => {
      const shapes = shapesOf([model]);
      const { ops, tally } = shapeInterpreter();
      const flattened = IOR.newIORef<Readonly<Record<string, Shape>>>({})();
      const inputs = mapParams(model.inputs, (shape) => ({ shape: [2, ...shape] }));
      const told = (path: string, shape: Shape): void => flattened.modify((before) => ({ ...before, [path]: shape }))();
      observed(model.layer, told).apply(
        ops,
        mapParams(shapes, (shape) => ({ shape })),
        '',
        Object.values(inputs)[0],
        evaluating(inputs),
      );
      const sites = Object.fromEntries(tally().sites.map((each) => [each.site.weight, each]));
      return { shapes, sites, flattened: flattened.read() };
    }),
    E.map((known) => piecesIn(model.layer, '', null, known)),
  );
