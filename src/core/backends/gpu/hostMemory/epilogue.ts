/**
 * What a kernel does to a finished element before it is stored: add a bias, apply an activation.
 *
 * Done in the kernel because it costs nothing there, where a pass of its own would read and write every element again.
 *
 * @module
 */

/** Activations that a kernel can apply. */
export type Activation = 'identity' | 'relu' | 'tanh' | 'sigmoid';

/** What happens to C = A B before it is stored: `activation(C + bias)`, the bias along rows. */
export interface Epilogue {
  readonly bias: boolean;
  readonly activation: Activation;
}

/** Text of an activation applied to an expression, in the language of kernels. */
export const activationSource = (activation: Activation, expression: string): string => {
  switch (activation) {
    case 'identity':
      return expression;
    case 'relu':
      return `Math.max(${expression}, 0)`;
    case 'tanh':
      return `Math.tanh(${expression})`;
    case 'sigmoid':
      return `1 / (1 + Math.exp(-(${expression})))`;
  }
};

/** An activation in JavaScript, for products that are too small for a kernel. */
export const activationFunction = (activation: Activation): ((x: number) => number) => {
  switch (activation) {
    case 'identity':
      return (x) => x;
    case 'relu':
      return (x) => Math.max(x, 0);
    case 'tanh':
      return Math.tanh;
    case 'sigmoid':
      return (x) => 1 / (1 + Math.exp(-x));
  }
};
