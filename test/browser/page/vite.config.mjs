/** Builds the page that the browser tests drive. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  worker: { format: 'es' },
  build: { target: 'es2023', minify: false, chunkSizeWarningLimit: 4000, emptyOutDir: true },
});
