/**
 * What a layer is made of, part by part, from dry runs.
 *
 * One dry run with observers in place of the parts finds what shape reaches each; a dry run of each part alone finds
 * what it costs. What a layer costs beyond its parts (the sum of a residual connection) gets a row of its own, so that
 * the rows add up to the whole.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { Program } from '../autodiff/program.ts';
import { dryRun } from '../autodiff/shape.ts';
import type { KfacError } from '../errors.ts';
import type { Site } from '../ops/site.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shape } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import { evaluating } from './layers/circumstances.ts';
import type { Layer } from './layers/layer.ts';

/** What something costs. */
export interface Cost {
  /** Number of parameters. */
  readonly parameters: number;
  /** Floating-point operations of one forward pass over the batch. */
  readonly flops: number;
  /** Bytes that this pass reads and writes, at 4 bytes per element. */
  readonly bytes: number;
}

/** One part of a model. */
export interface LayerSummary extends Cost {
  readonly path: string;
  readonly label: string;
  /** Shape of what comes out, with the batch axis. */
  readonly output: Shape;
  /** Kind of the part's site, or `null` where no parameter meets data. */
  readonly site: Site['kind'] | null;
}

/** A model's parts, in the order of the forward pass, and their totals. */
export interface Summary extends Cost {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  readonly rows: ReadonlyArray<LayerSummary>;
}

/** A layer where it was met in a run of the model. */
interface Visit {
  readonly layer: Layer;
  readonly path: string;
  readonly input: Shape;
  /** Shapes of the arrays that were at hand. */
  readonly arrays: Params<Shape>;
  /** How many visits had ended when this one began: those after them are to its parts. */
  readonly before: number;
}

/** A layer's function of x, the first of the inputs, in circumstances whose arrays are the others. */
const programOf =
  (layer: Layer, path: string, names: ReadonlyArray<string>): Program =>
  (ops, params, [x, ...arrays]) =>
    layer.apply(ops, params, path, x, evaluating(Object.fromEntries(names.map((name, i) => [name, arrays[i]]))));

/** The layer, with each visit to it or to its parts added to a list when it ends. */
const observed = (layer: Layer, visits: Array<Visit>): Layer => {
  const inner = layer.withChildren(layer.children.map(([, child]) => observed(child, visits)));
  return {
    ...inner,
    apply: (ops, params, path, x, at) => {
      const before = visits.length;
      const output = inner.apply(ops, params, path, x, at);
      visits.push({ layer, path, input: x.shape, arrays: mapParams(at.arrays, ({ shape }) => shape), before });
      return output;
    },
  };
};

/** Whole cost of a visited layer, parts included. */
const measure =
  (shapes: Params<Shape>) =>
  ({ layer, path, input, arrays }: Visit): E.Either<KfacError, LayerSummary> =>
    pipe(
      dryRun(programOf(layer, path, Object.keys(arrays)), shapes, [input, ...Object.values(arrays)]),
      E.map(({ output, flops, bytes, sites }) => ({
        path,
        label: layer.label,
        output,
        parameters: layer.parameters(path).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
        flops,
        bytes,
        site: layer.children.length === 0 && sites.length > 0 ? sites[0].site.kind : null,
      })),
    );

/** Rows with what each layer costs beyond its parts, which come before it. */
const withoutParts = (
  visits: ReadonlyArray<Visit>,
  wholes: ReadonlyArray<LayerSummary>,
): ReadonlyArray<LayerSummary> => {
  const own: Array<LayerSummary> = [];
  visits.forEach(({ before }, i) => {
    const parts = own.slice(before);
    const beyond = (field: keyof Cost): number => wholes[i][field] - parts.reduce((sum, part) => sum + part[field], 0);
    own.push({ ...wholes[i], parameters: beyond('parameters'), flops: beyond('flops'), bytes: beyond('bytes') });
  });
  return own.filter((row, i) => visits[i].layer.children.length === 0 || row.flops > 0 || row.parameters > 0);
};

/**
 * The parts of a layer at the empty path.
 *
 * @param name - name of the model
 * @param layer - its outermost layer
 * @param arrays - shapes of the batch's arrays, with the batch axis; the first is what goes in
 */
export const summariseLayer = (name: string, layer: Layer, arrays: Params<Shape>): E.Either<KfacError, Summary> => {
  const shapes = Object.fromEntries(layer.parameters('').map(({ path, shape }) => [path, shape]));
  const visits: Array<Visit> = [];
  const [input] = Object.values(arrays);
  return pipe(
    dryRun(programOf(observed(layer, visits), '', Object.keys(arrays)), shapes, [input, ...Object.values(arrays)]),
    E.chain(() => E.traverseArray(measure(shapes))(visits)),
    E.map((wholes) => {
      const { output, parameters, flops, bytes } = wholes[wholes.length - 1];
      return { name, input, output, parameters, flops, bytes, rows: withoutParts(visits, wholes) };
    }),
  );
};
