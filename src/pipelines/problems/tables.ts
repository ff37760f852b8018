/**
 * Tables of numbers to draw examples from.
 *
 * @module
 */
import { referenceBackend } from '../../core/backends/reference/backend.ts';
import type { Key } from '../../core/random/key.ts';
import { normal } from '../../core/random/normal.ts';
import { foldIn } from '../../core/random/split.ts';
import { uniform } from '../../core/random/uniform.ts';
import { keyOf } from '../../core/random/key.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';

/** Numbered keys of a problem, apart from those of problems of other names and from the seeds of runs. */
export const keysFor = (name: string): ((use: number) => Key) => {
  const key = Array.from(name).reduce((above, letter) => foldIn(above, letter.codePointAt(0) ?? 0), keyOf(2 ** 40));
  return (use) => foldIn(key, use);
};

/** Standard normal features `[n, d]`. */
export const gaussians = (key: Key, n: number, d: number): Tensor => normal(key, [n, d], 'f64');

/** Uniform numbers of [0, 1), `[n, d]`. */
export const uniforms = (key: Key, n: number, d: number): Tensor => uniform(key, [n, d], 'f64');

/** f(x, column) at each element of a table `[n, d]`. */
export const mapTable = (x: Tensor, f: (value: number, column: number) => number): Tensor =>
  generate(x.shape, (i) => f(x.data[i], i % x.shape[1]));

/** Columns as they are measured: in units that make their scales 1 to 1000, evenly in the logarithm. */
export const inRawUnits = (x: Tensor): Tensor =>
  mapTable(x, (value, column) => value * 1000 ** (column / (x.shape[1] - 1)));

/** c x + deviation · noise. */
export const noisy = (key: Key, x: Tensor, scale: number, deviation: number): Tensor => {
  const noise = normal(key, x.shape, 'f64');
  return generate(x.shape, (i) => scale * x.data[i] + deviation * noise.data[i]);
};

/** A column per function of a row. */
export const columnsOf = (x: Tensor, functions: ReadonlyArray<(row: ReadonlyArray<number>) => number>): Tensor => {
  const [n, d] = x.shape;
  const rows = Array.from({ length: n }, (_, i) => Array.from({ length: d }, (_unused, j) => x.data[i * d + j]));
  return generate([n, functions.length], (i) =>
    functions[i % functions.length](rows[Math.floor(i / functions.length)]),
  );
};

/** Columns with mean 0 and variance 1. */
export const standardised = (x: Tensor): Tensor => {
  const { ops } = referenceBackend();
  const centred = ops.sub(x, ops.mean(x, [0]));
  return ops.div(centred, ops.sqrt(ops.mean(ops.square(centred), [0])));
};

/** The class of the highest logit of each row, `[n]`. */
export const highest = (logits: Tensor): Tensor => {
  const [n, classes] = logits.shape;
  const columns = Array.from({ length: classes }, (_, c) => c);
  return generate(
    [n],
    (i) => columns.reduce((best, c) => (logits.data[i * classes + c] > logits.data[i * classes + best] ? c : best), 0),
    'i32',
  );
};

/** Labels with a part of them replaced by classes drawn at random. */
export const mislabelled = (key: Key, labels: Tensor, classes: number, part: number): Tensor => {
  const draws = uniform(key, [labels.shape[0], 2], 'f64');
  return generate(
    labels.shape,
    (i) => (draws.data[2 * i] < part ? Math.floor(classes * draws.data[2 * i + 1]) : labels.data[i]),
    'i32',
  );
};

/** A number of classes with given odds, `[n]`: class c for a draw between the sums of odds before and after it. */
export const classesByOdds = (key: Key, n: number, odds: ReadonlyArray<number>): Tensor => {
  const total = odds.reduce((sum, odd) => sum + odd, 0);
  const bounds = odds.map((_, c) => odds.slice(0, c + 1).reduce((sum, odd) => sum + odd, 0) / total);
  const draws = uniform(key, [n], 'f64');
  return generate(
    [n],
    (i) =>
      Math.max(
        0,
        bounds.findIndex((bound) => draws.data[i] < bound),
      ),
    'i32',
  );
};

/** Points around the centre of their class: centres `[classes, d]` of a deviation, points of deviation 1. */
export const around = (key: Key, labels: Tensor, classes: number, d: number, deviation: number): Tensor => {
  const centres = gaussians(foldIn(key, 1), classes, d);
  const noise = gaussians(foldIn(key, 2), labels.shape[0], d);
  return generate(
    noise.shape,
    (i) => noise.data[i] + deviation * centres.data[labels.data[Math.floor(i / d)] * d + (i % d)],
  );
};
