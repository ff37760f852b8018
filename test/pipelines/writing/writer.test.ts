/** Going on with a text. */
import fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import { initialParams } from '../../../src/core/nn/model.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { gpt, recurrentText } from '../../../src/pipelines/tasks/languageNetworks.ts';
import { characterVocabulary } from '../../../src/pipelines/vocabularies/characters.ts';
import type { WritingOptions } from '../../../src/pipelines/writing/writer.ts';
import { logitsAfter, write } from '../../../src/pipelines/writing/writer.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const letters = ['a', 'b', 'c', 'd', 'e'];
const extents = { vocabulary: letters.length, context: 7, features: 8 };
const backend = referenceBackend();

const networks = [
  gpt('gpt', { ...extents, heads: 2, blocks: 2 }),
  recurrentText('lstm', { ...extents, cell: 'lstm', layers: 2 }),
  recurrentText('gru', { ...extents, cell: 'gru', layers: 1 }),
].map((model) => {
  const params = initialParams(model, keyOf(3), 'f64');
  const writer = { model, vocabulary: characterVocabulary(letters) };
  const goOn = (begun: ReadonlyArray<number>, options: WritingOptions) =>
    write(backend, writer, params, begun, options)();
  return { name: model.name, model, params, goOn };
});

const textOf = fc.array(fc.integer({ min: 0, max: letters.length - 1 }), { minLength: 1, maxLength: 7 });

describe.each(networks)('$name', ({ model, params, goOn }) => {
  it('law: a whole text at once = token by token, whatever stands after', async () => {
    await fc.assert(
      fc.asyncProperty(textOf, async (text) => {
        const { ops } = backend;
        const whole = model.program(ops, params, evaluating({ inputs: tensor(text, [1, text.length], 'i32') }));
        for (const i of text.keys()) {
          const after = orThrow(await logitsAfter(backend, model, params, text.slice(0, i + 1))());
          after.forEach((logit, token) => expect(logit).toBeCloseTo(whole.data[i * letters.length + token], 12));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('law: greedy text is that of a temperature near 0, and goes on as it began', async () => {
    await fc.assert(
      fc.asyncProperty(textOf, fc.nat(1000), async (text, seed) => {
        const greedy = orThrow(await goOn(text, { tokens: 10, temperature: 0 }));
        expect(orThrow(await goOn(text, { tokens: 10, temperature: 1e-9, seed }))).toEqual(greedy);
        expect(orThrow(await goOn(text, { tokens: 10, topK: 1, seed }))).toEqual(greedy);
        const rest = orThrow(await goOn([...text, ...greedy.slice(0, 4)], { tokens: 6, temperature: 0 }));
        expect([...greedy.slice(0, 4), ...rest]).toEqual(greedy);
      }),
      { numRuns: 10 },
    );
  });
});

describe('writing', () => {
  const [{ goOn }] = networks;

  it('tells of every token as it comes, draws by its seed, and ends when it is told to', async () => {
    const heard: Array<number> = [];
    const first = orThrow(
      await goOn([0], { tokens: 30, temperature: 2, heard: (token) => () => void heard.push(token) }),
    );
    expect(heard).toEqual(first);
    expect(orThrow(await goOn([0], { tokens: 30, temperature: 2 }))).toEqual(first);
    expect(orThrow(await goOn([0], { tokens: 30, temperature: 2, seed: 2 }))).not.toEqual(first);
    expect(orThrow(await goOn([0], { tokens: 12, temperature: 2 }))).toEqual(first.slice(0, 12));
    let asked = 0;
    const cut = await goOn([0], { tokens: 30, temperature: 2, goesOn: () => (asked += 1) <= 5 });
    expect(orThrow(cut)).toEqual(first.slice(0, 5));
  });

  it('refuses what makes no sense', async () => {
    const refusal = async (begun: ReadonlyArray<number>, options: WritingOptions) =>
      errorOf(await goOn(begun, options));
    expect(await refusal([], { tokens: 1 })).toMatchObject({ _tag: 'BadData', source: 'prompt', actual: 'none' });
    expect(await refusal([5], { tokens: 1 })).toMatchObject({ expected: 'at least one token, each from 0 to 4' });
    expect(await refusal([0], { tokens: -1 })).toMatchObject({ path: 'tokens' });
    expect(await refusal([0], { tokens: 1, temperature: NaN })).toMatchObject({ path: 'temperature' });
    expect(await refusal([0], { tokens: 1, topK: 0 })).toMatchObject({ path: 'topK' });
    expect(await refusal([0], { tokens: 1, seed: 0.5 })).toMatchObject({ path: 'seed' });
  });
});
