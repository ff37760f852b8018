/** Builds the page that measures products, with the binaries of TensorFlow.js beside it. */
import { resolve } from 'node:path';

import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  publicDir: resolve('node_modules/@tensorflow/tfjs-backend-wasm/dist'),
  build: { target: 'es2023', minify: false, chunkSizeWarningLimit: 10_000, emptyOutDir: true },
});
