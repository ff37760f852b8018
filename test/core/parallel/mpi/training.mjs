/** Trains on all ranks and by itself, and compares: under mpirun. */
import { performance } from 'node:perf_hooks';

import {
  distributed,
  dense,
  activation,
  model,
  mpi,
  referenceBackend,
  sequential,
  squaredError,
  generate,
} from '../../../../dist/cjs/core/index.js';
import { datasetOf, supervised, train } from '../../../../dist/cjs/pipelines/index.js';
import { optimizerOf } from '../../../../dist/cjs/solvers/index.js';

const { collective } = mpi(() => performance.now() / 1000).right;

const inputs = generate([24, 3], (i) => Math.sin(1.7 * i * i + i));
const targets = generate([24, 1], (i) => Math.cos(3 * i));
const data = datasetOf('waves', inputs, targets).right;
const network = model('mlp', [3], sequential([dense({ in: 3, out: 5 }), activation('tanh'), dense({ in: 5, out: 1 })]));
const task = supervised({ name: 'waves', model: network, loss: squaredError, data: { train: data, test: data } });

const trained = async (backend, optimizer, of = task) => {
  const options = { duration: { steps: 4 }, batch: 7, seed: 3, evaluateEvery: 2 };
  const outcome = await train({ backend, clock: () => 0 }, of, optimizer, options)();
  if (outcome._tag === 'Left') throw new Error(JSON.stringify(outcome.left));
  return outcome.right;
};

const complaints = [];
const isInRows = collective.size === 4;
for (const name of isInRows ? ['kfac', 'ekfac'] : ['kfac', 'ekfac', 'kfac-adaptive', 'tridiagonal-kfac', 'adam']) {
  const optimizer = optimizerOf(name).right;
  const one = await trained(referenceBackend(), optimizer);
  for (const gradientWorkers of isInRows ? [0.5] : ['all', 'one']) {
    const many = await trained(distributed(referenceBackend(), collective, { gradientWorkers }), optimizer);
    const furthest = Math.max(
      ...Object.entries(one.params).flatMap(([path, { data: x }]) =>
        Array.from(x, (value, i) => Math.abs(value - many.params[path].data[i]) / (1 + Math.abs(value))),
      ),
    );
    if (!(furthest < 1e-12)) complaints.push(`${name}, inverses with ${gradientWorkers}: ${furthest}`);
  }
}

// Rounded sums are the same bytes on every rank; enough of them are large enough to be rounded.
const wide = model(
  'wide',
  [3],
  sequential([dense({ in: 3, out: 300 }), activation('tanh'), dense({ in: 300, out: 1 })]),
);
const rounded = await trained(
  distributed(referenceBackend(), collective, { wire: 'bf16' }),
  optimizerOf('adam').right,
  supervised({ name: 'waves', model: wide, loss: squaredError, data: { train: data, test: data } }),
);
for (const [path, { data: own }] of Object.entries(rounded.params)) {
  const first = Float64Array.from(own);
  collective.broadcast(0, first).wait();
  if (!first.every((value, i) => Object.is(value, own[i]))) complaints.push(`${path} is other than on rank 0`);
}
collective.barrier().wait();
collective.end();
if (complaints.length > 0) {
  console.error(complaints.join('\n'));
  process.exit(1);
}
if (collective.ranks[0] === 0) console.log(`fine on ${collective.size}`);
