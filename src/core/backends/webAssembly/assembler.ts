/**
 * Writes WebAssembly modules: enough of the binary format for loops over vectors of four floats.
 *
 * WebAssembly is a stack machine, so code composes by concatenation: an expression is the code of its operands followed
 * by an instruction. Written out at run time because the whole module is smaller than a compiler for it would be, and a
 * binary in the repository could not be read.
 *
 * @module
 */

/**
 * Bytes of instructions, and code among them: what is part of a large function is not copied for every function around it.
 * An expression leaves one value on the stack, a statement none.
 */
export type Code = ReadonlyArray<number | Code>;

/** Types of WebAssembly values. */
export const valueType = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** A type of WebAssembly values. */
export type ValueType = (typeof valueType)[keyof typeof valueType];

/** A function to be exported under its name. */
export interface FunctionCode {
  readonly name: string;
  readonly parameters: ReadonlyArray<ValueType>;
  readonly results: ReadonlyArray<ValueType>;
  /** Types of the locals after the parameters; they start at 0. */
  readonly locals: ReadonlyArray<ValueType>;
  readonly body: Code;
}

/** Appends the bytes of code. */
const append = (code: Code, bytes: Array<number>): void => {
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part);
    else append(part, bytes);
  }
};

const unsigned = (value: number): Code =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 128))];

const signed = (value: number): Code =>
  value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];

const bytesOf = (values: Float32Array | Float64Array | Int32Array): Code =>
  Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

const sized = (content: Code): Code => {
  const bytes: Array<number> = [];
  append(content, bytes);
  return [...unsigned(bytes.length), bytes];
};

const list = (items: ReadonlyArray<Code>): Code => [...unsigned(items.length), ...items];

const text = (value: string): Code => sized(Array.from(value, (character) => character.charCodeAt(0)));

/** A vector instruction after its operands. */
const vector =
  (opcode: number) =>
  (...operands: ReadonlyArray<Code>): Code => [...operands, 0xfd, ...unsigned(opcode)];

/** A scalar instruction after its operands. */
const scalar =
  (opcode: number) =>
  (...operands: ReadonlyArray<Code>): Code => [...operands, opcode];

/** Instructions, named as in the specification of WebAssembly. */
export const v128 = {
  bitselect: vector(0x52),
  and: vector(0x4e),
  andnot: vector(0x4f),
  or: vector(0x50),
  xor: vector(0x51),
  load: (address: Code, offset: number): Code => [address, 0xfd, 0x00, 4, ...unsigned(offset)],
  store: (address: Code, offset: number, value: Code): Code => [address, value, 0xfd, 0x0b, 4, ...unsigned(offset)],
  /** Four copies of a number in memory. */
  loadSplat: (address: Code, offset: number): Code => [address, 0xfd, 0x09, 2, ...unsigned(offset)],
  /** Stores one of the four floats of a vector. */
  storeLane: (address: Code, offset: number, value: Code, lane: number): Code => [
    address,
    value,
    ...[0xfd, 0x5a, 2],
    ...unsigned(offset),
    lane,
  ],
  /** Stores the lower or the upper two of the four floats of a vector. */
  storePair: (address: Code, offset: number, value: Code, pair: 0 | 1): Code => [
    address,
    value,
    ...[0xfd, 0x5b, 3],
    ...unsigned(offset),
    pair,
  ],
  /** The upper half of a vector, moved to the lower one. */
  upperHalf: (x: Code): Code => [
    x,
    x,
    ...[0xfd, 0x0d],
    ...[8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15],
  ],
};

/** Sixteen bytes of two vectors. */
const shuffle = (a: Code, b: Code, bytes: ReadonlyArray<number>): Code => [a, b, 0xfd, 0x0d, ...bytes];

const eightFrom = (first: number): ReadonlyArray<number> => [0, 1, 2, 3, 4, 5, 6, 7].map((byte) => first + byte);

/** Four floats of two vectors, by their numbers from 0 to 7. */
export const shuffleFloats = (a: Code, b: Code, lanes: ReadonlyArray<number>): Code =>
  shuffle(
    a,
    b,
    lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
  );

export const f32x4 = {
  constant: (value: number): Code => [0xfd, 0x0c, ...bytesOf(new Float32Array(4).fill(value))],
  splat: vector(0x13),
  fromI32x4: vector(0xfa),
  equal: vector(0x41),
  /** Whether two are not equal, as NaN is to itself. */
  differ: vector(0x42),
  lessThan: vector(0x43),
  greaterThan: vector(0x44),
  nearest: vector(0x6a),
  abs: vector(0xe0),
  neg: vector(0xe1),
  sqrt: vector(0xe3),
  add: vector(0xe4),
  sub: vector(0xe5),
  mul: vector(0xe6),
  div: vector(0xe7),
  min: vector(0xe8),
  max: vector(0xe9),
  /** a b + c, rounded once or twice, as the engine finds best; not every engine has it. */
  multiplyAdd: vector(0x105),
  /** b where it is less than a, else a, which is one instruction of most machines; NaN of a passes. */
  lesser: vector(0xea),
  /** b where a is less, else a; NaN of a passes. */
  greater: vector(0xeb),
};

export const i32x4 = {
  constant: (value: number): Code => [0xfd, 0x0c, ...bytesOf(new Int32Array(4).fill(value))],
  /** Rounds towards 0; NaN becomes 0. */
  fromF32x4: vector(0xf8),
  add: vector(0xae),
  sub: vector(0xb1),
  shiftLeft: vector(0xab),
  shiftRight: vector(0xac),
};

