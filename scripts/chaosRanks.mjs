// Kills one of two processes that train together, at random moments, under each MPI that is here: `npm run chaos:ranks` kills 50 times under
// each, `npm run chaos:ranks -- 2` fewer. After each kill every process must be gone within ten seconds and the launcher must
// end with an error; the run that goes on must come to the parameters of the one that nobody killed, bit for bit. Linux only: processes
// are found in /proc. Needs `npm run build` first.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout } from 'node:timers';

const wanted = Number(process.argv[2] ?? 50);
const program = resolve('scripts/chaosRun.mjs');
const directory = mkdtempSync(join(tmpdir(), 'kfac-ranks-'));

const launchers = [
  {
    name: 'Open MPI',
    command: 'mpirun.openmpi',
    flags: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
  },
  { name: 'MPICH', command: 'mpirun.mpich', flags: [] },
].filter(({ command }) => spawnSync(command, ['--version']).error === undefined);

/** Processes by their parents. */
const parents = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
        return state === 'Z'
          ? []
          : [
              {
                pid: Number(pid),
                parent: Number(parent),
                name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
              },
            ];
      } catch {
        return []; // it has ended
      }
    });

/** All processes below one. */
const below = (root, all = parents()) => {
  const own = all.filter(({ parent }) => parent === root);
  return [...own, ...own.flatMap(({ pid }) => below(pid, all))];
};

const isAlive = ({ pid }) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

const wait = (milliseconds) =>
  new Promise((done) => {
    setTimeout(done, milliseconds);
  });

/** Runs two processes; kills one of them so many milliseconds after the first step, where that is asked for. */
const run = ({ command, flags }, args, killAfter = null) =>
  new Promise((settle) => {
    const child = spawn(command, [...flags, '-n', '2', process.execPath, program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    });
    let [said, begun, killed, ranks] = ['', null, null, []];
    child.stderr.on('data', (text) => (said += text));
    child.stdout.on('data', () => {
      if (begun !== null) return;
      begun = performance.now();
      if (killAfter === null) return;
      setTimeout(() => {
        ranks = below(child.pid).filter(({ name }) => name === 'node' || name === 'MainThread');
        if (ranks.length === 0) return;
        killed = performance.now();
        process.kill(ranks[Math.floor(Math.random() * ranks.length)].pid, 'SIGKILL');
      }, killAfter);
    });
    child.on('close', async (code, signal) => {
      const end = performance.now();
      while (ranks.some(isAlive) && performance.now() < end + 15000) await wait(20);
      const gone = performance.now();
      settle({ code, signal, said, trained: end - (begun ?? end), after: killed === null ? null : gone - killed });
    });
  });

const parametersOf = (out) =>
  createHash('sha256')
    .update(readFileSync(join(out, 'kfac.safetensors')))
    .digest('hex');

const faults = [];
let [kills, slowest] = [0, 0];
for (const launcher of launchers) {
  const args = ['train', 'points', '--steps', '40', '--threads', '1', '--checkpoint-every', '2', '--json'];
  const whole = join(directory, `${launcher.command}-whole`);
  const first = await run(launcher, [...args, '--out', whole]);
  if (first.code !== 0) throw new Error(`${launcher.name}: ${first.said}`);
  const expected = parametersOf(whole);
  const out = join(directory, `${launcher.command}-killed`);
  const goesOn = () => existsSync(join(out, 'checkpoints', 'kfac', 'latest'));
  const next = () => (goesOn() ? ['train', 'points', '--resume', out, '--json'] : [...args, '--out', out, '--replace']);
  const finished = () => {
    if (parametersOf(out) !== expected) faults.push(`${launcher.name}: other parameters`);
    rmSync(out, { recursive: true, force: true });
  };
  for (let mine = 0; mine < wanted;) {
    const { code, said, after } = await run(launcher, next(), Math.random() * first.trained);
    if (after === null) {
      if (code === 0) finished();
      else {
        faults.push(`${launcher.name}: ended with ${code}: ${said.trim()}`);
        rmSync(out, { recursive: true, force: true });
      }
      continue;
    }
    mine += 1;
    kills += 1;
    slowest = Math.max(slowest, after);
    if (after > 10000) faults.push(`${launcher.name}: processes were there ${Math.round(after)} ms after the kill`);
    if (code === 0 && existsSync(join(out, 'report.txt')))
      finished(); // it had come to its end
    else if (code === 0) faults.push(`${launcher.name}: ended with 0 after a kill`);
  }
  const last = await run(launcher, next());
  if (last.code !== 0) faults.push(`${launcher.name}: ended with ${last.code}: ${last.said.trim()}`);
  else finished();
}
rmSync(directory, { recursive: true, force: true });
process.stdout.write(
  `${kills} kills under ${launchers.map(({ name }) => name).join(' and ') || 'no MPI'}, all gone after ${Math.round(slowest)} ms at most, ${faults.length} faults\n`,
);
faults.forEach((fault) => process.stderr.write(`${fault}\n`));
process.exitCode = faults.length === 0 ? 0 : 1;
