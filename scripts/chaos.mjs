// Kills runs at random moments and goes on with them: `npm run chaos` kills 1000 times, `npm run chaos -- 25` fewer, and
// CHAOS_SEED=<n> at the moments of a run before, as far as a machine repeats itself. After each kill whatever has the name of a
// checkpoint must be whole; a run that comes to its end must have the parameters and the metrics of the one that nobody killed,
// bit for bit. It tells how far it is every 50 kills. Needs `npm run build` first.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

const wanted = Number(process.argv[2] ?? 1000);
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);
const program = resolve('scripts/chaosRun.mjs');
const directory = mkdtempSync(join(tmpdir(), 'kfac-chaos-'));

/** A composed optimizer whose inverses drift and are under way, with burn-in. */
const composed = join(directory, 'composed.json');
writeFileSync(
  composed,
  JSON.stringify({
    optimizer: {
      name: 'composed',
      estimator: { kind: 'monteCarlo', samples: 1 },
      curvature: 'kfac',
      solver: { kind: 'kroneckerInverse', damping: 0.5, every: { drift: 0.05 }, staleness: 2 },
      update: { learningRate: 0.1, burnIn: 3, rules: [{ kind: 'momentum', mu: 0.8 }] },
    },
  }),
);

const common = ['--threads', '1', '--json'];

/** What is run. */
const shapes = [
  { name: 'kfac, every step', args: ['train', 'points', '--optimizer', 'kfac', '--checkpoint-every', '1'] },
  {
    name: 'several, patience',
    args: ['compare', 'points', '--optimizers', 'ekfac,adam', '--checkpoint-every', '3', '--evaluate-every', '2'],
    more: ['--patience', '20', '--keep', '1'],
  },
  {
    name: 'composed: drift, overlap, burn-in',
    args: ['train', 'points', '--config', composed, '--checkpoint-every', '2'],
  },
  {
    name: 'portable, adam',
    args: ['train', 'points', '--optimizer', 'adam', '--backend', 'gpu', '--checkpoint-every', '1', '--steps', '60'],
  },
];

/** Numbers between 0 and 1 that follow from the seed (mulberry32). */
let word = seed;
const random = () => {
  word = (word + 0x6d2b79f5) | 0;
  let x = Math.imul(word ^ (word >>> 15), 1 | word);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
};

/**
 * Runs the program to its end, or kills it: most often some milliseconds after its first step, else after its start.
 */
const run = (args, kill = null) =>
  new Promise((settle) => {
    const start = performance.now();
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const timers = [];
    const killAfter = (delay) => timers.push(setTimeout(() => child.kill('SIGKILL'), delay));
    let said = '';
    let begun = null;
    child.stderr.on('data', (text) => (said += text));
    child.stdout.on('data', () => {
      if (begun !== null) return;
      begun = performance.now();
      if (kill?.isTraining === true) killAfter(kill.part * kill.training);
    });
    if (kill?.isTraining === false) killAfter(kill.part * kill.whole);
    child.on('close', (code, signal) => {
      timers.forEach(clearTimeout);
      const end = performance.now();
      settle({ code, signal, said, took: end - start, trained: begun === null ? 0 : end - begun });
    });
  });

/** What differs from run to run. */
const ofTheMachine = ['seconds', 'stages', 'rssMb', 'peakRssMb'];

/** What a run has come to: parameters as they are, metrics but for times and memory. */
const resultOf = (out) => {
  const names = readdirSync(out).filter((name) => name.endsWith('.safetensors'));
  const metrics = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) =>
      Object.fromEntries(Object.entries(JSON.parse(line)).filter(([name]) => !ofTheMachine.includes(name))),
    );
  const hash = createHash('sha256');
  names.toSorted().forEach((name) => hash.update(name).update(readFileSync(join(out, name))));
  return { parameters: hash.digest('hex'), metrics: JSON.stringify(metrics), steps: metrics.length };
};

