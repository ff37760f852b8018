/**
 * Vector kernels on several threads: bit for bit what one thread gives, whatever is shared, and what becomes of a lost worker.
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { Kernels, RowsOf, Triple } from '../../../../../src/core/backends/host/kernels/kernels.ts';
import type { Pointwise } from '../../../../../src/core/backends/host/simd/functionTypes.ts';
import type { VectorUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import { openUnit, vectorUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../../src/core/backends/host/simd/kernels.ts';
import { sharedUnit } from '../../../../../src/core/backends/host/simd/sharing.ts';
import { nativeBackend } from '../../../../../src/core/backends/native/backend.ts';
import { portableBackend } from '../../../../../src/core/backends/portable/backend.ts';
import type { Team, TeamOptions } from '../../../../../src/core/backends/threads/team.ts';
import { openTeam } from '../../../../../src/core/backends/threads/team.ts';
import { attempt } from '../../../../../src/core/errors.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import { uniform } from '../../../../../src/core/random/uniform.ts';
import { eventually } from '../../../../support/eventually.ts';
import { orThrow } from '../../../../support/training.ts';

const present = <A>(found: A | null): A => {
  if (found === null) throw new Error('there is none');
  return found;
};

const unit = present(vectorUnit());

const teamOf = (options: Partial<TeamOptions> = {}): Team =>
  openTeam({ threads: 3, memory: unit.memory, what: 'Loops run', ...options });

/** Everything that can be cut is shared, in the smallest parts. */
const sharedOn = (team: Team, on: VectorUnit = unit): VectorUnit =>
  sharedUnit(on, team, { worthSharing: 0, atOnce: 0 });

const team = teamOf();
afterAll(team.dispose);
const alone = singleKernels(1, unit);
const together = singleKernels(1, sharedOn(team));

const room = (n: number): Float32Array => present(unit.memory.take(n));

const drawn = (seed: number, n: number): Float32Array => {
  const x = room(n);
  x.set(Float32Array.from(uniform(keyOf(seed), [n], 'f64').data, (u) => 8 * u - 4));
  return x;
};

/** What a kernel writes to an array of some length, which begins as the same numbers. */
type Run = (kernels: Kernels, out: Float32Array) => unknown;

const bitsOf = (kernels: Kernels, length: number, run: Run): unknown => {
  const out = room(length).fill(0.5);
  const told = run(kernels, out);
  return [told, Array.from(new Uint32Array(out.buffer, out.byteOffset, length))];
};

const expectSameBits = (length: number, run: Run): void => {
  expect(bitsOf(together, length, run)).toEqual(bitsOf(alone, length, run));
};

const few = fc.integer({ min: 1, max: 9 });
const many = fc.integer({ min: 1, max: 150 });
// Waiting for workers takes long where a machine has fewer processors than there are threads.
const numRuns = 6;

const keys = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record) as Array<K>;

