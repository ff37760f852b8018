// Ten thousand steps of a small model, and what memory does meanwhile: `npm run endurance`, `npm run endurance -- 2000 native` for
// fewer steps or some of the backends (native, portable, webgpu, and browser: WebGL 2 and WebGPU in Chromium, as a test does).
// Resident memory is looked at ten times, after the garbage is gone; it goes up and down with pages that an allocator takes and gives
// back, so halves are compared. Nor may the arrays on a device become more. Needs `npm run build` first.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

/** Chromium's software rasteriser stands in for a graphics card, as in the tests. */
const chromium = '/usr/lib/chromium';
const rasteriser = `${chromium}/vk_swiftshader_icd.json`;

/** What the second half of the steps may hold more than the first, in MiB, means of looks; those in the first tenth do not count. */
const slack = 16;

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const mebibyte = 2 ** 20;

/** One run, in a process of its own: resident memory in MiB and arrays on the device, ten times. */
const measured = async (name, steps) => {
  const core = await import('../dist/esm/core/index.js');
  const { training } = await import('../dist/esm/pipelines/index.js');
  const { kfacOptimizer } = await import('../dist/esm/solvers/index.js');
  const { supervised } = await import('../dist/esm/pipelines/index.js');
  const inputs = core.generate([64, 24], (i) => Math.sin(i * 1.7) + Math.cos(i * 0.31));
  const targets = core.generate(
    [64],
    (i) => Math.abs(Math.round(3 * inputs.data[24 * i] + inputs.data[24 * i + 5])) % 4,
    'i32',
  );
  const network = core.sequential([
    core.dense({ in: 24, out: 32 }),
    core.batchNorm({ features: 32 }),
    core.activation('relu'),
    core.dropout(0.1),
    core.dense({ in: 32, out: 4 }),
  ]);
  const task = supervised({
    name: 'points',
    model: core.model('points', [24], network),
    loss: core.softmaxCrossEntropy,
  });
  function* batches() {
    for (let i = 0; i < steps; i += 1) yield { inputs, targets };
  }
  const looks = [];
  let most = 0; // arrays on the device, since the last look
  const run = (backend) => async () => {
    const env = { backend, clock: () => performance.now() / 1000 };
    for await (const step of training(env, task, kfacOptimizer({ inverseEvery: 10 }), {
      seed: 1,
      batches: batches(),
    })) {
      if (step._tag === 'Left') return step;
      most = Math.max(most, backend.usage?.().arrays ?? 0);
      if (step.right.step % (steps / 10) !== 0) continue;
      globalThis.gc();
      const { rss, heapUsed } = process.memoryUsage();
      looks.push({
        step: step.right.step,
        rss: rss / mebibyte,
        heap: heapUsed / mebibyte,
        arrays: backend.usage === undefined ? null : most,
      });
      most = 0;
    }
    return { _tag: 'Right', right: looks };
  };
  const options = {
    native: { backend: 'native' },
    portable: { backend: 'portable' },
    webgpu: { backend: 'gpu', gpuMode: 'webgpu' },
  };
  const outcome = await core.withBackend(options[name], run)();
  if (outcome._tag === 'Left') throw new Error(core.describeError(outcome.left));
  return outcome.right;
};

/** The law of leaks in Chromium, for so many steps. */
const inBrowser = (steps) =>
  spawnSync(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      'test/browser/devices.test.ts',
      '-t',
      'law: no leaks',
      '--testTimeout',
      '7200000',
    ],
    { stdio: 'inherit', env: { ...process.env, ENDURANCE_STEPS: String(steps) } },
  ).status ?? 1;

const [asked, ...rest] = process.argv.slice(2);
if (asked === '--one') {
  console.log(JSON.stringify(await measured(rest[0], Number(rest[1]))));
} else {
  const steps = Number(asked ?? 10_000);
  const names = rest.length === 0 ? ['native', 'portable', 'webgpu', 'browser'] : rest;
  const faults = names.map((name) => {
    if (name === 'browser') return inBrowser(steps);
    const graphics = existsSync(rasteriser) ? { VK_ICD_FILENAMES: rasteriser, LD_LIBRARY_PATH: chromium } : {};
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', fileURLToPath(import.meta.url), '--one', name, String(steps)],
      { encoding: 'utf8', env: { ...graphics, ...process.env }, maxBuffer: 2 ** 26 },
    );
    if (status !== 0) {
      console.log(
        `${name}: did not run. ${
          stderr
            .trim()
            .split('\n')
            .find((line) => line.startsWith('Error')) ?? stderr
        }`,
      );
      return 1;
    }
    const looks = JSON.parse(stdout.trim().split('\n').at(-1));
    const [start, ...later] = looks;
    const rss = later.map((look) => look.rss);
    const [first, second] = [mean(rss.slice(0, 4)), mean(rss.slice(4))];
    const [arrays, last] = [start.arrays, looks.at(-1)];
    const isFlat = second - first <= slack && last.arrays <= arrays;
    const onDevice =
      arrays === null ? '' : `; at most ${arrays} arrays on the device at first, ${last.arrays} in the end`;
    console.log(
      `${name}: ${steps} steps; resident ${first.toFixed(1)} MiB in the first half, ${second.toFixed(1)} in the second, ` +
        `between ${Math.min(...rss).toFixed(1)} and ${Math.max(...rss).toFixed(1)}; heap ${start.heap.toFixed(1)} and ` +
        `${last.heap.toFixed(1)} MiB${onDevice}${isFlat ? '' : ': it grows'}`,
    );
    return isFlat ? 0 : 1;
  });
  process.exit(Math.max(...faults));
}
