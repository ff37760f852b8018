// The program with a small task of its own, for `npm run chaos`: half a second from start to end, with dropout and with a
// state of layers that is not trained, so that everything that a checkpoint holds is there.
import {
  activation,
  batchNorm,
  dense,
  dropout,
  generate,
  model,
  sequential,
  softmaxCrossEntropy,
} from '../dist/cjs/core/index.js';
import { datasetOf, nodeWorld, runCli, supervised } from '../dist/cjs/pipelines/index.js';

/** Points in the plane of a few sines; the class is where they are highest. */
const points = (name, examples, from) => {
  const inputs = generate([examples, 24], (i) => Math.sin((i + from) * 1.7) + Math.cos((i + from) * 0.31));
  const targets = generate(
    [examples],
    (i) => Math.abs(Math.round(3 * inputs.data[24 * i] + inputs.data[24 * i + 5])) % 4,
    'i32',
  );
  return datasetOf(name, inputs, targets).right;
};

const network = model(
  'layers',
  [24],
  sequential([
    dense({ in: 24, out: 40 }),
    batchNorm({ features: 40 }),
    activation('relu'),
    dropout(0.1),
    dense({ in: 40, out: 4 }),
  ]),
);

const task = supervised({
  name: 'points',
  model: network,
  loss: softmaxCrossEntropy,
  data: { train: points('points', 90, 0), test: points('others', 30, 1e4) },
  defaults: { steps: 20, batch: 16 },
});

process.exitCode = await runCli(nodeWorld, process.argv.slice(2), { tasks: [task] })();
