/**
 * Modules of which an instance holds whole matrices: a large job gets a memory of its own, small ones share one.
 *
 * The shared memory is scratch space within synchronous calls, so nobody can tell.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

/** What every module here exports. */
export interface WithMemory {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
}

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

const pageBytes = 65_536;

/** Elements up to which a memory is kept for the next job: making one costs more than a small matrix. */
const kept = 1 << 20;

/**
 * Opens units over a module.
 *
 * @param bytes - binary of a module with a memory of one page
 * @param unitOf - a unit on the exports of an instance, whose memory has grown
 * @returns gives a unit with room for some 64-bit floats, which have arbitrary contents; `null` where there is no
 * WebAssembly, or no memory of that size
 */
export const growing = <Exports extends WithMemory, Unit>(
  bytes: () => Uint8Array,
  unitOf: (exports: Exports) => Unit,
): ((length: number) => Unit | null) => {
  let compiled: object | undefined;
  let small: Unit | undefined;
  const open = (length: number): Unit => {
    const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };
    compiled ??= new WebAssembly.Module(bytes());
    const exports = new WebAssembly.Instance(compiled).exports as Exports;
    exports.memory.grow(Math.ceil((8 * length) / pageBytes));
    return unitOf(exports);
  };
  return (length) =>
    pipe(
      E.tryCatch(
        () => (length <= kept ? (small ??= open(kept)) : open(length)),
        () => null,
      ),
      E.toUnion,
    );
};