/** Checkpoints that are not what their hashes say, or what `latest` names and is not there. */
const halfWritten = (out) => {
  const root = join(out, 'checkpoints');
  if (!existsSync(root)) return [];
  return readdirSync(root).flatMap((optimizer) => {
    const folder = join(root, optimizer);
    const steps = readdirSync(folder).filter((name) => /^step-\d+$/.test(name));
    const broken = steps.filter((name) => {
      if (!existsSync(join(folder, name, 'SHA256SUMS'))) return true;
      const lines = readFileSync(join(folder, name, 'SHA256SUMS'), 'utf8')
        .trim()
        .split('\n');
      return (
        lines.length !== 2 ||
        lines.some((line) => {
          const [hash, file] = line.split('  ');
          if (!existsSync(join(folder, name, file))) return true;
          return (
            createHash('sha256')
              .update(readFileSync(join(folder, name, file)))
              .digest('hex') !== hash
          );
        })
      );
    });
    const latest = join(folder, 'latest');
    const lost = existsSync(latest) && !steps.includes(readFileSync(latest, 'utf8').trim()) ? ['latest'] : [];
    return [...broken, ...lost].map((name) => join(folder, name));
  });
};

const hasCheckpoint = (out) =>
  existsSync(join(out, 'checkpoints')) &&
  readdirSync(join(out, 'checkpoints')).some((name) => existsSync(join(out, 'checkpoints', name, 'latest')));

const count = { kills: 0, duringWrites: 0, finished: 0, resumed: 0, lost: 0, half: 0 };
const faults = [];

const chaos = async (shape, kills) => {
  const whole = join(directory, `whole-${shapes.indexOf(shape)}`);
  const args = [...shape.args, ...(shape.more ?? []), ...common];
  const first = await run([...args, '--out', whole]);
  if (first.code !== 0) throw new Error(`${shape.name}: ${first.said}`);
  const expected = resultOf(whole);
  const out = join(directory, `killed-${shapes.indexOf(shape)}`);
  let mine = 0;
  let [longest, training] = [first.took, first.trained];
  while (mine < kills) {
    const goesOn = hasCheckpoint(out);
    const task = [shape.args[0], 'points'];
    const onward = goesOn ? [...task, '--resume', out, '--json'] : [...args, '--out', out, '--replace'];
    const kill = { isTraining: random() < 0.8, part: random(), training, whole: longest };
    const { code, signal, said, took, trained } = await run(onward, kill);
    if (goesOn) count.resumed += 1;
    if (signal === 'SIGKILL') {
      mine += 1;
      count.kills += 1;
      const root = join(out, 'checkpoints');
      const isWriting =
        existsSync(root) && readdirSync(root, { recursive: true }).some((name) => name.endsWith('.tmp'));
      if (isWriting) count.duringWrites += 1;
      const broken = halfWritten(out);
      count.half += broken.length;
      broken.forEach((path) => faults.push(`${shape.name}: ${path} is half written`));
      if (count.kills % 50 === 0) console.error(`${count.kills} kills, ${faults.length} faults (${shape.name})`);
      continue;
    }
    // How long it takes changes with what else the machine does.
    if (!goesOn) [longest, training] = [took, trained];
    if (code !== 0) {
      count.lost += 1;
      faults.push(`${shape.name}: ended with ${code}: ${said.trim()}`);
    } else {
      const found = resultOf(out);
      count.finished += 1;
      if (found.parameters !== expected.parameters) faults.push(`${shape.name}: other parameters`);
      if (found.metrics !== expected.metrics) faults.push(`${shape.name}: other metrics`);
    }
    rmSync(out, { recursive: true, force: true });
  }
  // The last one is taken to its end, so that no kill goes unchecked.
  const last = hasCheckpoint(out)
    ? await run([shape.args[0], 'points', '--resume', out, '--json'])
    : await run([...args, '--out', out, '--replace']);
  if (last.code !== 0) {
    count.lost += 1;
    faults.push(`${shape.name}: ended with ${last.code}: ${last.said.trim()}`);
    return;
  }
  const found = resultOf(out);
  count.finished += 1;
  if (found.parameters !== expected.parameters) faults.push(`${shape.name}: other parameters`);
  if (found.metrics !== expected.metrics) faults.push(`${shape.name}: other metrics`);
};

for (const [i, shape] of shapes.entries()) {
  await chaos(shape, Math.floor(((i + 1) * wanted) / shapes.length) - Math.floor((i * wanted) / shapes.length));
}
rmSync(directory, { recursive: true, force: true });
faults.forEach((fault) => console.error(fault));
console.log(
  `${count.kills} kills (${count.duringWrites} while a checkpoint was being written), ${count.resumed} resumed, ` +
    `${count.finished} runs came to their end; ${count.half} files half written, ${count.lost} runs lost, ` +
    `${faults.length} faults (seed ${seed})`,
);
process.exit(faults.length === 0 ? 0 : 1);
