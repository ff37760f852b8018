/**
 * Better code from gpu.js's WebAssembly compiler for what products read: one instruction for four threads.
 *
 * The compiler runs four threads along x at once, but reads every element with instructions of its own: `b[p + x]` for
 * four values of x is clamped, taken apart and put together again in some twenty. Here two forms are compiled anew,
 * wherever no branch depends on x: `b[p + this.thread.x]`, with p equal for all four, becomes one vector load; and
 * `a[p]`, with p a local that is equal for all four, becomes one load of a number into all lanes. The kernels remain
 * what they are, correct on every backend; products become three times as fast. See docs/decisions.
 *
 * This replaces methods of gpu.js that are private. When one of them is missing, kernels are compiled as gpu.js does.
 *
 * @module
 */

/** A node of a kernel's syntax tree, as far as it is looked at. */
interface Syntax {
  readonly type: string;
  readonly operator?: string;
  readonly left?: Syntax;
  readonly right?: Syntax;
  readonly object?: Syntax;
  readonly property?: Syntax;
  readonly name?: string;
  readonly value?: number;
}

/** The bytes of a function so far. */
interface Bytes {
  readonly length: number;
  readonly splice: (start: number, count?: number, ...bytes: ReadonlyArray<number>) => void;
}

/** What writes a function's instructions. */
interface Emitter {
  readonly bytes: Bytes;
  readonly localGet: (index: number) => Emitter;
  readonly globalGet: (index: number) => Emitter;
  readonly i32Const: (value: number) => Emitter;
  readonly i32Add: () => Emitter;
  readonly i32Shl: () => Emitter;
  readonly f32Load: (offset: number) => Emitter;
  readonly v128Load: (offset: number, alignment: number) => Emitter;
}

type Layouts = Readonly<Record<string, { readonly offset: number } | undefined>>;

/** What a function is compiled into. */
interface Assembler {
  readonly layout: Readonly<Record<'arrays' | 'constantArrays', Layouts>>;
  readonly globals: { readonly threadX: number };
}

/** Index expressions along x, y and z. */
type Index = readonly [Syntax, Syntax | undefined, Syntax | undefined];

type Read = (table: 'arrays' | 'constantArrays', name: string, ...rest: [...Index, Syntax]) => string;

/** The compiler of one function. */
interface FunctionCompiler {
  readonly em: Emitter;
  /** Threads along each axis. */
  readonly output: ReadonlyArray<number>;
  readonly assembler?: Assembler;
  /** Whether the code for four threads at once is being written. */
  readonly vec: boolean;
  /** Branches that depend on x around the current statement. */
  readonly vMaskDepth: number;
  readonly vInfo: { readonly exprVarying: (expression: Syntax) => boolean };
  readonly locals: ReadonlyMap<string, { readonly kind: string; readonly index: number; readonly wtype: string }>;
  readonly emitIndex: (index: Syntax) => void;
  /** Reads an element that is the same for all four threads. */
  readonly emitFlatLoad: Read;
  /** Reads an element for each of the four threads. */
  readonly vGather: Read;
  readonly vCoerce: (from: string, to: string) => string;
}

/** A kernel of gpu.js, before it is compiled. */
export interface CompilableKernel {
  readonly _assembleModule?: (...args: ReadonlyArray<unknown>) => unknown;
  readonly functionBuilder?: { readonly functionMap?: { readonly kernel?: FunctionCompiler } };
}

const methods = ['emitIndex', 'emitFlatLoad', 'vGather', 'vCoerce'] as const;

const isThreadX = ({ type, object, property }: Syntax): boolean =>
  type === 'MemberExpression' &&
  property?.name === 'x' &&
  object?.property?.name === 'thread' &&
  object.object?.type === 'ThisExpression';

/** An index as a sum of something and a whole number that is not negative. */
const split = (index: Syntax): { readonly base: Syntax; readonly distance: number } => {
  const { type, operator, left, right } = index;
  const literal =
    type === 'BinaryExpression' && operator === '+' && right?.type === 'Literal' ? right.value : undefined;
  return left !== undefined && literal !== undefined && Number.isInteger(literal) && literal >= 0
    ? { base: left, distance: literal }
    : { base: index, distance: 0 };
};