export const f64x2 = {
  splat: vector(0x14),
  /** The lower two floats of four, in 64 bits. */
  fromLower: vector(0x5f),
  /** The lower two integers of four. */
  fromLowerIntegers: vector(0xfe),
  /** Two floats of 32 bits, and two zeros. */
  toFloats: vector(0x5e),
  add: vector(0xf0),
  sub: vector(0xf1),
  mul: vector(0xf2),
  /** Two copies of a number in memory. */
  loadSplat: (address: Code, offset: number): Code => [address, 0xfd, 0x0a, 3, ...unsigned(offset)],
  lane: (x: Code, index: 0 | 1): Code => [x, 0xfd, 0x21, index],
};

/** The sum of the lanes of a, and that of the lanes of b. */
export const laneSums = (a: Code, b: Code): Code =>
  f64x2.add(shuffle(a, b, [...eightFrom(0), ...eightFrom(16)]), shuffle(a, b, [...eightFrom(8), ...eightFrom(24)]));

export const f32 = {
  constant: (value: number): Code => [0x43, ...bytesOf(Float32Array.of(value))],
  load: (address: Code, offset: number): Code => [address, 0x2a, 2, ...unsigned(offset)],
  store: (address: Code, offset: number, value: Code): Code => [address, value, 0x38, 2, ...unsigned(offset)],
  sub: scalar(0x93),
  fromF64: scalar(0xb6),
};

export const f64 = {
  constant: (value: number): Code => [0x44, ...bytesOf(Float64Array.of(value))],
  store: (address: Code, offset: number, value: Code): Code => [address, value, 0x39, 3, ...unsigned(offset)],
  add: scalar(0xa0),
  sub: scalar(0xa1),
  mul: scalar(0xa2),
  div: scalar(0xa3),
  sqrt: scalar(0x9f),
  max: scalar(0xa5),
  fromF32: scalar(0xbb),
};

/** Integers; comparisons take them without a sign, as addresses are. */
export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  load: (address: Code, offset: number): Code => [address, 0x28, 2, ...unsigned(offset)],
  add: scalar(0x6a),
  sub: scalar(0x6b),
  mul: scalar(0x6c),
  /** Quotient and rest of numbers without a sign. */
  div: scalar(0x6e),
  rest: scalar(0x70),
  and: scalar(0x71),
  equal: scalar(0x46),
  shiftLeft: scalar(0x74),
  lessThan: scalar(0x49),
  atMost: scalar(0x4d),
};

/** A local or parameter, by its number. */
export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number, value: Code): Code => [value, 0x21, ...unsigned(index)],
};

/** Runs a body again as long as the condition after it holds. */
export const repeatWhile = (body: Code, condition: Code): Code => [
  ...[0x03, 0x40],
  body,
  condition,
  ...[0x0d, 0x00],
  0x0b,
];

/** Runs a body, which may be left before its end. */
export const enclosed = (body: Code): Code => [0x02, 0x40, body, 0x0b];

/** Leaves what encloses a loop, from the body of that loop, if a condition holds. */
export const leaveIf = (condition: Code): Code => [condition, 0x0d, 0x01];

/** Runs a statement if a condition holds, and another one if not. */
export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  condition,
  ...[0x04, 0x40],
  then,
  ...(otherwise.length > 0 ? [0x05, otherwise] : []),
  0x0b,
];

/** Runs a body as long as the condition before it holds. */
export const loopWhile = (condition: Code, body: Code): Code => when(condition, repeatWhile(body, condition));

const section = (id: number, items: ReadonlyArray<Code>): Code => [id, ...sized(list(items))];

/** Kinds of exports. */
const exported = { function: 0, memory: 2 } as const;

/** Where the memory of a module is from: its own of some pages (of 64 KiB), or `env.memory`, shared or not. */
export type MemoryOrigin = number | { readonly shared: boolean };

/** Most pages of a memory: 4 GiB. */
export const addressablePages = 65_536;

/**
 * A module that exports functions, and a memory of its own as `memory`.
 *
 * @param origin - size of its memory in pages, or what kind of memory it is given
 * @param functions - what it exports
 * @returns the binary
 */
export const assemble = (origin: MemoryOrigin, functions: ReadonlyArray<FunctionCode>): Uint8Array => {
  const isOwn = typeof origin === 'number';
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const types = functions.map(({ parameters, results }) => [
    0x60,
    ...list(parameters.map((type) => [type])),
    ...list(results.map((type) => [type])),
  ]);
  const names = functions.map(({ name }, index) => [...text(name), exported.function, ...unsigned(index)]);
  const bodies = functions.map(({ locals, body }) => sized([...list(locals.map((type) => [1, type])), body, 0x0b]));
  // A memory that is shared says how large it may become, and goes to no module that allows for less.
  const given = (shared: boolean): Code => [...(shared ? [3, 1, ...unsigned(addressablePages)] : [0, 1])];
  const bytes: Array<number> = [];
  const sections = [
    ...header,
    ...section(1, types),
    ...(isOwn ? [] : section(2, [[...text('env'), ...text('memory'), 2, ...given(origin.shared)]])),
    ...section(3, functions.map((_, index) => unsigned(index))), // prettier-ignore
    ...(isOwn ? section(5, [[0, ...unsigned(origin)]]) : []),
    ...section(7, [...names, ...(isOwn ? [[...text('memory'), exported.memory, 0]] : [])]),
    ...section(10, bodies),
  ];
  append(sections, bytes);
  return Uint8Array.from(bytes);
};
