/**
 * What a collective must satisfy, checked by every rank of it: `node collectiveLaws.mjs single`, `… simulated 3`, or under mpirun
 * `… mpi`. Ends with 1 and says what is wrong on standard error.
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';

import { mpi, simulated, single } from '../../../../dist/cjs/core/index.js';

const [kind, count] = process.argv.slice(2);

const opened = () => {
  if (kind === 'single') return single();
  if (kind === 'simulated') return simulated(Number(count));
  // Three ranks of MPICH take it that they share cores, whatever the machine has.
  const isCrowded = process.env.PMI_SIZE === '3';
  const joined = mpi(() => performance.now() / 1000, {
    ...process.env,
    ...(isCrowded ? { MPI_LOCALNRANKS: '9999' } : {}),
  });
  if (joined._tag === 'Left') throw new Error(JSON.stringify(joined.left));
  return joined.right.collective;
};

const collective = opened();
const { size, ranks } = collective;
const all = Array.from({ length: size }, (_, rank) => rank);
const types = { f32: Float32Array, f64: Float64Array, i32: Int32Array };
const complaints = [];

/** A number that every rank can tell of every other: whole, so that sums are exact. */
const valueAt = (rank, i) => ((rank + 1) * 7919 + i * 104729) % 1000;
const vectorOf = (Type, rank, length) => Type.from({ length }, (_, i) => valueAt(rank, i));
/** Where a rank's run begins. */
const beginOf = (lengths, rank) => lengths.slice(0, rank).reduce((sum, length) => sum + length, 0);
const total = (i) => all.reduce((sum, rank) => sum + valueAt(rank, i), 0);

const expectSame = (law, actual, expected) => {
  const at = Array.from(expected).findIndex((value, i) => !Object.is(actual[i], value));
  if (at >= 0 || actual.length !== expected.length) {
    complaints.push(`${law}: ${actual[at]} instead of ${expected[at]} at ${at} of ${expected.length}`);
  }
};

/** Holding the thread, and not. */
const waits = {
  wait: async (posted) => posted.wait(),
  done: async (posted) => {
    const outcome = await posted.done();
    if (outcome._tag === 'Left') complaints.push(JSON.stringify(outcome.left));
  },
};

for (const [type, Type] of Object.entries(types)) {
  for (const [how, until] of Object.entries(waits)) {
    for (const length of [1, 5, 3000]) {
      const where = `of ${length} ${type}, ${how}`;
      const parts = ranks.map((rank) => vectorOf(Type, rank, length));

      const sum = new Type(length);
      await until(collective.allReduce(parts, sum));
      expectSame(
        `allReduce ${where}`,
        sum,
        Type.from({ length }, (_, i) => total(i)),
      );
      expectSame(`allReduce leaves its parts ${where}`, parts[0], vectorOf(Type, ranks[0], length));

      // Runs of different lengths, one of them empty where there are several.
      const lengths = all.map((rank) => (rank === 1 ? 0 : length + rank));
      const gathered = new Type(lengths.reduce((a, b) => a + b, 0));
      await until(
        collective.allGather(
          ranks.map((rank) => vectorOf(Type, rank, lengths[rank])),
          lengths,
          gathered,
        ),
      );
      expectSame(
        `allGather ${where}`,
        gathered,
        Type.from(all.flatMap((rank) => Array.from(vectorOf(Type, rank, lengths[rank])))),
      );

      const whole = lengths.reduce((a, b) => a + b, 0);
      const root = size - 1;
      const sent = vectorOf(Type, ranks.includes(root) ? root : ranks[0], length);
      await until(collective.broadcast(root, sent));
      expectSame(`broadcast ${where}`, sent, vectorOf(Type, root, length));

      const received = ranks.map((rank) => new Type(size * lengths[rank]));
      await until(
        collective.allToAll(
          ranks.map((rank) => vectorOf(Type, rank, whole)),
          lengths,
          received,
        ),
      );
      ranks.forEach((rank, i) => {
        const begin = beginOf(lengths, rank);
        const expected = Array.from({ length: size }, (_, from) =>
          Array.from(vectorOf(Type, from, whole).slice(begin, begin + lengths[rank])),
        );
        expectSame(`allToAll ${where}, rank ${rank}`, received[i], Type.from(expected.flat()));
      });

      // Among every second rank: two messages at the same time, neither of which the others hear.
      for (const first of [0, 1].slice(0, size)) {
        const among = Array.from({ length: size }, (_, rank) => rank).filter((rank) => rank % 2 === first);
        const here = ranks.filter((rank) => among.includes(rank));
        if (here.length === 0) continue;
        const last = among.at(-1);
        const told = vectorOf(Type, here.includes(last) ? last : here[0], length);
        await until(collective.broadcast(last, told, among));
        expectSame(`broadcast among ${among.join(', ')} ${where}`, told, vectorOf(Type, last, length));
      }

      const outs = ranks.map((rank) => new Type(lengths[rank]));
      await until(
        collective.reduceScatter(
          ranks.map((rank) => vectorOf(Type, rank, whole)),
          lengths,
          outs,
        ),
      );
      ranks.forEach((rank, i) => {
        const begin = beginOf(lengths, rank);
        expectSame(
          `reduceScatter ${where}`,
          outs[i],
          Type.from({ length: lengths[rank] }, (_, k) => total(begin + k)),
        );
      });
    }
  }
}

