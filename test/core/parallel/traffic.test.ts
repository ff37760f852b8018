/** What is sent: sums that are looked at in part travel in part. */
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { initialParams } from '../../../src/core/nn/model.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { mapParams } from '../../../src/core/params.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Backend } from '../../../src/core/backends/backend.ts';
import type { Collective } from '../../../src/core/parallel/collective.ts';
import type { ReadonlyVector, Tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { gatherStatistics } from '../../../src/curvature/gatherStatistics.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { poisoningBackend } from '../../pipelines/trainer/poisoningBackend.ts';
import { gaussian, mlp, orThrow } from '../../support/training.ts';
import { late } from './support.ts';

/** A sum over two ranks of 4 × 9 numbers, and how many bytes of each are sent until something of it is read. */
const sent = async (look: 'diagonal' | 'repeated') => {
  const collective = simulated(2);
  const { ops, batch, read } = distributed(referenceBackend(), collective);
  const x = (batch ?? ops.constant)(generate([6, 9], (i) => i % 7));
  const sum = ops.reshape(ops.gram(x), [81]);
  const places = look === 'diagonal' ? [0, 10, 20] : Array.from({ length: 100 }, () => 10);
  const seen = ops.gather(sum, ops.constant(tensor(places, [places.length], 'i32')));
  const { data } = orThrow(await read(seen)());
  return { first: data[1], bytes: collective.traffic().bytes / 2 };
};

it('law: of a sum of which some elements are looked at, those are sent; where they are more than it has, the sum', async () => {
  const expected = [1, 10, 19, 28, 37, 46].map((i) => (i % 7) ** 2).reduce((a, b) => a + b);
  expect(await sent('diagonal')).toEqual({ first: expected, bytes: 3 * 8 });
  expect(await sent('repeated')).toEqual({ first: expected, bytes: 81 * 8 });
});

/** A product over examples of three ranks, added up and then negated: its numbers, and the bytes that come in for the sum and for the rest. */
const negated = async (small: number, wire: 'full' | 'bf16' = 'full') => {
  const collective = simulated(3);
  const { ops, batch, read } = distributed(referenceBackend(), collective, { small, wire });
  const place = batch ?? ops.constant;
  const [x, y] = [place(generate([6, 9], (i) => i % 7)), place(generate([6, 5], (i) => i % 3))];
  const [sum] = ops.addedUp([ops.matmul(x, y, { transposeA: true })]);
  const { carried } = collective.traffic();
  const { data } = orThrow(await read(ops.neg(sum))());
  return { data, adding: carried, reading: collective.traffic().carried - carried };
};

it('law: of a sum that is large each rank has a run, in half the bytes, and what is made of it element by element stays in runs', async () => {
  const bytes = 9 * 5 * 8;
  const together = await negated(45);
  expect(together).toMatchObject({ adding: (2 * bytes * 2) / 3, reading: 0 });
  expect(await negated(44)).toEqual({ ...together, adding: (bytes * 2) / 3, reading: (bytes * 2) / 3 });
  expect(await negated(44, 'bf16')).toMatchObject({ reading: 0 });
});

it('law: what will be added up is under way at once, and is waited for by whoever looks at it, in the bytes of a sum in runs', async () => {
  const collective = late(3);
  const { ops, batch, read, scope } = distributed(poisoningBackend().backend, collective, { small: 0 });
  const place = batch ?? ops.constant;
  const [x, y] = [place(generate([6, 9], (i) => i % 7)), place(generate([6, 5], (i) => i % 3))];
  const inner = scope();
  const sum = inner.backend.ops.matmul(x, y, { transposeA: true });
  const other = inner.backend.ops.matmul(x, y, { transposeA: true });
  inner.backend.ops.addingUp([sum, other, sum]);
  inner.close([sum]);
  // The one that goes back to memory has been waited for, the one that lives on has not.
  const bytes = 9 * 5 * 8;
  expect(collective.traffic().carried).toBe((bytes * 2) / 3);
  expect(sum.held.read().place.kind).toBe('sum');
  const negative = ops.neg(ops.scale(2, sum));
  expect(collective.traffic().carried).toBe((2 * bytes * 2) / 3);
  const { data } = orThrow(await read(ops.scale(-0.5, negative))());
  expect(Array.from(data)).toEqual(Array.from((await negated(45)).data, (value) => -value));
});

describe('gatherStatistics', () => {
  const averaged = pipeline(forward, backward, capture(exact()), updateFactors(kfac()));
  const gathered = pipeline(forward, backward, capture(exact()), updateFactors(kfac()), gatherStatistics);

  /** The averages after a step on two ranks, with the bytes that came in until they were there and when they were read. */
  const averagesBy = async (step: typeof averaged) => {
    const collective = simulated(2);
    const backend = distributed(referenceBackend(), collective, { small: 0 });
    const network = mlp([3, 5, 2]);
    const params = mapParams(initialParams(network, keyOf(1), 'f64'), (value) => backend.ops.constant(value));
    const place = backend.batch ?? backend.ops.constant;
    const batch = { inputs: place(gaussian(2, [6, 3])), targets: place(gaussian(3, [6, 2])) };
    const state = initialState(params, keyOf(1));
    const objective = { model: network, loss: squaredError };
    const found = orThrow(await step.run({ state, batch, objective })({ backend, clock: () => 0 })());
    const { carried } = collective.traffic();
    const averages = Object.values(found.state.curvature.averages).flatMap((each) => Object.values(each));
    const values: Array<ReadonlyVector> = [];
    for (const array of averages) values.push(orThrow(await backend.read(array)()).data);
    return { values, taking: carried, reading: collective.traffic().carried - carried };
  };

  it('law: the averages are those of before, and nothing is sent when they are looked at', async () => {
    const [apart, together] = [await averagesBy(averaged), await averagesBy(gathered)];
    expect(together.values).toEqual(apart.values);
    expect(apart.reading).toBeGreaterThan(0);
    expect(together).toMatchObject({ taking: apart.taking + apart.reading, reading: 0 });
  });
});

it('law: memory of what is under way stays as it is when a scope ends, though all of it has come by then', async () => {
  const { ops, batch, read, scope } = distributed(poisoningBackend().backend, simulated(3), { small: 0 });
  const place = batch ?? ops.constant;
  const [x, y] = [place(generate([6, 9], (i) => i % 7)), place(generate([6, 5], (i) => i % 3))];
  const inner = scope();
  const [sum] = inner.backend.ops.addingUp([inner.backend.ops.matmul(x, y, { transposeA: true })]);
  const [run] = inner.backend.ops.whole([inner.backend.ops.neg(x)]);
  inner.close([sum, run]);
  expect([sum, run].map(({ held }) => held.read().coming === null)).toEqual([false, false]);
  expect(Array.from(orThrow(await read(ops.neg(sum))()).data)).toEqual(Array.from((await negated(45)).data));
  expect(Array.from(orThrow(await read(ops.abs(run))()).data)).toEqual(Array.from({ length: 54 }, (_, i) => i % 7));
});

it('law: an array in runs that will be looked at as a whole is under way at once, and is waited for by whoever looks at it', async () => {
  const collective = late(3);
  const { ops, batch, read } = distributed(poisoningBackend().backend, collective, { small: 0 });
  const values = generate([6, 5], (i) => 1 + i);
  const x = ops.neg((batch ?? ops.constant)(values));
  ops.whole([x]);
  expect([x.held.read().place.kind, collective.traffic().carried]).toEqual(['shards', 0]);
  ops.whole([x]);
  expect(Array.from(orThrow(await read(x)()).data)).toEqual(Array.from(values.data, (value) => -value));
  // Once, in the mean 20 of 30 numbers of 8 bytes from the others.
  expect(collective.traffic().carried).toBe((30 * 8 * 2) / 3);
});

it('law: gradients of large layers are sent before the backward pass is over, and the library has its moments meanwhile', async () => {
  const events: Array<string> = [];
  const local = referenceBackend();
  const watched: Backend<Tensor> = {
    ...local,
    ops: {
      ...local.ops,
      matmul: (...given) => {
        events.push('product');
        return local.ops.matmul(...given);
      },
    },
    scope: () => ({ ...local.scope(), backend: watched }),
  };
  const own = simulated(2);
  const collective: Collective = {
    ...own,
    allToAll: (...given) => {
      events.push('sent');
      return own.allToAll(...given);
    },
    progress: () => {
      events.push('moment');
    },
  };
  const backend = distributed(watched, collective, { small: 20 });
  const network = mlp([5, 5, 5, 5]);
  const params = mapParams(initialParams(network, keyOf(1), 'f64'), (value) => backend.ops.constant(value));
  const place = backend.batch ?? backend.ops.constant;
  const batch = { inputs: place(gaussian(2, [6, 5])), targets: place(gaussian(3, [6, 5])) };
  const objective = { model: network, loss: squaredError };
  orThrow(
    await pipeline(forward, backward).run({ state: initialState(params, keyOf(1)), batch, objective })({
      backend,
      clock: () => 0,
    })(),
  );
  // Three weights of 25 numbers each; the biases are small.
  expect(events.filter((event) => event === 'sent')).toHaveLength(3);
  const between = (one: number): ReadonlyArray<string> => {
    const sent = events.flatMap((event, i) => (event === 'sent' ? [i] : []));
    return events.slice(sent[one], sent[one + 1]);
  };
  for (const one of [0, 1]) {
    expect(between(one)).toContain('product');
    expect(between(one)).toContain('moment');
  }
});

it('law: of a sum that is repeated for every example, as the mean of a batch is, the sum is sent', async () => {
  const collective = simulated(2);
  const { ops, batch, read } = distributed(referenceBackend(), collective);
  const x = (batch ?? ops.constant)(generate([6, 9], (i) => i % 7));
  const centred = ops.sub(x, ops.broadcastTo(ops.reshape(ops.mean(x, [0]), [1, 9]), [6, 9]));
  const zeros = ops.sum(centred, [0]);
  expect(collective.traffic().bytes / 2).toBe(9 * 8);
  const { data } = orThrow(await read(zeros)());
  expect(Math.max(...Array.from(data, Math.abs))).toBeLessThan(1e-14);
});
