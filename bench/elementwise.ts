/**
 * Everything between products: elementwise operations, sums, softmax and transposes, of a thousand to ten million elements.
 * Where a Python with torch is named (`KFAC_PYTHON`), its times in the same run stand beside ours.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';

import type { Backend } from '../src/core/backends/backend.ts';
import type { Ops } from '../src/core/ops/ops.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { generate } from '../src/core/tensor.ts';
import { leastSecondsPerCall } from './timing.ts';

/** Elements of the arrays. */
const sizes = [1e3, 1e5, 1e6, 1e7];

/** What the operations work on: matrices as square as can be. */
interface Operands {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly positive: Tensor;
  readonly row: Tensor;
  readonly column: Tensor;
}

const kinds: Readonly<Record<string, (ops: Ops<Tensor>, operands: Operands) => unknown>> = {
  'x + y': (ops, { x, y }) => ops.add(x, y),
  'a x + b y': (ops, { x, y }) => ops.linearCombination(0.7, x, 0.3, y),
  'x + row': (ops, { x, row }) => ops.add(x, row),
  'x * column': (ops, { x, column }) => ops.mul(x, column),
  sum: (ops, { x }) => ops.sum(x, [0, 1]),
  'sum of rows': (ops, { x }) => ops.sum(x, [1]),
  'sum of columns': (ops, { x }) => ops.sum(x, [0]),
  dot: (ops, { x, y }) => ops.dot(x, y),
  'max of rows': (ops, { x }) => ops.max(x, [1]),
  relu: (ops, { x }) => ops.relu(x),
  sqrt: (ops, { positive }) => ops.sqrt(positive),
  exp: (ops, { x }) => ops.exp(x),
  log: (ops, { positive }) => ops.log(positive),
  tanh: (ops, { x }) => ops.tanh(x),
  sigmoid: (ops, { x }) => ops.sigmoid(x),
  softplus: (ops, { x }) => ops.softplus(x),
  gelu: (ops, { x }) => ops.gelu(x),
  softmax: (ops, { x }) => ops.softmax(x),
  transpose: (ops, { x }) => ops.transposed(x),
};

const operandsOf = (ops: Ops<Tensor>, elements: number): Operands => {
  const columns = Math.round(Math.sqrt(elements));
  const rows = Math.floor(elements / columns);
  const [x, y] = [1.1, 0.7].map((step) =>
    ops.constant(generate([rows, columns], (i) => 2 * Math.sin(step * i), 'f32')),
  );
  return {
    x,
    y,
    positive: ops.add(ops.abs(x), ops.full([], 0.1)),
    row: ops.slice(x, [0, 0], [1, columns]),
    column: ops.slice(x, [0, 0], [rows, 1]),
  };
};

/** Microseconds of every kind at every size: the fastest of many calls. */
type Times = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Ours. As in a step: results are of a scope, whose arrays the next scope takes over. */
const measure = (backend: Backend<Tensor>): Times =>
  Object.fromEntries(
    sizes.map((elements) => {
      const operands = operandsOf(backend.ops, elements);
      const calls = elements <= 1e4 ? 100 : 1;
      const time = (run: (ops: Ops<Tensor>, operands: Operands) => unknown): number => {
        const once = (): void => {
          const { backend: scoped, close } = backend.scope();
          for (let i = 0; i < calls; i += 1) run(scoped.ops, operands);
          close([]);
        };
        once();
        return (1e6 * leastSecondsPerCall(once, 0.15)) / calls;
      };
      return [elements, Object.fromEntries(Object.entries(kinds).map(([kind, run]) => [kind, time(run)]))];
    }),
  );

/** Those of torch, or `null` where no Python with torch was named. */
const torchTimes = (threads: number): Times | null => {
  const python = process.env['KFAC_PYTHON'];
  if (python === undefined) return null;
  const args = ['bench/peers/elementwise.py', threads, ...sizes].map(String);
  return JSON.parse(execFileSync(python, args, { encoding: 'utf8' })) as Times;
};

const shown = (microseconds: number): string => microseconds.toPrecision(3).padStart(9);

/**
 * Prints microseconds of every kind and size, and how many times those of torch they are on one thread and on two.
 *
 * @param backend - where to run
 */
export const benchElementwise = (backend: Backend<Tensor>): void => {
  const ours = measure(backend);
  const peers = [1, 2].map(torchTimes);
  console.log('\nelementwise work, f32: µs, and × torch on one thread and on two where it was measured');
  console.log(['', ...sizes.map((n) => `${n.toExponential(0)} elements`)].map((head) => head.padEnd(26)).join(''));
  for (const kind of Object.keys(kinds)) {
    const cells = sizes.map((n) => {
      const time = ours[n][kind];
      const ratios = peers.map((peer) => (peer === null ? '' : (time / peer[n][kind]).toFixed(2).padStart(6)));
      return `${shown(time)} ${ratios.join('')}`.padEnd(26);
    });
    console.log(`${kind.padEnd(18)}${cells.join('')}`);
  }
};
