/**
 * Does what is asked in a worker.
 *
 * @module
 */
import type { Order } from './orders.ts';
import { perform } from './orders.ts';

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  void perform(data).then((answered) => postMessage(answered));
});
