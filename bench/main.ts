/**
 * `npm run bench [-- matmul elementwise training overlap memory portable gpu]`: kernels and training steps against the machine's own limit, in one run.
 * `npm run bench -- problems [FLAGS]`: the suite of problems, with the flags of `kfac bench`.
 * `npm run bench -- presets [NAMES]`: cost and memory of every preset. `npm run bench -- curves [NAMES]`: loss by step.
 * `npm run bench -- courses [lenet resnet8 gpt] [with=NAME] [f64] [steps=N]`: twenty steps of these models here and on another backend, and how far
 * apart they are.
 * `npm run bench -- fashion [small|full] [data=DIRECTORY] [steps=N] [every=N]`: K-FAC beside Adam to 90 % of Fashion-MNIST.
 * `npm run bench -- games [NAMES] [SEEDS [FIRST]]`: solvers of games on gan-ring, seeds 1 to 10 of each unless given.
 * `npm run bench -- reach [NAMES]`: steps and seconds to a loss, beside `bench/peers/autoencoder.py`; `kfac-adaptive` and `adam@0.001` unless named.
 * `npm run bench -- damping`: what λ costs where it is held and where it adapts, with the figures of `docs/damping.md`.
 * `npm run bench -- mpi [steps=N]`: two processes beside one, and what `kfac plan` said of them.
 * `npm run bench -- chromium`: products of `portable` in pages, beside two libraries.
 * `npm run bench -- models [lenet resnet8 gpt]`: passes and steps of networks, and memory, beside `bench/peers/models.py`.
 *
 * @module
 */
import { nativeBackend } from '../src/core/backends/native/backend.ts';
import { openNativeKernels } from '../src/core/backends/native/kernels.ts';
import { runCli } from '../src/pipelines/cli/run.ts';
import { choiceOf, isForClasses } from '../src/pipelines/problems/choices.ts';
import { nodeWorld } from '../src/pipelines/world.ts';
import { optimizerNames } from '../src/solvers/presets/registry.ts';
import { benchInChromium } from './gpu/chromium.ts';
import { benchGpu } from './gpu/main.ts';
import { benchCourses } from './courses.ts';
import { benchCurves } from './curves.ts';
import { benchDamping } from './damping.ts';
import { benchFashion } from './fashion.ts';
import { numberAfter } from './flags.ts';
import { benchElementwise } from './elementwise.ts';
import { benchGames } from './games.ts';
import { benchMatmul, sgemmRate } from './matmul.ts';
import { benchModels } from './models.ts';
import { benchOverlap } from './overlap.ts';
import { benchPresets, measurePreset } from './presets.ts';
import { benchRanks } from './ranks.ts';
import { benchReach } from './reach.ts';
import { succeed } from './succeed.ts';
import { benchMemory, benchTraining } from './training.ts';

const sections = process.argv.slice(2);
/** Presets named after the section, `adam@0.003` with a learning rate. */
const presets = sections.filter((section) => optimizerNames.includes(choiceOf(section).optimizer));
/** Presets that need no classes. */
const runsOnImages = (optimizer: string): boolean => !isForClasses({ optimizer });
const wanted = (section: string): boolean => sections.length === 0 || sections.includes(section);

const benchNative = async (): Promise<void> => {
  const kernels = succeed(openNativeKernels());
  const backend = succeed(nativeBackend({ dtype: 'f32' }));
  const { library, threads } = backend.report();
  console.log(`${library}, ${threads} threads`);

  if (wanted('matmul')) benchMatmul(kernels, backend);
  if (wanted('elementwise')) benchElementwise(backend);
  if (wanted('training')) {
    const rate = sgemmRate(kernels);
    console.log(`\nsgemm at N = 1000: ${(rate / 1e9).toFixed(0)} GFLOP/s`);
    await benchTraining(backend, rate, ['sgd', 'adam', 'kfac', 'kfac-adaptive']);
  }
  if (wanted('overlap')) await benchOverlap(backend);
  if (sections.includes('preset')) {
    for (const name of presets) console.log(JSON.stringify(await measurePreset(backend, sgemmRate(kernels), name)));
  }
  if (sections.includes('curves')) {
    await benchCurves(backend, presets.length === 0 ? ['adam@0.001', ...optimizerNames.filter(runsOnImages)] : presets);
  }
  if (sections.includes('reach')) {
    await benchReach(backend, presets.length === 0 ? ['kfac-adaptive', 'adam@0.001'] : presets);
  }
  if (sections.includes('models')) await benchModels(backend, sections);
  if (sections.includes('courses')) await benchCourses(backend, sections);
  if (sections.includes('fashion')) await benchFashion(backend, sections);
  if (wanted('memory')) await benchMemory(backend);
};

const others = ['mpi', 'gpu', 'portable', 'chromium', 'presets', 'problems', 'games', 'damping'];
if (sections[0] === 'problems') process.exitCode = await runCli(nodeWorld, ['bench', ...sections.slice(1)])();
if (sections.includes('portable')) await benchGpu('portable');
if (sections.includes('gpu')) await benchGpu('gpu');
if (sections.includes('chromium')) await benchInChromium();
if (sections[0] === 'games') {
  const [names, counts] = [sections.slice(1), sections.slice(1).map(Number).filter(Number.isInteger)];
  await benchGames(
    names.filter((name) => Number.isNaN(Number(name))),
    counts[0] ?? 10,
    counts[1] ?? 1,
  );
}
if (sections.includes('damping')) await benchDamping();
if (sections.includes('mpi')) await benchRanks(numberAfter(sections, 'steps', 60));
if (sections.includes('presets')) benchPresets(process.argv[1], presets);
if (sections.length === 0 || !sections.some((section) => others.includes(section))) await benchNative();
