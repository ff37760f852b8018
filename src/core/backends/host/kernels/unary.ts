/**
 * Plain loops for functions of one argument, and for their derivatives times a cotangent.
 *
 * @module
 */
import { erf } from './erf.ts';
import type { Kernels } from './kernels.ts';
import { normalCdf } from './normalCdf.ts';

/** Loops over elements of either float type. */
export const unaryKernels: Kernels['unary'] = {
  neg: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = -x[i];
  },
  exp: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.exp(x[i]);
  },
  log: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.log(x[i]);
  },
  sqrt: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.sqrt(x[i]);
  },
  square: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = x[i] * x[i];
  },
  abs: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.abs(x[i]);
  },
  sign: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.sign(x[i]);
  },
  step: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = x[i] > 0 ? 1 : 0;
  },
  tanh: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.tanh(x[i]);
  },
  // 1 / (1 + e⁻ˣ), from the exponential of −|x|, which cannot overflow.
  sigmoid: (x, out) => {
    for (let i = 0; i < out.length; i += 1) {
      const e = Math.exp(-Math.abs(x[i]));
      out[i] = (x[i] >= 0 ? 1 : e) / (1 + e);
    }
  },
  // log(1 + eˣ) = max(x, 0) + log(1 + e^(−|x|)).
  softplus: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.max(x[i], 0) + Math.log1p(Math.exp(-Math.abs(x[i])));
  },
  relu: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.max(x[i], 0);
  },
  erf: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = erf(x[i]);
  },
  normalCdf: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = normalCdf(x[i]);
  },
  // Below −39 the distribution is 0, and 0 times infinity is no number.
  gelu: (x, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.max(x[i], -40) * normalCdf(x[i]);
  },
};

/** Loops over elements of either float type. */
export const vjpKernels: Kernels['vjp'] = {
  exp: (_, y, cotangent, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = cotangent[i] * y[i];
  },
  square: (x, _, cotangent, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = 2 * x[i] * cotangent[i];
  },
  tanh: (_, y, cotangent, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = cotangent[i] * ((1 - y[i]) * (1 + y[i]));
  },
  sigmoid: (_, y, cotangent, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = cotangent[i] * (y[i] * (1 - y[i]));
  },
  relu: (x, _, cotangent, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = cotangent[i] * (x[i] > 0 ? 1 : 0);
  },
  softplus: (x, _, cotangent, out) => {
    for (let i = 0; i < out.length; i += 1) {
      const e = Math.exp(-Math.abs(x[i]));
      out[i] = (cotangent[i] * (x[i] >= 0 ? 1 : e)) / (1 + e);
    }
  },
  normalCdf: (x, _, cotangent, out) => {
    const scale = 1 / Math.sqrt(2 * Math.PI);
    for (let i = 0; i < out.length; i += 1) out[i] = cotangent[i] * scale * Math.exp(-0.5 * x[i] * x[i]);
  },
  // Φ(x) + x φ(x).
  gelu: (x, _, cotangent, out) => {
    const scale = 1 / Math.sqrt(2 * Math.PI);
    for (let i = 0; i < out.length; i += 1) {
      const c = Math.min(Math.max(x[i], -40), 40);
      out[i] = cotangent[i] * (normalCdf(c) + c * scale * Math.exp(-0.5 * c * c));
    }
  },
};
