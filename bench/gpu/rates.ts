/**
 * Rates of contenders at the shapes of training: products, second moments and the stage of a small network. The same in Node.js and in
 * a page.
 *
 * Everything that is timed ends in an array of JavaScript. What every contender returns is compared with sums in 64 bits
 * first, so that nobody wins by being wrong.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { leastSecondsInTurns } from '../timing.ts';
import type { Contender, Entry, ProductCase, StageCase, Work } from './contender.ts';

const values = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

const product = (m: number, n: number, k: number, transposes: 'NN' | 'NT' | 'TN'): ProductCase => ({
  m,
  n,
  k,
  transposeA: transposes.startsWith('T'),
  transposeB: transposes.endsWith('T'),
});

/** Squares, and the largest layer of the MNIST autoencoder: forward, cotangent of the input, gradient of the weight. */
const products: ReadonlyArray<ProductCase> = [
  product(256, 256, 256, 'NN'),
  product(256, 256, 256, 'NT'),
  product(256, 256, 256, 'TN'),
  product(512, 512, 512, 'NN'),
  product(256, 1000, 784, 'NT'),
  product(256, 784, 1000, 'NN'),
  product(1000, 784, 256, 'TN'),
  product(1000, 1000, 784, 'NT'),
  product(1000, 784, 1000, 'NN'),
  product(1000, 784, 1000, 'TN'),
];

/** Rows and columns of statistics. */
const grams: ReadonlyArray<readonly [number, number]> = [
  [256, 785],
  [256, 1001],
  [1000, 785],
  [1000, 1001],
];

/** Whether a few elements are what sums in 64 bits are, within the bound of rounding k terms in 32 bits. */
const isRight = (result: Float32Array, a: Float32Array, b: Float32Array, shape: ProductCase): boolean => {
  const { m, n, k, transposeA, transposeB } = shape;
  return [0, 1, 2, 3, 4, 5, 6, 7].every((q) => {
    const [i, j] = [(q * 37) % m, (q * 101 + 3) % n];
    let sum = 0;
    let size = 0;
    for (let p = 0; p < k; p += 1) {
      const term = a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
      sum += term;
      size += Math.abs(term);
    }
    return result.length === m * n && Math.abs(result[i * n + j] - sum) <= k * 2 ** -24 * size;
  });
};

/** Seconds of the fastest way of each contender, in turns; NaN when one of its ways is wrong. */
const fastest = (
  ways: ReadonlyArray<ReadonlyArray<Work>>,
  check: (result: Float32Array) => boolean,
): ReadonlyArray<number> => {
  const areRight = ways.map((of) => of.every((work) => check(work())));
  const times = leastSecondsInTurns(ways.flat(), 0.3);
  const ends = ways.map((_, i) => ways.slice(0, i + 1).flat().length);
  return ways.map((of, i) => (areRight[i] ? Math.min(...times.slice(ends[i] - of.length, ends[i])) : NaN));
};

/** Which contenders are compared: the first, on one thread, with all that follow the second; that, on all threads, with libraries. */
const comparisons = (contenders: ReadonlyArray<Contender>): ReadonlyArray<readonly [number, number]> =>
  contenders.flatMap(({ isLibrary = false }, i) => [
    ...(i > 1 ? [[0, i] as const] : []),
    ...(isLibrary ? [[1, i] as const] : []),
  ]);

const header = (contenders: ReadonlyArray<Contender>): void => {
  const columns = contenders.map((_, i) => `(${i + 1})`.padStart(8));
  const ratios = comparisons(contenders).map(([i, j]) => `(${i + 1})/(${j + 1})`.padStart(9));
  console.log(`\n${'GFLOP/s'.padEnd(24)}${columns.join('')}   ${ratios.join('')}`);
};

/** One row: rates and their ratios. */
const row = (
  label: string,
  flops: number,
  contenders: ReadonlyArray<Contender>,
  seconds: ReadonlyArray<number>,
): void => {
  const rates = seconds.map((s) => (Number.isNaN(s) ? 'wrong' : (flops / s / 1e9).toFixed(1)).padStart(8));
  const ratios = comparisons(contenders).map(([i, j]) => (seconds[j] / seconds[i]).toFixed(2).padStart(9));
  console.log(`${label.padEnd(24)}${rates.join('')}   ${ratios.join('')}`);
};

const stageOf = (): StageCase => {
  const [batch, widths] = [256, [784, 512, 10] as const];
  const y = new Float32Array(batch * widths[2]);
  for (let i = 0; i < batch; i += 1) y[i * widths[2] + (i % widths[2])] = 1;
  const scaled = (length: number, seed: number): Float32Array => values(length, seed).map((v) => v / 20);
  return {
    batch,
    widths,
    x: values(batch * widths[0], 1).map(Math.abs),
    y,
    weights: [scaled(widths[1] * widths[0], 2), scaled(widths[2] * widths[1], 3)],
  };
};

const benchStage = (contenders: ReadonlyArray<Contender>): void => {
  const stage = stageOf();
  const { batch, widths } = stage;
  const [input, hidden, output] = widths;
  const works = contenders.map((contender) => contender.stage(stage));
  const losses = works.map((work) => work()[0]);
  const seconds = leastSecondsInTurns(works, 0.6).map((least, i) =>
    Math.abs(losses[i] - losses[0]) < 1e-5 * losses[0] ? least : NaN,
  );
  row(`stage ${widths.join('-')}`, 2 * batch * (2 * input * hidden + 3 * hidden * output), contenders, seconds);
  console.log(`${'  milliseconds'.padEnd(24)}${seconds.map((s) => (1000 * s).toFixed(2).padStart(8)).join('')}`);
};

/**
 * Prints rates of contenders, and how many times as fast as others the first two are: on one thread and on all.
 *
 * @param entries - ours on one thread, ours on all, others
 */
export const printRates = (entries: ReadonlyArray<Entry>): void => {
  const contenders = entries.filter(E.isRight).map(({ right }) => right);
  for (const { left } of entries.filter(E.isLeft)) console.log(`${left.name} does not run here: ${left.reason}`);
  console.log(contenders.map(({ name }, i) => `(${i + 1}) ${name}`).join('   '));
  header(contenders);
  for (const shape of products) {
    const { m, n, k, transposeA, transposeB } = shape;
    const [a, b] = [values(m * k, 1), values(k * n, 2)];
    const seconds = fastest(
      contenders.map((contender) => contender.product(a, b, shape)),
      (result) => isRight(result, a, b, shape),
    );
    row(`${m} ${n} ${k} ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`, 2 * m * n * k, contenders, seconds);
  }
  for (const [rows, columns] of grams) {
    const x = values(rows * columns, 1);
    const shape: ProductCase = { m: columns, n: columns, k: rows, transposeA: true, transposeB: false };
    const seconds = fastest(
      contenders.map((contender) => contender.gram(x, rows, columns)),
      (result) => isRight(result, x, x, shape),
    );
    row(`XᵀX of ${rows} ${columns}`, 2 * rows * columns * columns, contenders, seconds);
  }
  benchStage(contenders);
};
