/**
 * Vector kernels whose large calls are shared between threads: a unit around another one, with the same functions.
 *
 * A call is cut where its parts touch nothing of each other's: between elements, rows, blocks or bands. Every argument of a part
 * is linear in where the part begins and how much it is, so a call is described by some numbers, and workers need no code for
 * kinds of calls. What is computed for an element depends on nothing but where it is: results are the same bit for bit whatever
 * the number of threads.
 *
 * A call is worth sharing by its estimated time, and unless more is asked for only where computing takes longer than memory does.
 * Sums over a whole array, rows that are scattered, and rows that are added where they overlap stay on one thread.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { BadConfig } from '../../../errors.ts';
import { raise } from '../../../errors.ts';
import type { Team } from '../../threads/team.ts';
import { wordsOfCall } from '../../threads/workerText.ts';
import type { KernelName } from './byName.ts';
import { byName, eachOf, kernelNames, selectNames } from './byName.ts';
import type { Choosing, Pointwise, Rowwise, VectorFunctions } from './functionTypes.ts';
import type { VectorInstance, VectorUnit } from './instance.ts';
import type { PointwiseName, RowwiseName } from './module.ts';
import { pointwiseNames, rowwiseNames } from './module.ts';
import { band } from './transpose.ts';

/** When calls are shared. */
export interface SharingOptions {
  /**
   * Estimated nanoseconds above which a call is shared; unless given 100,000 for functions that take longer than memory does, and
   * none of the others: see decision 16.
   */
  readonly worthSharing?: number;
  /** Estimated nanoseconds of the least that a thread takes at once; measured unless given. */
  readonly atOnce?: number;
}

/**
 * What is wrong with such options.
 *
 * @param options - as they were given
 * @returns the first of them that is no number of at least 0, `null` if all are
 */
export const refusedSharing = (options: SharingOptions = {}): BadConfig | null => {
  const names = ['worthSharing', 'atOnce'] as const;
  const bad = names.find((name) => !((options[name] ?? 0) >= 0));
  return bad === undefined
    ? null
    : {
        _tag: 'BadConfig',
        path: `sharing.${bad}`,
        expected: 'nanoseconds of at least 0',
        actual: String(options[bad]),
      };
};

/** From where on costly functions gain by a second thread, beside a BLAS whose threads look for work. */
const measuredWorth = 100_000;

/** Several times what it takes to claim it. */
const measuredPart = 10_000;

/** Parts for each thread, unless they get too small: the last ones even out who is ahead. */
const partsPerThread = 8;

/** Most arguments of a function. */
const mostArguments = 17;

/** Elements that fill a line of the caches, which two threads are not to write to. */
const lineElements = 16;

/** Nanoseconds for each element, of functions that take longer than memory does. */
const costs: Readonly<Record<string, number>> = {
  exp: 0.8,
  log: 1.6,
  tanh: 1.6,
  sigmoid: 1.2,
  softplus: 2.2,
  erf: 2.5,
  normalCdf: 2.5,
  gelu: 2.6,
  'vjp.softplus': 1.3,
  'vjp.normalCdf': 0.9,
  'vjp.gelu': 2.8,
  sigmoidMinus: 1.2,
  sigmoidCrossEntropy: 2.2,
  expOfDifference: 1,
  'expOfDifference.right': 1,
  rowExponentials: 1.2,
};

/** Nanoseconds for each product of convolutions. */
const productCost = 0.08;

/** Nanoseconds for each element of all others, and for each row. */
const cheap = 0.12;
const rowCost = 3;

/** A number of a call: `base + start * ofStart + (end - start) * ofCount` for cells `start <= i < end`. */
type Argument = readonly [base: number, ofStart: number, ofCount: number];

const same = (base: number): Argument => [base, 0, 0];
const along = (address: number, bytes: number): Argument => [address, bytes, 0];
const count = (each: number): Argument => [0, 0, each];

/** How a call is cut. */
interface Cut {
  readonly args: ReadonlyArray<Argument>;
  readonly cells: number;
  /** Estimated nanoseconds of all cells. */
  readonly cost: number;
  /** Cells that parts are multiples of; 1 unless given. */
  readonly whole?: number;
  /** Whether operands are replaced, so that a part cannot be computed again. */
  readonly replaces?: boolean;
}

