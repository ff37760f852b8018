/**
 * What the demo learns from: served, or written into the built site.
 */
import { digitFiles } from './digits.mjs';
import { textFiles } from './text.mjs';

const allFiles = () => ({ ...digitFiles(), ...textFiles() });

/** A vite plugin that brings the data. */
export const assets = () => ({
  name: 'assets',
  configureServer: ({ middlewares }) => {
    const files = allFiles();
    middlewares.use((request, response, next) => {
      const file = files[(request.url ?? '').replace(/^\//, '').replace(/\?.*$/, '')];
      if (file === undefined) return next();
      response.setHeader('Content-Type', 'application/octet-stream');
      response.setHeader('Content-Length', file.length);
      response.end(request.method === 'HEAD' ? undefined : file);
      return undefined;
    });
  },
  generateBundle() {
    for (const [fileName, source] of Object.entries(allFiles())) {
      this.emitFile({ type: 'asset', fileName, source });
    }
  },
});
