/**
 * What a worker of a crew runs, and the words of shared memory through which it is told what to do.
 *
 * The text refers to nothing outside itself, because it is evaluated on its own. A worker learns of kernels by message,
 * once each, and of jobs from shared memory: a message for every product would cost as much as a small product. After a
 * job it stays on watch for a moment, then goes back to its event loop, from where only a message fetches it.
 *
 * @module
 */

/** Positions in the control words. Those from `asleep` on belong to one worker each. */
export const word = {
  /** The job that is open for claims; 0 when none is. */
  job: 0,
  /** Counts jobs; watching workers wait for it to change. */
  bell: 1,
  /** The next chunk to be claimed. */
  next: 2,
  /** Workers that may hold a chunk. */
  busy: 3,
  /** 1 after a kernel trapped in a worker. */
  failed: 4,
  /** Number of the kernel of the job. */
  kernel: 5,
  /** Elements of the job, and of each chunk. */
  cells: 6,
  chunk: 7,
  /** 1 while a worker is in its event loop. */
  asleep: 8,
} as const;

/** How long a worker watches for the next job before it returns to its event loop, in milliseconds. */
const watch = 20;

/** What a worker is sent first. */
export interface Greeting {
  readonly control: Int32Array;
  readonly memory: object;
  /** Number of the worker, from 0. */
  readonly member: number;
}

/** A kernel, sent once. */
export interface Introduction {
  readonly kernel: number;
  readonly module: object;
  /** The memory that it works on; that of the crew unless given. */
  readonly memory?: object;
  /** Functions of `Math` that the module imports. */
  readonly functions: ReadonlyArray<string>;
  /** The functions of a module that has many, and where it is said which of them is called; it has one unless given. */
  readonly calls?: Calls;
}

/** Calls of the functions of a module. */
export interface Calls {
  readonly names: ReadonlyArray<string>;
  /**
   * Describes the call of a job: the number of the function, that of its arguments, and three numbers for each argument, which
   * is `base + start * ofStart + (end - start) * ofCount` for elements `start <= i < end`.
   */
  readonly words: Float64Array;
}

/** Words that describe a call with so many arguments. */
export const wordsOfCall = (args: number): number => 2 + 3 * args;

/** Everything that a worker is sent. */
export type CrewMessage =
  | ({ readonly type: 'greeting' } & Greeting)
  | ({ readonly type: 'introduction' } & Introduction)
  | { readonly type: 'dismissal'; readonly kernel: number }
  | { readonly type: 'wake' };

/** The source text of a worker. */
export const workerText = `
'use strict';
const kernels = new Map();
let control, memory, member, last = 0;
const callsOf = (exports, { names, words }) => {
  const functions = names.map((name) => exports[name]);
  return (start, end) => {
    const args = [];
    for (let i = 0, at = 2; i < words[1]; i += 1, at += 3) {
      // Not 0 times something for a number that is the same for all, which may be -0.
      const isFixed = words[at + 1] === 0 && words[at + 2] === 0;
      args.push(isFixed ? words[at] : words[at] + start * words[at + 1] + (end - start) * words[at + 2]);
    }
    functions[words[0]](...args);
  };
};
const work = (job) => {
  let known = true;
  Atomics.add(control, ${word.busy}, 1);
  try {
    // Claims are only made between this check and leaving, and no job ends while somebody is in between.
    if (Atomics.load(control, ${word.job}) === job) {
      const kernel = kernels.get(control[${word.kernel}]);
      const cells = control[${word.cells}], chunk = control[${word.chunk}];
      known = kernel !== undefined;
      while (known) {
        const start = Atomics.add(control, ${word.next}, 1) * chunk;
        if (start >= cells) break;
        kernel(start, Math.min(start + chunk, cells), 0);
      }
    }
  } catch (_) {
    Atomics.store(control, ${word.failed}, 1);
  } finally {
    if (Atomics.sub(control, ${word.busy}, 1) === 1) Atomics.notify(control, ${word.busy});
  }
  return known;
};
const attend = () => {
  Atomics.store(control, ${word.asleep} + member, 0);
  for (;;) {
    const bell = Atomics.load(control, ${word.bell});
    const job = Atomics.load(control, ${word.job});
    if (job !== 0 && job !== last) {
      // The introduction of a kernel that is not known is waiting in the event loop.
      if (!work(job)) break;
      last = job;
    } else if (Atomics.wait(control, ${word.bell}, bell, ${watch}) === 'timed-out') {
      Atomics.store(control, ${word.asleep} + member, 1);
      if (Atomics.load(control, ${word.bell}) === bell) return;
      Atomics.store(control, ${word.asleep} + member, 0); // the bell rang in between
    }
  }
  Atomics.store(control, ${word.asleep} + member, 1);
};
const receive = (message) => {
  if (message.type === 'greeting') {
    ({ control, memory, member } = message);
  } else if (message.type === 'introduction') {
    const env = { memory: message.memory ?? memory };
    for (const name of message.functions) env['math_' + name] = Math[name];
    const { exports } = new WebAssembly.Instance(message.module, { env });
    kernels.set(message.kernel, message.calls === undefined ? exports.run_simd : callsOf(exports, message.calls));
  } else if (message.type === 'dismissal') {
    kernels.delete(message.kernel);
    return;
  }
  attend();
};
if (typeof self === 'undefined') require('worker_threads').parentPort.on('message', receive);
else self.onmessage = (event) => receive(event.data);
`;