/** What remains of an index when `this.thread.x` is taken from it: `null` for an index that has another form. */
const besidesThreadX = ({ type, operator, left, right }: Syntax): Syntax | null => {
  if (type !== 'BinaryExpression' || operator !== '+' || left === undefined || right === undefined) return null;
  if (isThreadX(right)) return left;
  return isThreadX(left) ? right : null;
};

/** Second byte of `v128.load32_splat`; that of `v128.load` is 0. */
const load32Splat = 0x09;

/** Replaces methods of a compiler by ones that read neighbours together. */
const teach = (node: FunctionCompiler): void => {
  const emitFlatLoad = node.emitFlatLoad.bind(node);
  const vGather = node.vGather.bind(node);
  const vCoerce = node.vCoerce.bind(node);
  /** The last read of a number, which may turn out to be wanted four times over. */
  let last: { readonly start: number; readonly end: number; readonly pointer: number; readonly offset: number } | null =
    null;

  const plain = (index: Index): boolean =>
    node.vec && node.vMaskDepth === 0 && index[1] === undefined && index[2] === undefined;

  Object.assign(node, {
    emitFlatLoad: (...args: Parameters<Read>): string => {
      const [table, name, ...index] = args;
      const layout = node.assembler?.layout[table][name];
      const { base, distance } = split(index[0]);
      const local = base.name === undefined ? undefined : node.locals.get(base.name);
      const isPointer = base.type === 'Identifier' && local?.kind === 'scalar' && local.wtype === 'i32';
      if (layout === undefined || !isPointer || !plain([index[0], index[1], index[2]])) return emitFlatLoad(...args);
      const { em } = node;
      const start = em.bytes.length;
      const offset = layout.offset + 4 * distance;
      em.localGet(local.index).i32Const(2).i32Shl().f32Load(offset);
      last = { start, end: em.bytes.length, pointer: local.index, offset };
      return 'f32';
    },
    vCoerce: (from: string, to: string): string => {
      const { em } = node;
      if (!node.vec || from !== 'f32' || to !== 'vf32' || last?.end !== em.bytes.length) return vCoerce(from, to);
      em.bytes.splice(last.start);
      em.localGet(last.pointer).i32Const(2).i32Shl();
      const at = em.bytes.length + 1;
      em.v128Load(last.offset, 2);
      em.bytes.splice(at, 1, load32Splat);
      last = null;
      return to;
    },
    vGather: (...args: Parameters<Read>): string => {
      const [table, name, ...index] = args;
      const layout = node.assembler?.layout[table][name];
      const rest = besidesThreadX(index[0]);
      if (node.assembler === undefined || layout === undefined || rest === null) return vGather(...args);
      if (!plain([index[0], index[1], index[2]]) || node.vInfo.exprVarying(rest)) return vGather(...args);
      const { base, distance } = split(rest);
      node.emitIndex(base);
      if (node.output[0] > 4) node.em.globalGet(node.assembler.globals.threadX).i32Add();
      node.em
        .i32Const(2)
        .i32Shl()
        .v128Load(layout.offset + 4 * distance, 2);
      return 'vf32';
    },
  });
};

/**
 * Has a kernel compiled so that it reads neighbours together.
 *
 * @param kernel - a kernel that has not run yet
 * @returns tells, after the kernel's first call, whether that worked
 */
export const readNeighboursTogether = (kernel: CompilableKernel): (() => boolean) => {
  let taught = false;
  const assemble = kernel._assembleModule?.bind(kernel);
  if (assemble === undefined) return () => false;
  Object.assign(kernel, {
    _assembleModule: (...args: ReadonlyArray<unknown>): unknown => {
      const node = kernel.functionBuilder?.functionMap?.kernel;
      if (!taught && node !== undefined && methods.every((name) => typeof node[name] === 'function')) {
        teach(node);
        taught = true;
      }
      return assemble(...args);
    },
  });
  return () => taught;
};