describe('law: bit for bit what one thread gives', () => {
  it.each(keys(alone.unary))('%s', (kind) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (n) => {
        const x = drawn(n, n);
        expectSameBits(n, (kernels, out) => kernels.unary[kind](x, out));
      }),
      { numRuns },
    );
  });

  it.each(keys(alone.vjp))('the cotangent of %s', (kind) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (n) => {
        const [x, y, c] = [1, 2, 3].map((seed) => drawn(seed, n));
        expectSameBits(n, (kernels, out) => kernels.vjp[kind](x, y, c, out));
      }),
      { numRuns },
    );
  });

  it.each(keys(alone.binary))('%s, of whole arrays, numbers, rows and columns', (kind) => {
    fc.assert(
      fc.property(many, many, (rows, n) => {
        const [x, y] = [drawn(rows, rows * n), drawn(n, rows * n)];
        const size = rows * n;
        expectSameBits(size, (kernels, out) => kernels.binary[kind].both(x, 0, y, 0, out, 0, size));
        expectSameBits(size, (kernels, out) => kernels.binary[kind].right(x, 0, -0.7, out, 0, size));
        expectSameBits(size, (kernels, out) => kernels.binary[kind].left(x, 0, 1.3, out, 0, size));
        expectSameBits(size, (kernels, out) => kernels.binary[kind].rows(x, 0, n, y, 0, 0, out, 0, rows, n));
        expectSameBits(size, (kernels, out) => kernels.binary[kind].rowsRight(x, 0, n, y, 0, 1, out, 0, rows, n));
        expectSameBits(size, (kernels, out) => kernels.binary[kind].rowsLeft(x, 0, n, y, 0, 1, out, 0, rows, n));
      }),
      { numRuns },
    );
  });

  it('functions of two arrays and two numbers, and what replaces an operand', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (n) => {
        const [x, y] = [drawn(n, n), drawn(n + 1, n)];
        for (const name of ['linearCombination', 'combineWithSquare', 'overRoot'] as const) {
          expectSameBits(n, (kernels, out) => kernels[name](0.3, x, -0, y, out));
        }
        expectSameBits(n, (kernels, out) => kernels.linearCombination(0.3, out, 2, y, out));
        for (const name of ['sigmoidMinus', 'sigmoidCrossEntropy'] as const) {
          expectSameBits(n, (kernels, out) => kernels[name](x, y, out));
        }
        expectSameBits(n, (kernels, out) => kernels.expOfDifference.both(x, 0, y, 0, out, 0, n));
        expectSameBits(n, (kernels, out) => kernels.fill(out, -0));
      }),
      { numRuns },
    );
  });

  it('reductions of rows and of the axis in the middle, and exponentials of rows', () => {
    fc.assert(
      fc.property(few, many, many, (b, rows, n) => {
        const x = drawn(n, b * rows * n);
        expectSameBits(b * rows, (kernels, out) => kernels.rowSums(x, 0, b * rows, n, out, 0));
        expectSameBits(b * rows, (kernels, out) => kernels.rowMaxima(x, 0, b * rows, n, out, 0));
        expectSameBits(b * n, (kernels, out) => kernels.middleSums(x, b, rows, n, out));
        expectSameBits(b * n, (kernels, out) => kernels.middleMaxima(x, b, rows, n, out));
        const [tops, c] = [room(b * n), drawn(rows, b * n)];
        alone.middleMaxima(x, b, rows, n, tops);
        expectSameBits(x.length, (kernels, out) => kernels.middleMaximaVjp(x, tops, c, b, rows, n, out));
        const maxima = room(b * rows);
        alone.rowMaxima(x, 0, b * rows, n, maxima, 0);
        expectSameBits(x.length, (kernels, out) => kernels.rowExponentials(x, maxima, n, out));
      }),
      { numRuns },
    );
  });

  it('sums of columns in parts, on one thread as well', () => {
    for (const [rows, n] of [
      [4096, 17],
      [5003, 64],
      [70_001, 1],
    ]) {
      const x = drawn(n, rows * n);
      expectSameBits(n, (kernels, out) => kernels.middleSums(x, 1, rows, n, out));
      const sums = room(n);
      alone.middleSums(x, 1, rows, n, sums);
      for (let c = 0; c < n; c += 1) {
        let [sum, sizes] = [0, 0];
        for (let r = 0; r < rows; r += 1) [sum, sizes] = [sum + x[r * n + c], sizes + Math.abs(x[r * n + c])];
        expect(Math.abs(sums[c] - sum)).toBeLessThanOrEqual(2 ** -24 * Math.abs(sum) + rows * 2 ** -52 * sizes);
      }
    }
  });

  it('choosing, gathering, spreading and transposes', () => {
    fc.assert(
      fc.property(many, many, fc.nat(7), (rows, n, form) => {
        const x = drawn(n, rows * n);
        const operand = (i: number): RowsOf => {
          const varies = ((form >> i) & 1) === 1;
          return { data: i === 0 ? drawn(rows, rows * n).map(Math.sign) : x, at: 0, step: varies ? n : 1, varies };
        };
        const [c, a, b] = [0, 1, 2].map(operand);
        expectSameBits(rows * n, (kernels, out) => kernels.select(c, a, b, out, 0, rows, n));
        const one = [c, a, b].map((rowsOf) => ({ ...rowsOf, step: 0 }));
        expectSameBits(n, (kernels, out) => kernels.select(one[0], one[1], one[2], out, 0, 1, n));
        const indices = Int32Array.from({ length: 200 }, (_, i) => (i * 7) % (rows + 1));
        expectSameBits(200 * n, (kernels, out) => kernels.gatherRows(x, rows, indices, n, out));
        expectSameBits(rows * n, (kernels, out) => kernels.spread(x, 0, 1, out, 0, rows, n));
        expectSameBits(rows * n, (kernels, out) => kernels.transpose(x, 0, rows, n, out, 0));
      }),
      { numRuns },
    );
  });

  it('rows three loops deep, copied and added, where they overlap too', () => {
    fc.assert(
      fc.property(fc.tuple(few, few, few), fc.integer({ min: 1, max: 40 }), fc.nat(50), (counts, n, apart) => {
        const dense: Triple = [counts[1] * counts[2] * n, counts[2] * n, n];
        const steps: Triple = [apart, 2 * apart, apart];
        const x = drawn(n, 9 * 4 * 50 + counts[0] * dense[0] + n);
        expectSameBits(x.length, (kernels, out) => kernels.copyBlocks(x, 0, steps, out, 0, dense, counts, n));
        expectSameBits(x.length, (kernels, out) => kernels.addBlocks(x, 0, dense, out, 0, steps, counts, n));
        expectSameBits(x.length, (kernels, out) => kernels.addBlocks(x, 0, steps, out, 0, dense, counts, n));
      }),
      { numRuns: 20 },
    );
  });

  it('of a call that is shared at all: parts are done by more than one thread', () => {
    const x = drawn(1, 2 ** 18);
    const out = room(x.length);
    const seen = { calls: 0, parts: 0 };
    const counted = unit.each((one) => ({
      ...one,
      pointwise: {
        ...one.pointwise,
        gelu: (...args) => {
          seen.parts += 1;
          one.pointwise.gelu(...args);
        },
      },
    }));
    const crowd = teamOf();
    const kernels = singleKernels(1, sharedUnit(counted, crowd, { worthSharing: 0, atOnce: 100 }));
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const whole = 24; // parts of a call
    while (seen.calls < 200 && seen.parts >= whole * seen.calls) {
      seen.calls += 1;
      kernels.unary.gelu(x, out);
      Atomics.wait(pause, 0, 0, 20); // long enough for workers to start
    }
    expect(seen.parts).toBeGreaterThan(0);
    expect(seen.parts).toBeLessThan(whole * seen.calls);
    return crowd.dispose();
  });
});

