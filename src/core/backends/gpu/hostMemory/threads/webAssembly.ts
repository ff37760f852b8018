/**
 * The part of the JavaScript interface of WebAssembly that the engine uses.
 *
 * @module
 */

/** Memory of a module; `grow` adds pages, after which `buffer` is another object. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly grow: (pages: number) => number;
}

/** `WebAssembly`, as far as it is used here. */
export interface WebAssemblyInterface {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: boolean;
  }) => Memory;
  readonly Instance: new (
    module: object,
    imports: { readonly env: Readonly<Record<string, unknown>> },
  ) => { readonly exports: object };
}

/** Bytes of a page of memory. */
export const pageBytes = 65_536;

/** Most pages of a memory that modules of gpu.js take: 256 MB. */
export const mostPages = 4096;

/** `WebAssembly` of this engine; gpu.js has no WebAssembly mode where there is none. */
export const webAssembly = (): WebAssemblyInterface =>
  (globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface }).WebAssembly;
