/**
 * The WebAssembly backend of jax-js, through compiled functions as its documentation recommends. It has one thread.
 *
 * Its arrays are used up by the operation that they are passed to, unless `ref` is passed instead.
 *
 * @module
 */
import type { Contender } from './contender.ts';

/** Opens the backend. */
export const jax = async (): Promise<Contender> => {
  const { init, defaultDevice, jit, numpy: np, nn, valueAndGrad } = await import('@jax-js/jax');
  const devices = await init('wasm');
  if (!devices.includes('wasm')) throw new Error('the backend does not start');
  defaultDevice('wasm');
  type Matrix = ReturnType<typeof np.matmul>;
  const matrix = (values: Float32Array, shape: Array<number>): Matrix => np.array(values).reshape(shape);
  const values = (x: Matrix): Float32Array => x.dataSync() as Float32Array;
  return {
    name: 'jax-js 0.1.25, threads: 1',
    isLibrary: true,
    product: (a, b, { m, n, k, transposeA, transposeB }) => {
      const left = matrix(a, transposeA ? [k, m] : [m, k]);
      const right = matrix(b, transposeB ? [n, k] : [k, n]);
      const multiply = jit((x: Matrix, y: Matrix) =>
        np.matmul(transposeA ? x.transpose() : x, transposeB ? y.transpose() : y),
      );
      return [() => values(multiply(left.ref, right.ref))];
    },
    gram: (x, rows, columns) => {
      const tensor = matrix(x, [rows, columns]);
      const multiply = jit((t: Matrix) => np.matmul(t.ref.transpose(), t));
      return [() => values(multiply(tensor.ref))];
    },
    stage: ({ batch, widths: [input, hidden, output], x, y, weights }) => {
      const inputs = matrix(x, [batch, input]);
      const targets = matrix(y, [batch, output]);
      const parameters: ReadonlyArray<Matrix> = [
        matrix(weights[0], [hidden, input]),
        np.zeros([hidden]),
        matrix(weights[1], [output, hidden]),
        np.zeros([output]),
      ];
      const loss = (params: Array<Matrix>, batchInputs: Matrix, batchTargets: Matrix): Matrix => {
        const [w1, b1, w2, b2] = params;
        const activations = nn.relu(np.matmul(batchInputs, w1.transpose()).add(b1));
        const logits = np.matmul(activations, w2.transpose()).add(b2);
        return batchTargets.mul(nn.logSoftmax(logits)).sum().mul(-1 / batch); // prettier-ignore
      };
      const lossAndGradients = jit(valueAndGrad(loss));
      return () => {
        const [value, gradients] = lossAndGradients(
          parameters.map((p) => p.ref),
          inputs.ref,
          targets.ref,
        );
        for (const gradient of gradients) gradient.dataSync();
        return values(value);
      };
    },
  };
};
