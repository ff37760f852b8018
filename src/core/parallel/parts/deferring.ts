/**
 * A backend of one process that takes its examples in parts: operations on parts are put off, all others are done at once.
 *
 * Scopes end as they always do: what lives on keeps what it will be made of, and what the outermost scope keeps is computed before it
 * ends. What an inner scope is told to let go may still be an operand, and goes with the scope around it.
 *
 * @module
 */
import type { Backend, Scope } from '../../backends/backend.ts';
import { shapeInterpreter } from '../../autodiff/shape.ts';
import type { Ops } from '../../ops/ops.ts';
import type { DType, Shape, Shaped, Tensor } from '../../tensor.ts';
import type { Deferred, Home, Making, Run } from './deferred.ts';
import { deferred, isDeferred, isUnmade, makingOf, unmadeFor } from './deferred.ts';
import type { Pending } from './passes.ts';
import { createPending, looked } from './passes.ts';

/** A rank's own array of a part; `null` where it has nothing. */
type Part = Tensor | null;

/** How a process goes about the parts of its examples. */
export interface Parting {
  /** An array, computed if it has been put off. */
  readonly look: (x: Tensor) => Tensor;
  /** An array of one part, made of others. */
  readonly ofPart: (shape: Shape, dtype: DType, operands: ReadonlyArray<Tensor>, run: Run) => Tensor;
  /** The sum of what each part adds; nothing where none adds anything. */
  readonly total: (addends: ReadonlyArray<Part>) => Part;
  /** Arrays of parts that a sum over all parts is about to be combined with: computed once, and kept. */
  readonly hold: (parts: ReadonlyArray<Part>) => void;
}

/** A backend, and how it goes about parts. */
export interface PartingBackend extends Backend<Tensor> {
  readonly parting: Parting;
  readonly scope: () => Scope<Tensor> & { readonly backend: PartingBackend };
}

type Operation<T extends Shaped> = (...operands: ReadonlyArray<unknown>) => T;

const isTensor = (given: unknown): given is Tensor =>
  typeof given === 'object' && given !== null && 'shape' in given && 'dtype' in given;

const isTensors = (given: unknown): given is ReadonlyArray<Tensor> => Array.isArray(given) && given.some(isTensor);

/** The tensors among what an operation is given. */
const tensorsIn = (given: ReadonlyArray<unknown>): ReadonlyArray<Tensor> =>
  given.flatMap((each) => (isTensor(each) ? [each] : isTensors(each) ? each : []));

/** What an operation is given, with other tensors. */
const withTensors = (given: ReadonlyArray<unknown>, tensors: ReadonlyArray<Tensor>): ReadonlyArray<unknown> => {
  let at = 0;
  const next = (): Tensor => {
    at += 1;
    return tensors[at - 1];
  };
  return given.map((each) => (isTensor(each) ? next() : isTensors(each) ? each.map(next) : each));
};

/** Operations whose result has the type of their first operand. */
const typed: ReadonlyArray<string> = [
  ...['reshape', 'transpose', 'broadcastTo', 'concat', 'slice', 'pad', 'gather', 'stopGradient'],
];

/** What the scopes of a backend share. */
interface Shared {
  readonly pending: Pending;
  readonly shapes: Ops<Shaped>;
  readonly serial: () => number;
}

/** Arrays that are put off, in a scope. */
const makerIn = (home: Home, { pending, serial }: Shared) => {
  const look = (x: Tensor): Tensor => looked(pending, x);
  const make = (shape: Shape, dtype: DType, making: Making): Deferred => deferred(serial(), shape, dtype, making, look);
  /** Made of parts, or of sums over parts, which are looked at where they meet parts. */
  const put = (shape: Shape, dtype: DType, operands: ReadonlyArray<Tensor>, run: Run): Tensor => {
    const isOfPart = operands.some((x) => makingOf(x).kind === 'part');
    if (!isOfPart) return make(shape, dtype, { kind: 'after', home, operands, run });
    const ready = operands.map((x) => (makingOf(x).kind === 'part' ? x : look(x)));
    return make(shape, dtype, { kind: 'part', home, operands: ready, run, isHeld: false });
  };
  const ofPart: Parting['ofPart'] = (shape, dtype, operands, run) =>
    make(shape, dtype, { kind: 'part', home, operands, run, isHeld: false });
  const sum = (addends: ReadonlyArray<Tensor>): Tensor => {
    const [{ shape, dtype }] = addends;
    const made = make(shape, dtype, { kind: 'sum', home, operands: addends });
    pending.add(made);
    return made;
  };
  return { look, put, ofPart, sum };
};

