/**
 * Takes orders from whoever drives the page.
 *
 * @module
 */
import type { Order } from './orders.ts';
import { perform } from './orders.ts';

const inWorker = (order: Order): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(order);
  });

Object.assign(globalThis, { runHere: perform, runInWorker: inWorker });
document.title = 'ready';