const valueOf = ([base, ofStart, ofCount]: Argument, start: number, end: number): number =>
  ofStart === 0 && ofCount === 0 ? base : base + start * ofStart + (end - start) * ofCount;

type Triple = readonly [number, number, number];

/**
 * The outermost of three loops with several rounds, whose rounds write nothing in common.
 *
 * @returns the number of the loop; −1 where there is none or rounds overlap
 */
const disjointLoop = (bytes: number, counts: Triple, steps: Triple): number => {
  const loop = counts.findIndex((rounds) => rounds > 1);
  if (loop < 0) return -1;
  const within = steps.reduce((reach, step, i) => (i > loop ? reach + (counts[i] - 1) * step : reach), bytes);
  return steps[loop] >= within ? loop : -1;
};

/** Nanoseconds of rows of some bytes. */
const costOfRows = (rows: number, bytes: number, name?: string): number =>
  rows * ((bytes * (costs[name ?? ''] ?? cheap)) / 4 + rowCost);

/** The kernels of an instance, large calls of which are shared. */
const sharedInstance = (unit: VectorInstance, team: Team, options: SharingOptions): VectorInstance => {
  const { worthSharing, atOnce = measuredPart } = options;
  const worthOf = (name: string): number =>
    worthSharing ?? (name in costs || name.endsWith('Windows') ? measuredWorth : Infinity);
  const functions = byName(unit);
  const numbers = new Map(kernelNames.map((name, i) => [name, i]));
  const words = new Float64Array(new SharedArrayBuffer(8 * wordsOfCall(mostArguments)));
  const kernel = team.introduce({
    module: unit.module,
    memory: unit.imported,
    functions: [],
    calls: { names: kernelNames, words },
  });

  const lost = (reason: string): never =>
    raise({
      _tag: 'DeviceFailed',
      where: 'threads',
      reason: `${reason} while an array was replaced by a function of it`,
      advice: 'Take the step again from the state before it: from now on there is one thread.',
    });

  /** Shares a call; false where that is not to be, or did not work, and the call is still to be made. */
  const share = (name: KernelName, { args, cells, cost, whole = 1, replaces = false }: Cut): boolean => {
    const crew = team.crew();
    if (crew === null) return false;
    const even = Math.max(cells / (team.threads() * partsPerThread), (cells * atOnce) / cost);
    const part = whole * Math.max(1, Math.ceil(even / whole));
    if (part >= cells) return false;
    const before = crew.trouble();
    if (before !== null) {
      team.giveUp(before);
      return false;
    }
    words[0] = numbers.get(name) ?? 0;
    words[1] = args.length;
    args.forEach((argument, i) => words.set(argument, wordsOfCall(i)));
    const f = functions[name];
    const done = crew.share(kernel, cells, part, (start, end) =>
      f(...args.map((argument) => valueOf(argument, start, end))),
    );
    if (E.isRight(done)) return true;
    team.giveUp(done.left);
    return replaces ? lost(done.left) : false;
  };

  const pointwise = (name: PointwiseName): Pointwise => {
    const f = unit.pointwise[name];
    const worth = worthOf(name);
    const each = (costs[name] ?? cheap) / 4;
    const cutOf = (a: number, b: number, out: number, bytes: number, s: number, t: number): Cut => ({
      args: [along(a, 4), along(b, 4), along(out, 4), count(4), same(s), same(t)],
      cells: bytes / 4,
      cost: bytes * each,
      whole: lineElements,
      replaces: (a === out || b === out) && name !== 'fill',
    });
    return (a, b, out, bytes, s, t) => {
      if (bytes * each <= worth || !share(name, cutOf(a, b, out, bytes, s, t))) f(a, b, out, bytes, s, t);
    };
  };

  /** A single row is cut between its elements. */
  const rowwise = (name: RowwiseName): Rowwise => {
    const f = unit.rowwise[name];
    const worth = worthOf(name);
    const isFixed = name.endsWith('.right') || name.endsWith('.left') || name === 'spread';
    const cutOf = (...[a, b, out, bytes, rows, stepA, stepB]: Parameters<Rowwise>): Cut => {
      const [cost, replaces] = [costOfRows(rows, bytes, name), a === out || b === out];
      return rows === 1
        ? {
            args: [along(a, 4), isFixed ? same(b) : along(b, 4), along(out, 4), count(4), same(1), same(0), same(0)],
            ...{ cells: bytes / 4, cost, whole: lineElements, replaces },
          }
        : {
            args: [along(a, stepA), along(b, stepB), along(out, bytes), same(bytes), count(1), same(stepA), same(stepB)], // prettier-ignore
            ...{ cells: rows, cost, replaces },
          };
    };
    return (a, b, out, bytes, rows, stepA, stepB) => {
      const isSmall = costOfRows(rows, bytes, name) <= worth;
      if (isSmall || !share(name, cutOf(a, b, out, bytes, rows, stepA, stepB))) f(a, b, out, bytes, rows, stepA, stepB);
    };
  };

  const select = (name: (typeof selectNames)[number]): Choosing => {
    const form = name.slice('select.'.length);
    const f = unit.select[name];
    const worth = worthOf(name);
    const cutOf = (...[c, a, b, out, bytes, rows, ...steps]: Parameters<Choosing>): Cut => {
      const [operands, cost] = [[c, a, b], costOfRows(rows, bytes)];
      const inRow = operands.map((x, i) => (form[i] === 'v' ? along(x, 4) : same(x)));
      const last = [same(1), ...steps.map(same)];
      return rows === 1
        ? { args: [...inRow, along(out, 4), count(4), ...last], cells: bytes / 4, cost, whole: lineElements }
        : {
            args: [...operands.map((x, i) => along(x, steps[i])), along(out, bytes), same(bytes), count(1), ...steps.map(same)], // prettier-ignore
            ...{ cells: rows, cost },
          };
    };
    return (...call) => {
      const [, , , , bytes, rows] = call;
      if (costOfRows(rows, bytes) <= worth || !share(name, cutOf(...call))) f(...call);
    };
  };

  const ofRows = (name: 'rowSums' | 'rowMaxima'): VectorFunctions['rowSums'] => {
    const f = unit[name];
    const worth = worthOf(name);
    return (a, out, bytes, rows) => {
      const cost = costOfRows(rows, bytes);
      const args = [along(a, bytes), along(out, 4), same(bytes), count(1)];
      if (cost <= worth || !share(name, { args, cells: rows, cost })) f(a, out, bytes, rows);
    };
  };

  const ofBlocks = (name: 'middleSums' | 'middleSumsWide' | 'middleMaxima'): VectorFunctions['middleSums'] => {
    const f = unit[name];
    const worth = worthOf(name);
    return (a, out, bytes, rows, blocks) => {
      const cost = costOfRows(blocks, rows * bytes);
      const width = name === 'middleSumsWide' ? 32 * Math.ceil(bytes / 16) : bytes;
      const args = [along(a, bytes * rows), along(out, width), same(bytes), same(rows), count(1)];
      if (cost <= worth || !share(name, { args, cells: blocks, cost })) f(a, out, bytes, rows, blocks);
    };
  };

  const blocks = (name: 'copyBlocks' | 'addBlocks'): VectorFunctions['copyBlocks'] => {
    const f = unit[name];
    const worth = worthOf(name);
    const cutOf = (...[a, out, bytes, n0, n1, n2, x0, x1, x2, o0, o1, o2]: Parameters<typeof f>): Cut | null => {
      const loop = disjointLoop(bytes, [n0, n1, n2], [o0, o1, o2]);
      if (loop < 0) return null;
      const rounds = [n0, n1, n2].map((n, i) => (i === loop ? count(1) : same(n)));
      const steps = [x0, x1, x2, o0, o1, o2].map(same);
      return {
        args: [along(a, [x0, x1, x2][loop]), along(out, [o0, o1, o2][loop]), same(bytes), ...rounds, ...steps],
        cells: [n0, n1, n2][loop],
        cost: costOfRows(n0 * n1 * n2, bytes),
        replaces: name === 'addBlocks',
      };
    };
    return (...call) => {
      const [, , bytes, n0, n1, n2] = call;
      const cut = costOfRows(n0 * n1 * n2, bytes) <= worth ? null : cutOf(...call);
      if (cut === null || !share(name, cut)) f(...call);
    };
  };

  /** Convolutions are cut between images, or between the lines of one; their sums between outputs. */
  const windowsOf = (): Pick<VectorFunctions, 'convolveWindows' | 'correlateWindows'> => ({
    convolveWindows: (...call) => {
      const [x, w, y, bytes, rows, stepRow, places, stepX, stepY, lines, lineX, lineY, images, imageX, imageY, outputs] = call; // prettier-ignore
      const cost = (productCost * bytes * rows * places * lines * images * outputs) / 16;
      const isOne = images === 1;
      const cut = (): Cut => ({
        args: [
          ...[along(x, isOne ? lineX : imageX), same(w), along(y, isOne ? lineY : imageY)],
          ...[bytes, rows, stepRow, places, stepX, stepY].map(same),
          ...[isOne ? count(1) : same(lines), same(lineX), same(lineY)],
          ...[isOne ? same(1) : count(1), same(imageX), same(imageY), same(outputs)],
        ],
        cells: isOne ? lines : images,
        cost,
      });
      if (cost <= worthOf('convolveWindows') || !share('convolveWindows', cut())) unit.convolveWindows(...call);
    },
    correlateWindows: (...call) => {
      const [x, y, sums, bytes, rows, , places, , , lines, , , images, , , , blocks] = call;
      const cost = productCost * bytes * rows * places * lines * images * blocks;
      const cut = (): Cut => ({
        args: [same(x), along(y, 16), along(sums, 4 * rows * bytes), ...call.slice(3, -1).map(same), count(1)],
        cells: blocks,
        cost,
        replaces: true,
      });
      if (cost <= worthOf('correlateWindows') || !share('correlateWindows', cut())) unit.correlateWindows(...call);
    },
  });

  return {
    ...unit,
    pointwise: eachOf(pointwiseNames, pointwise),
    rowwise: eachOf(rowwiseNames, rowwise),
    select: eachOf(selectNames, select),
    rowSums: ofRows('rowSums'),
    rowMaxima: ofRows('rowMaxima'),
    middleSums: ofBlocks('middleSums'),
    middleSumsWide: ofBlocks('middleSumsWide'),
    middleMaxima: ofBlocks('middleMaxima'),
    middleMaximaVjp: (a, y, c, out, bytes, rows, blocks) => {
      const cost = 2 * costOfRows(blocks, rows * bytes);
      const matrix = bytes * rows;
      const args = [along(a, matrix), along(y, bytes), along(c, bytes), along(out, matrix), same(bytes), same(rows), count(1)]; // prettier-ignore
      if (cost <= worthOf('middleMaximaVjp') || !share('middleMaximaVjp', { args, cells: blocks, cost }))
        unit.middleMaximaVjp(a, y, c, out, bytes, rows, blocks);
    },
    rowExponentials: (a, b, out, sums, bytes, rows, lanes) => {
      const cost = costOfRows(rows, bytes, 'rowExponentials');
      const args = [along(a, bytes), along(b, 4), along(out, bytes), along(sums, 16), same(bytes), count(1), same(lanes)]; // prettier-ignore
      if (
        cost <= worthOf('rowExponentials') ||
        !share('rowExponentials', { args, cells: rows, cost, replaces: a === out })
      )
        unit.rowExponentials(a, b, out, sums, bytes, rows, lanes);
    },
    ...windowsOf(),
    copyBlocks: blocks('copyBlocks'),
    addBlocks: blocks('addBlocks'),
    gatherRows: (x, at, out, bytes, indices, rows) => {
      const cost = costOfRows(indices, bytes);
      const args = [same(x), along(at, 4), along(out, bytes), same(bytes), count(1), same(rows)];
      if (cost <= worthOf('gatherRows') || !share('gatherRows', { args, cells: indices, cost }))
        unit.gatherRows(x, at, out, bytes, indices, rows);
    },
    transpose: (a, out, rows, columns, first, end) => {
      const cost = costOfRows(end - first, 4 * columns);
      const args = [same(a), same(out), same(rows), same(columns), [first, 1, 0], [first, 1, 1]] as const;
      if (cost <= worthOf('transpose') || !share('transpose', { args, cells: end - first, cost, whole: band }))
        unit.transpose(a, out, rows, columns, first, end);
    },
  };
};

/**
 * A unit whose large calls are shared.
 *
 * @param unit - the unit, in whose memories the team works
 * @param team - the threads
 * @param options - from which size
 */
export const sharedUnit = (unit: VectorUnit, team: Team, options: SharingOptions = {}): VectorUnit =>
  team.threads() === 1 ? unit : unit.each((instance) => sharedInstance(instance, team, options));
