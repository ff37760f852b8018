/**
 * Memory on a device: what fills it, and when it is given back.
 *
 * A slot is filled by a command, so that an operation returns before its result is there. A command that fails puts its
 * error into its slot, from where it spreads to all that depends on it, and comes out where something is read. A slot
 * is freed once, when its owner says so; slots that nobody owns are freed when the program has forgotten them.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../../errors.ts';
import { attempt, raise } from '../../../errors.ts';

import type { Device, Eventually, Handle } from './device.ts';
import { isPromise } from './device.ts';
import type { Stream } from './stream.ts';

/** A place for an array on the device. */
export interface Slot {
  readonly bytes: number;
}

/** What arrays take up on a device. */
export interface DeviceUsage {
  readonly arrays: number;
  readonly bytes: number;
}

/** The scope that frees a slot; `null` for none. */
export type Owner = object | null;

/** What a slot holds by now. */
type Content<H> =
  | { readonly is: 'pending' }
  | { readonly is: 'here'; readonly handle: H }
  | { readonly is: 'failed'; readonly error: KfacError };

/** A place for one value. */
interface Cell<A> {
  readonly get: () => A;
  readonly set: (value: A) => void;
}

const cell = <A>(initial: A): Cell<A> => {
  let current = initial;
  return {
    get: () => current,
    set: (value) => {
      current = value;
    },
  };
};

interface Holder<H> {
  readonly content: Cell<Content<H>>;
  readonly owner: Cell<Owner>;
  readonly isReleased: Cell<boolean>;
  readonly bytes: number;
}

/** The slots of a device. */
export interface Slots<H extends Handle> {
  /**
   * A slot that a command will fill.
   *
   * @param bytes - how large it is
   * @param owner - who frees it
   * @param needed - slots that are read
   * @param compute - gets what the needed slots hold, and gives what fills this one
   * @param where - what is computed, for errors
   */
  readonly make: (
    bytes: number,
    owner: Owner,
    needed: ReadonlyArray<Slot>,
    compute: (handles: ReadonlyArray<H>) => Eventually<H>,
    where: string,
  ) => Slot;
  readonly ownerOf: (slot: Slot) => Owner;
  readonly give: (slot: Slot, owner: Owner) => void;
  readonly free: (slot: Slot) => void;
  /** The numbers in a slot; settles even when the device is lost. */
  readonly read: (slot: Slot) => Promise<E.Either<KfacError, Float32Array>>;
  readonly usage: () => DeviceUsage;
  /** Stops listening to the device. */
  readonly dispose: () => void;
}

const problem = (where: string, reason: string, advice: string): KfacError => ({
  _tag: 'DeviceFailed',
  where,
  reason,
  advice,
});

/** The first lines of what gpu.js threw; a whole shader may follow. */
const messageOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown))
    .split('\n')
    .slice(0, 3)
    .map((line) => line.trim())
    .join(' ')
    .replace(/\.+$/, '');

const released = problem('gpu', 'an array was used after it had been given back', 'Keep it when closing its scope.');

/**
 * The slots of a device, all empty.
 *
 * @param device - whose memory
 * @param stream - its commands
 */
export const createSlots = <H extends Handle>(device: Device<H>, stream: Stream): Slots<H> => {
  const holders = new WeakMap<Slot, Holder<H>>();
  const waiting = new Set<(error: KfacError) => void>();
  let broken: KfacError | undefined;
  let arrays = 0;
  let bytes = 0;

  const failed = (what: string, thrown: unknown): KfacError =>
    broken ??
    device.loss() ??
    problem(
      `gpu (${device.mode}), ${what}`,
      messageOf(thrown),
      'Use a smaller batch if memory ran out, or another mode or backend.',
    );

  const stopListening = device.onFailure((error) => {
    broken ??= error;
    waiting.forEach((settle) => settle(error));
  });

  const holderOf = (slot: Slot): Holder<H> =>
    holders.get(slot) ??
    raise(problem('gpu', 'an array of another backend came up', 'Bring it over with read and constant.'));

  const release = (holder: Holder<H>): void => {
    if (holder.isReleased.get()) return;
    holder.isReleased.set(true);
    holder.owner.set(null);
    arrays -= 1;
    bytes -= holder.bytes;
    stream.push(() => {
      const content = holder.content.get();
      if (content.is === 'here') content.handle.free();
      holder.content.set({ is: 'failed', error: released });
    });
  };

  const forgotten = new FinalizationRegistry(release);

  const give = (slot: Slot, owner: Owner): void => {
    const holder = holderOf(slot);
    holder.owner.set(owner);
    if (owner === null) forgotten.register(slot, holder, holder);
  };

  /** Runs a computation on the handles of some holders. Left: why not. */
  const withHandles = <A>(
    needed: ReadonlyArray<Holder<H>>,
    where: string,
    compute: (handles: ReadonlyArray<H>) => A,
  ): E.Either<KfacError, A> => {
    if (broken !== undefined) return E.left(broken);
    const handles: Array<H> = [];
    for (const holder of needed) {
      const content = holder.content.get();
      if (content.is === 'failed') return E.left(content.error);
      if (content.is === 'here') handles.push(content.handle);
    }
    const computed = E.tryCatch(
      () => attempt(() => compute(handles)),
      (thrown) => failed(where, thrown),
    );
    return E.flatten(computed);
  };

  const settleWith = (holder: Holder<H>, outcome: E.Either<KfacError, H>): void => {
    holder.content.set(
      E.isLeft(outcome) ? { is: 'failed', error: outcome.left } : { is: 'here', handle: outcome.right },
    );
  };

  return {
    make: (size, owner, needed, compute, where) => {
      const slot: Slot = { bytes: size };
      const content = cell<Content<H>>({ is: 'pending' });
      const holder: Holder<H> = { content, owner: cell<Owner>(null), isReleased: cell(false), bytes: size };
      holders.set(slot, holder);
      give(slot, owner);
      arrays += 1;
      bytes += size;
      const operands = needed.map(holderOf);
      stream.push(() => {
        const started = withHandles(operands, where, compute);
        if (E.isLeft(started)) {
          settleWith(holder, started);
          return undefined;
        }
        const filling = started.right;
        if (!isPromise(filling)) {
          settleWith(holder, E.right(filling));
          return undefined;
        }
        return filling.then(
          (handle) => settleWith(holder, E.right(handle)),
          (thrown: unknown) => settleWith(holder, E.left(failed(where, thrown))),
        );
      });
      return slot;
    },
    ownerOf: (slot) => holderOf(slot).owner.get(),
    give,
    free: (slot) => {
      const holder = holderOf(slot);
      forgotten.unregister(holder);
      release(holder);
    },
    read: (slot) =>
      new Promise((resolve) => {
        const holder = holderOf(slot);
        const settle = (outcome: E.Either<KfacError, Float32Array>): void => {
          waiting.delete(fail);
          resolve(broken === undefined ? outcome : E.left(broken));
        };
        const fail = (error: KfacError): void => settle(E.left(error));
        waiting.add(fail);
        if (broken !== undefined) fail(broken);
        // The command is over when reading has begun: what comes after need not wait for it.
        stream.push(() => {
          const started = withHandles([holder], 'read', ([handle]) => handle.read());
          if (E.isLeft(started)) {
            settle(started);
            return;
          }
          const reading = started.right;
          if (isPromise(reading)) {
            void reading.then(
              (values) => settle(E.right(values)),
              (thrown: unknown) => fail(failed('read', thrown)),
            );
          } else {
            settle(E.right(reading));
          }
        });
      }),
    usage: () => ({ arrays, bytes }),
    dispose: stopListening,
  };
};
