/**
 * Answers requests in a worker.
 *
 * @module
 */
import type { Request } from './runner.ts';
import { answer } from './runner.ts';

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  void answer(data).then((answered) => postMessage(answered));
});
