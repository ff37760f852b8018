import { createHash } from 'node:crypto';
import { softmaxCrossEntropy } from '../src/core/nn/losses/softmaxCrossEntropy.ts';
import { optimizerNames, optimizerOf } from '../src/solvers/presets/registry.ts';
import { classifier, indices } from './support/sequences.ts';
import { gaussian, mlp, orThrow, runStage, stateOf } from './support/training.ts';

it('bits', async () => {
  const tasks = [
    [{ model: classifier(3), loss: softmaxCrossEntropy }, { inputs: indices(1, [9, 3]), targets: indices(2, [9], 3) }],
    [{ model: mlp([4, 6, 3]), loss: softmaxCrossEntropy }, { inputs: gaussian(1, [9, 4]), targets: indices(2, [9], 3) }],
  ] as const;
  const lines: Array<string> = [];
  for (const [objective, batch] of tasks)
    for (const name of optimizerNames)
      for (const changed of [{}, { sharing: 'reduce', scaleShift: 'diagonal' }]) {
        if (['adam', 'sgd'].includes(name) && 'sharing' in changed) continue;
        const step = orThrow(optimizerOf(name, { ...(name === 'class-kfac' ? { classes: 3 } : {}), ...changed })).step(objective);
        let state = stateOf(objective.model, 3);
        for (let i = 0; i < 5; i += 1) state = (await runStage(step, state, batch)).next;
        const hash = createHash('sha256');
        for (const p of Object.values(state.params)) hash.update(new Uint8Array(p.data.buffer));
        lines.push(`${name} ${JSON.stringify(changed)} ${hash.digest('hex').slice(0, 16)}`);
      }
  require('node:fs').writeFileSync(process.env.OUT_BITS ?? '/dev/null', lines.join('\n'));
});