/** Each operation, put off where an operand is; an operand that has come by now is taken as it is. */
const opsIn = (home: Home, shared: Shared): Ops<Tensor> => {
  const { look, put } = makerIn(home, shared);
  const { ops: own, dtype: float } = home.backend;
  // Each operation by its name, as the interpreter of shapes has it too.
  const onShapes = shared.shapes as unknown as Readonly<Record<string, Operation<Shaped>>>;
  const entries = Object.entries(own as unknown as Readonly<Record<string, Operation<Tensor>>>).map(
    ([name, operation]): readonly [string, Operation<Tensor>] => [
      name,
      (...given) => {
        const operands = tensorsIn(given);
        if (!operands.some(isUnmade)) return operation(...withTensors(given, operands.map(look)));
        const { shape } = onShapes[name](...given);
        return put(shape, typed.includes(name) ? operands[0].dtype : float, operands, (ops, values) =>
          (ops as unknown as Readonly<Record<string, Operation<Tensor>>>)[name](...withTensors(given, values)),
        );
      },
    ],
  );
  const ops: Ops<Tensor> = {
    ...(Object.fromEntries(entries) as unknown as Ops<Tensor>),
    whole: (arrays) => arrays,
    addedUp: (arrays) => arrays,
    addingUp: (arrays) => arrays,
    within: (run) => run(ops)[0],
  };
  return ops;
};

const inHome = (home: Home, shared: Shared): PartingBackend => {
  const { look, ofPart, sum } = makerIn(home, shared);
  const ops = opsIn(home, shared);
  return {
    ...home.backend,
    ops,
    read: (x) => home.backend.read(look(x)),
    parting: {
      look,
      ofPart,
      total: (addends) => {
        const present = addends.filter((each) => each !== null);
        if (present.some(isUnmade)) return sum(present);
        return present.reduce((total: Part, each) => (total === null ? each : ops.add(total, each)), null);
      },
      hold: (parts) => {
        for (const part of parts) {
          if (part === null || !isDeferred(part)) continue;
          const making = part.making.read();
          if (making.kind === 'part') part.making.write({ ...making, isHeld: true })();
        }
      },
    },
    scope: () => opened(home, shared, null),
  };
};

/** A scope, and where that goes which it may not let go itself. */
const opened = (parent: Home, shared: Shared, outer: Array<Tensor> | null): ReturnType<PartingBackend['scope']> => {
  const { pending } = shared;
  const inner = parent.backend.scope();
  const home: Home = { depth: parent.depth + 1, backend: inner.backend };
  const spent: Array<Tensor> = [];
  const backend: PartingBackend = { ...inHome(home, shared), scope: () => opened(home, shared, spent) };
  const isMine = (making: Making): boolean => making.kind !== 'there' && making.home === home;
  return {
    backend,
    close: (keep, retire = []) => {
      const living = unmadeFor(keep, isMine);
      const lives = new Set(living);
      pending.drop((sum) => isMine(makingOf(sum)) && !lives.has(sum));
      if (outer === null) {
        const kept = keep.map((x) => looked(pending, x));
        inner.close(
          kept,
          [...retire, ...spent].filter((x) => !isUnmade(x)).map((x) => looked(pending, x)),
        );
        return;
      }
      // What it will be made of lives on, in the scope around this one.
      const operands = living.flatMap((x) => {
        const making = makingOf(x);
        if (making.kind === 'there') return [];
        x.making.write({ ...making, home: parent })();
        return making.operands;
      });
      outer.push(...retire, ...spent);
      inner.close([...keep, ...operands].filter((x) => !isUnmade(x)).map((x) => looked(pending, x)));
    },
  };
};

/**
 * A backend that puts off what is made of parts of the examples.
 *
 * @param local - a backend in host memory
 */
export const deferring = (local: Backend<Tensor>): PartingBackend => {
  let count = 0;
  const shared: Shared = {
    pending: createPending(),
    shapes: shapeInterpreter().ops,
    serial: () => {
      count += 1;
      return count;
    },
  };
  return inHome({ depth: 0, backend: local }, shared);
};

/**
 * The same for a backend whose examples are in one part: everything is done at once.
 *
 * @param local - a backend in host memory
 */
export const undivided = (local: Backend<Tensor>): PartingBackend => ({
  ...local,
  parting: {
    look: (x) => x,
    ofPart: (_, __, operands, run) => run(local.ops, operands),
    total: ([part]) => part,
    hold: () => undefined,
  },
  scope: () => {
    const scope = local.scope();
    return { ...scope, backend: undivided(scope.backend) };
  },
});
