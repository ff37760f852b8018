/**
 * Activations where they are saturated: values and derivatives at sizes up to infinity, against what they are.
 *
 * Beyond ±100 every one of them is in 64 bits what it is at infinity, so the table needs no digits.
 */
import type { Backend } from '../../../src/core/backends/backend.ts';
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import { jvp } from '../../../src/core/autodiff/forward.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';
import { orThrow } from '../../support/training.ts';

type Activation = <T extends Shaped>(ops: Ops<T>, x: T) => T;

const sizes = [1e3, 1e10, 1e19, 1e20, 1e30, 3e38, Infinity];

interface Row {
  readonly name: string;
  readonly of: Activation;
  /** f and f′ of x above 0, and of −x. */
  readonly above: (x: number) => readonly [value: number, derivative: number];
  readonly below: (x: number) => readonly [value: number, derivative: number];
}

const table: ReadonlyArray<Row> = [
  { name: 'tanh', of: (ops, x) => ops.tanh(x), above: () => [1, 0], below: () => [-1, 0] },
  { name: 'sigmoid', of: (ops, x) => ops.sigmoid(x), above: () => [1, 0], below: () => [0, 0] },
  { name: 'softplus', of: (ops, x) => ops.softplus(x), above: (x) => [x, 1], below: () => [0, 0] },
  { name: 'relu', of: (ops, x) => ops.relu(x), above: (x) => [x, 1], below: () => [0, 0] },
  { name: 'gelu', of: (ops, x) => ops.gelu(x), above: (x) => [x, 1], below: () => [0, 0] },
  { name: 'erf', of: (ops, x) => ops.erf(x), above: () => [1, 0], below: () => [-1, 0] },
  { name: 'normalCdf', of: (ops, x) => ops.normalCdf(x), above: () => [1, 0], below: () => [0, 0] },
];

const points = [...sizes, ...sizes.map((x) => -x)];

onEveryBackend((name, use) => {
  it.each(table.map((row) => [row.name, row] as const))(
    `law: %s is what it is at infinity, and so is its derivative, in both modes: ${name}`,
    async (_, { of, above, below }) => {
      await use(async <T extends Shaped>({ ops, dtype, read }: Backend<T>) => {
        const x = ops.constant(tensor(points, [points.length], dtype));
        const exact = points.map((p) => (p > 0 ? above(p) : below(-p)));
        const [values, derivatives] = ([0, 1] as const).map((i) =>
          Array.from(
            tensor(
              exact.map((pair) => pair[i]),
              [points.length],
              dtype,
            ).data,
          ),
        );
        const ones = ops.full([points.length], 1);
        // −0 and 0 are one number here.
        const numbers = async (found: T) => Array.from(orThrow(await read(found)()).data, (v) => v + 0);
        const reverse = vjp(ops, (on, at) => of(on, at['x']), { x }, []);
        const forward = jvp(ops, (on, at) => of(on, at['x']), { x }, { x: ones }, []);
        expect({
          alone: await numbers(of(ops, x)),
          value: await numbers(reverse.outputs),
          backward: await numbers(reverse.pullback(ones).params['x']),
          forward: await numbers(forward.tangent),
        }).toEqual({ alone: values, value: values, backward: derivatives, forward: derivatives });
      });
    },
  );
});
