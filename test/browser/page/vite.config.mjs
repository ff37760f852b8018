/** Builds the page that the browser tests drive. */
import { defineConfig } from 'vite';

/** Bundling the worker takes most of the time; no need to say so every time. */
const checks = { bundlerTimings: false };

export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  worker: { format: 'es', rolldownOptions: { checks } },
  build: {
    target: 'es2023',
    minify: false,
    chunkSizeWarningLimit: 4000,
    emptyOutDir: true,
    rolldownOptions: { checks },
  },
});
