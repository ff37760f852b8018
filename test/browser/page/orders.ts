/**
 * What a test may ask of a page, which does it itself or has it done by a worker.
 *
 * @module
 */
import { watchObjects } from './objects.ts';
import type { Request } from './runner.ts';
import { answer } from './runner.ts';
import type { GraphicsMode } from './training.ts';
import { holdings, losing } from './training.ts';

/** Something to do. */
export type Order =
  /** Run the suite of all backends, see `runner.ts`. */
  | { readonly do: 'conform'; readonly request: Request }
  /** Train, and count what is held after some steps, see `training.ts`. */
  | { readonly do: 'hold'; readonly mode: GraphicsMode; readonly steps: ReadonlyArray<number> }
  /** Lose the device, see `training.ts`. */
  | { readonly do: 'lose'; readonly mode: GraphicsMode };

/** Does it. */
export const perform = (order: Order): Promise<unknown> => {
  switch (order.do) {
    case 'conform':
      return answer(order.request);
    case 'hold':
      return holdings(watchObjects(), order.mode, order.steps);
    case 'lose':
      return losing(watchObjects(), order.mode);
  }
};