describe('threads of vector kernels', () => {
  it('are not there for one thread, nor over memory that is not shared', () => {
    const fixed = present(openUnit({ shared: false, pages: 300 }));
    expect(sharedUnit(unit, teamOf({ threads: 1 }))).toBe(unit);
    expect(sharedUnit(fixed, teamOf({ memory: fixed.memory }))).toBe(fixed);
  });

  it('are refused where it is no number from which a call is worth it, by each backend that takes it', () => {
    for (const open of [portableBackend, nativeBackend]) {
      for (const [option, value] of [
        ['worthSharing', NaN],
        ['worthSharing', -1],
        ['atOnce', NaN],
      ] as const) {
        expect(open({ sharing: { [option]: value } })).toEqual(
          E.left({
            _tag: 'BadConfig',
            path: `sharing.${option}`,
            expected: 'nanoseconds of at least 0',
            actual: String(value),
          }),
        );
      }
    }
  });

  it('do not start for small calls', () => {
    const idle = teamOf({ crew: { source: 'this is no program' } });
    const kernels = singleKernels(1, sharedUnit(unit, idle, { worthSharing: 100_000 }));
    const x = drawn(1, 4096);
    kernels.unary.gelu(x, room(x.length));
    expect([idle.threads(), idle.warnings()]).toEqual([3, []]);
  });

  it('share, unless told when, what takes longer than memory does', async () => {
    const seen = { gelu: 0, sqrt: 0 };
    const counted = (name: 'gelu' | 'sqrt'): Pointwise => {
      const f = unit.pointwise[name];
      return (...args) => {
        seen[name] += 1;
        f(...args);
      };
    };
    const pointwise = { ...unit.pointwise, gelu: counted('gelu'), sqrt: counted('sqrt') };
    const crowd = teamOf();
    const kernels = singleKernels(
      1,
      sharedUnit(
        unit.each((one) => ({ ...one, pointwise })),
        crowd,
      ),
    );
    const [small, large] = [drawn(1, 4096), drawn(2, 2 ** 18)];
    kernels.unary.gelu(small, room(small.length));
    kernels.unary.sqrt(large, room(large.length));
    expect(seen).toEqual({ gelu: 1, sqrt: 1 });
    kernels.unary.gelu(large, room(large.length));
    expect(seen.gelu).toBeGreaterThan(2);
    await crowd.dispose();
  });

  it('go on as one, and say so, when a worker has ended', async () => {
    const ending = teamOf({ threads: 2, crew: { source: 'process.exit()' } });
    const kernels = singleKernels(1, sharedOn(ending));
    const x = drawn(1, 500);
    const [out, expected] = [room(500), room(500)];
    alone.unary.exp(x, expected);
    await eventually(
      () => ending.threads() === 1,
      () => {
        kernels.unary.exp(x, out);
        expect(Array.from(out)).toEqual(Array.from(expected));
      },
    );
    kernels.unary.exp(x, out.fill(0));
    expect(Array.from(out)).toEqual(Array.from(expected));
    expect([ending.threads(), ending.warnings()]).toEqual([1, ['Loops run on one thread: a worker has ended.']]);
  });

  // It claims a part of every call and never does it.
  const idler = `
    let control;
    require('worker_threads').parentPort.on('message', (message) => {
      if (message.type !== 'greeting') return;
      ({ control } = message);
      for (;;) {
        while (Atomics.load(control, 0) === 0);
        Atomics.add(control, 3, 1);
        Atomics.add(control, 2, 1);
        Atomics.wait(control, 7, Atomics.load(control, 7), 100);
      }
    });`;

  const idleTeam = (): Team => teamOf({ threads: 2, crew: { source: idler, patience: 50 } });

  it('compute again alone what a worker has claimed and not done', async () => {
    const idle = idleTeam();
    const kernels = singleKernels(1, sharedOn(idle));
    const x = drawn(1, 5000);
    const [out, expected] = [room(5000), room(5000)];
    alone.unary.exp(x, expected);
    await eventually(
      () => idle.threads() === 1,
      () => {
        kernels.unary.exp(x, out.fill(0));
        expect(Array.from(out)).toEqual(Array.from(expected));
      },
    );
    expect(idle.warnings()).toEqual(['Loops run on one thread: a worker did not finish its work within 50 ms.']);
  });

  it('fail with a typed error where the operand that it would be computed from has been replaced, and then go on', async () => {
    const idle = idleTeam();
    const kernels = singleKernels(1, sharedOn(idle));
    const [x, y] = [drawn(1, 5000), drawn(2, 5000)];
    let failed: unknown = null;
    await eventually(
      () => failed !== null,
      () => {
        const done = attempt(() => kernels.linearCombination(1, x, 1, y, x));
        if (E.isLeft(done)) failed = done.left;
      },
    );
    expect(failed).toMatchObject({ _tag: 'DeviceFailed', where: 'threads' });
    const expected = room(5000);
    alone.linearCombination(1, x, 1, y, expected);
    kernels.linearCombination(1, x, 1, y, x);
    expect(Array.from(x)).toEqual(Array.from(expected));
  });

  it('of two backends do not disturb each other', async () => {
    const opened = [2, 3].map((threads) =>
      orThrow(portableBackend({ threads, worthSharing: 0, sharing: { worthSharing: 0, atOnce: 0 } })),
    );
    const single = orThrow(portableBackend({ threads: 1 }));
    const x = { shape: [60, 70], dtype: 'f32' as const, data: drawn(1, 4200) };
    const result = ({ ops }: typeof single): ReadonlyArray<number> =>
      Array.from(ops.sum(ops.mul(ops.softmax(ops.unary('gelu', x)), ops.transpose(ops.transpose(x, [1, 0]), [1, 0])), [0]).data); // prettier-ignore
    for (let i = 0; i < 5; i += 1) for (const backend of opened) expect(result(backend)).toEqual(result(single));
    await Promise.all(opened.map((backend) => backend.dispose()));
    expect(opened.map((backend) => backend.report().threads)).toEqual([1, 1]);
    for (const backend of opened) expect(result(backend)).toEqual(result(single));
    await single.dispose();
  });
});