// Several on their way at the same time, waited for in another order than they were posted in.
const outs = [0, 1, 2].map(() => new Float64Array(400));
const posted = outs.map((out, k) =>
  collective.allReduce(
    ranks.map((rank) => Float64Array.from({ length: 400 }, (_, i) => k + valueAt(rank, i))),
    out,
  ),
);
for (const k of [2, 0, 1]) {
  await (k === 0 ? waits.done : waits.wait)(posted[k]);
  expectSame(
    `several at once, ${k}`,
    outs[k],
    Float64Array.from({ length: 400 }, (_, i) => size * k + total(i)),
  );
}

// Several on their way, which nobody waits for: they get on by progress alone, a second one too once the first is over.
const unawaited = [1, 300_000].map((length) => {
  const out = new Float64Array(length).fill(-1);
  const parts = ranks.map((rank) => Float64Array.from({ length }, (_, i) => valueAt(rank, i)));
  return { out, length, posted: collective.allReduce(parts, out) };
});
const until = performance.now() + 60_000;
for (const { out, length, posted } of unawaited) {
  const isOver = () => Object.is(out[0], total(0)) && Object.is(out[length - 1], total(length - 1));
  while (!isOver() && performance.now() < until) collective.progress();
  if (!isOver()) complaints.push(`a sum of ${length} does not get on by progress`);
  posted.wait();
  expectSame(
    'a sum that got on by progress',
    out,
    Float64Array.from({ length }, (_, i) => total(i)),
  );
}

// Sums of any numbers are the same bits on every rank.
const numbers = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(1 + i + ranks[0]) / 3);
const rounded = new Float64Array(1000);
collective
  .allReduce(
    ranks.map(() => numbers),
    rounded,
  )
  .wait();
const everywhere = new Float64Array(1000 * size);
collective
  .allGather(
    ranks.map(() => rounded),
    all.map(() => 1000),
    everywhere,
  )
  .wait();
for (const rank of all) {
  expectSame('the same bits everywhere', everywhere.slice(1000 * rank, 1000 * (rank + 1)), rounded);
}

collective.barrier().wait();
if (!(collective.traffic().messages > 70)) complaints.push('traffic is not counted');
collective.end();
if (complaints.length > 0) {
  console.error(complaints.slice(0, 5).join('\n'));
  process.exit(1);
}
if (ranks[0] === 0) console.log(`fine on ${size}`);
