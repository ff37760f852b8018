/**
 * The demo, served with the headers that let a page share memory with its workers. It imports the built package as a
 * user would; `npm run demo` builds that first.
 */
import { defineConfig } from 'vite';

import { assets } from './assets.mjs';

const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Bundling the workers takes most of the time; no need to say so every time. */
const checks = { bundlerTimings: false };

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  plugins: [assets()],
  worker: { format: 'es', rolldownOptions: { checks } },
  server: { headers },
  preview: { headers },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { checks },
  },
});
