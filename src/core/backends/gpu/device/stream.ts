/**
 * A device is a sequence of commands.
 *
 * Commands run in the order in which they were given, each when the one before has been handed to the device. What a
 * command reads has therefore been made, and memory that a later command gives back is not needed by an earlier one, in
 * modes that answer at once as in those that answer later.
 *
 * @module
 */
import type { Eventually } from './device.ts';
import { isPromise } from './device.ts';

/** Does something on a device; settles when the next may follow. It must not throw or reject. */
export type Command = () => Eventually<void>;

/** A sequence of commands. */
export interface Stream {
  /** Adds a command; it runs before this returns where nothing is waited for. */
  readonly push: (command: Command) => void;
}

/** Commands that have run are dropped when there are so many of them. */
const trimmedAt = 1024;

/** An empty sequence. */
export const createStream = (): Stream => {
  let commands: Array<Command> = [];
  let next = 0;
  let isRunning = false;

  const run = (): void => {
    isRunning = true;
    while (next < commands.length) {
      const command = commands[next];
      next += 1;
      if (next === trimmedAt) {
        commands = commands.slice(next);
        next = 0;
      }
      const outcome = command();
      if (isPromise(outcome)) {
        void outcome.then(run);
        return;
      }
    }
    commands = [];
    next = 0;
    isRunning = false;
  };

  return {
    push: (command) => {
      commands.push(command);
      if (!isRunning) run();
    },
  };
};
