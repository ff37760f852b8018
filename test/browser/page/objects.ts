/**
 * Counts what a page holds on its graphics devices, and remembers the devices, so that a test can take them away.
 *
 * Objects are counted where the browser makes and destroys them: what a library believes to hold is another number.
 *
 * @module
 */

type Anything = (...args: ReadonlyArray<unknown>) => unknown;

/** Objects that were made and not destroyed, by what makes them. */
export type Held = Readonly<Record<string, number>>;

/** Something that can be taken away, and the way to do so. */
type Loss = () => void;

/** What was seen so far. */
export interface Watch {
  readonly held: () => Held;
  /** Takes away every context and device that was opened; gives how many there were. */
  readonly lose: () => number;
}

/** The prototype of a class of the browser, where it has one of that name. */
const prototypeOf = (name: string): object | undefined => {
  const found: unknown = Reflect.get(globalThis, name);
  return typeof found === 'function' ? (found.prototype as object) : undefined;
};

/** Tells of every call of a method, with its receiver, its first argument and what it returned. */
const overhear = (
  className: string,
  method: string,
  tell: (result: unknown, receiver: object, argument: unknown) => void,
): void => {
  const prototype = prototypeOf(className);
  if (prototype === undefined) return;
  const original = Reflect.get(prototype, method) as Anything;
  Object.defineProperty(prototype, method, {
    configurable: true,
    value(this: object, ...args: ReadonlyArray<unknown>) {
      const result = Reflect.apply(original, this, args);
      tell(result, this, args[0]);
      return result;
    },
  });
};

const kinds = ['Texture', 'Buffer', 'Framebuffer', 'VertexArray', 'Program', 'Shader'];

/** Ways to lose what opened graphics gave; a context tells by its extension. */
const lossOf = (opened: unknown): ReadonlyArray<Loss> => {
  if (typeof opened !== 'object' || opened === null) return [];
  if ('destroy' in opened) return [() => (opened.destroy as Loss)()];
  if (!('getExtension' in opened)) return [];
  const extension = (opened.getExtension as (name: string) => { readonly loseContext: Loss } | null)(
    'WEBGL_lose_context',
  );
  return extension === null ? [] : [() => extension.loseContext()];
};

/** Begins to watch; whoever has begun goes on for as long as the page lives. */
export const watchObjects = (): Watch => {
  const held = new Map<string, Set<unknown>>();
  const setOf = (kind: string): Set<unknown> => {
    const known = held.get(kind) ?? new Set();
    held.set(kind, known);
    return known;
  };
  const opened = new Set<unknown>();
  kinds.forEach((kind) => {
    overhear('WebGL2RenderingContext', `create${kind}`, (made) => setOf(kind).add(made));
    overhear('WebGL2RenderingContext', `delete${kind}`, (_, __, gone) => setOf(kind).delete(gone));
  });
  overhear('GPUDevice', 'createBuffer', (made) => setOf('GPUBuffer').add(made));
  overhear('GPUBuffer', 'destroy', (_, gone) => setOf('GPUBuffer').delete(gone));
  ['HTMLCanvasElement', 'OffscreenCanvas'].forEach((canvas) => {
    overhear(canvas, 'getContext', (context) => opened.add(context));
  });
  overhear('GPUAdapter', 'requestDevice', (device) => void (device as Promise<unknown>).then((it) => opened.add(it)));
  return {
    held: () => Object.fromEntries(Array.from(held, ([kind, { size }]) => [kind, size])),
    lose: () => {
      const losses = [...opened].flatMap(lossOf);
      losses.forEach((lose) => lose());
      opened.clear();
      return losses.length;
    },
  };
};
