/**
 * Offers the runner to whoever drives the page.
 *
 * @module
 */
import type { Request } from './runner.ts';
import { answer } from './runner.ts';

const inWorker = (request: Request): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(request);
  });

Object.assign(globalThis, { runHere: answer, runInWorker: inWorker });
document.title = 'ready';
