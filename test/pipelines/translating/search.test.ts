/** Search for translations, beside the model as a whole. */
import fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import { initialParams } from '../../../src/core/nn/model.ts';
import { mapParams } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { translationNetwork } from '../../../src/pipelines/tasks/translationNetworks.ts';
import type { SearchOptions } from '../../../src/pipelines/translating/search.ts';
import { translate } from '../../../src/pipelines/translating/search.ts';
import { characterVocabulary } from '../../../src/pipelines/vocabularies/characters.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const backend = referenceBackend();
const { ops } = backend;

/** A network for so many letters, that is not sure of much unless its logits are drawn apart. */
const networkOf = (network: 'transformer' | 'gru', letters: string, longest: number, { seed = 5, apart = 1 } = {}) => {
  const vocabulary = characterVocabulary(Array.from(letters));
  const [begin, end] = [vocabulary.size, vocabulary.size + 1];
  const extents = { vocabulary: vocabulary.size + 2, longest, features: 8, heads: 2, blocks: 1, dropout: 0 };
  const made = translationNetwork('test', { network, ...extents });
  const params = mapParams(initialParams(made.model, keyOf(seed), 'f64'), (p, path) =>
    path.startsWith('decoder.head') ? ops.scale(apart, p) : p,
  );
  const search = (sources: ReadonlyArray<ReadonlyArray<number>>, options: SearchOptions) =>
    translate(
      backend,
      { ...made, vocabulary, longest },
      params,
      sources.map((source) => Int32Array.from(source)),
      options,
    )();
  /** Log-probabilities of what comes after each of the tokens, without any padding. */
  const after = (
    source: ReadonlyArray<number>,
    tokens: ReadonlyArray<number>,
  ): ReadonlyArray<ReadonlyArray<number>> => {
    const inputs = [begin, ...tokens];
    const arrays = {
      inputs: tensor(inputs, [1, inputs.length], 'i32'),
      source: tensor(source, [1, source.length], 'i32'),
      sourceMask: tensor(
        source.map(() => 1),
        [1, source.length],
      ),
      sourceLengths: tensor([source.length], [1], 'i32'),
    };
    const { data } = ops.logSoftmax(made.model.program(ops, params, evaluating(arrays)));
    const size = vocabulary.size + 2;
    return inputs.map((_, i) => Array.from({ length: size }, (__, token) => data[i * size + token]));
  };
  const logProbability = (source: ReadonlyArray<number>, tokens: ReadonlyArray<number>): number => {
    const rows = after(source, tokens);
    return [...tokens, end].reduce((sum, token, i) => sum + rows[i][token], 0);
  };
  return { search, after, logProbability, begin, end };
};

/** Tokens with their log-probability. */
interface Drafted {
  readonly tokens: ReadonlyArray<number>;
  readonly logP: number;
}

const textOf = (letters: number, longest: number) =>
  fc.array(fc.nat(letters - 1), { minLength: 1, maxLength: longest });

describe.each(['transformer', 'gru'] as const)('%s', (network) => {
  const { search, after, logProbability, begin, end } = networkOf(network, 'abcdef', 12);

  /** The likeliest token, one after another, by the model as a whole. */
  const greedy = (source: ReadonlyArray<number>): ReadonlyArray<number> => {
    const further = (tokens: ReadonlyArray<number>): ReadonlyArray<number> => {
      if (tokens.length >= 12) return tokens;
      const next = after(source, tokens)[tokens.length].map((logP, token) => (token === begin ? -Infinity : logP));
      const token = next.indexOf(Math.max(...next));
      return token === end ? tokens : further([...tokens, token]);
    };
    return further([]);
  };

  it('law: a beam of width 1 is greedy, and so is no width', async () => {
    await fc.assert(
      fc.asyncProperty(textOf(6, 9), async (source) => {
        const expected = greedy(source);
        for (const options of [{ beam: 1 }, {}, { beam: 1, lengthPenalty: 0 }]) {
          const [{ tokens }] = orThrow(await search([source], options));
          expect(tokens).toEqual(expected);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('law: the score of a beam is the model’s log-probability of its output', async () => {
    await fc.assert(
      fc.asyncProperty(textOf(6, 9), fc.integer({ min: 1, max: 5 }), async (source, beam) => {
        const [{ tokens, logProbability: found, isWhole }] = orThrow(await search([source], { beam }));
        fc.pre(isWhole);
        expect(found).toBeCloseTo(logProbability(source, tokens), 10);
      }),
      { numRuns: 25 },
    );
  });

  it.each([1, 8])('law: nothing is given up that would be better in the end (logits times %i)', async (apart) => {
    const sure = networkOf(network, 'abcdef', 12, { apart });
    /** The beam to its last step, by the model as a whole. */
    const toTheEnd = (source: ReadonlyArray<number>, beam: number, lengthPenalty: number): ReadonlyArray<number> => {
      const from = (
        drafts: ReadonlyArray<Drafted>,
        finished: ReadonlyArray<Drafted>,
        length: number,
      ): ReadonlyArray<Drafted> => {
        if (length === 12) return finished.length > 0 ? finished : drafts;
        const kept = drafts
          .flatMap(({ tokens, logP }) =>
            sure.after(source, tokens)[length].map((more, token) => ({ tokens, token, logP: logP + more })),
          )
          .filter(({ token }) => token !== begin)
          .sort((a, b) => b.logP - a.logP)
          .slice(0, beam);
        return from(
          kept
            .filter(({ token }) => token !== end)
            .map(({ tokens, token, logP }) => ({ tokens: [...tokens, token], logP })),
          [...finished, ...kept.filter(({ token }) => token === end)],
          length + 1,
        );
      };
      const score = ({ tokens, logP }: Drafted): number => logP / (tokens.length + 1) ** lengthPenalty;
      return from([{ tokens: [], logP: 0 }], [], 0).toSorted((a, b) => score(b) - score(a))[0].tokens;
    };
    await fc.assert(
      fc.asyncProperty(
        textOf(6, 9),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 0.6, 1, 2),
        async (source, beam, lengthPenalty) => {
          const [{ tokens }] = orThrow(await sure.search([source], { beam, lengthPenalty }));
          expect(tokens).toEqual(toTheEnd(source, beam, lengthPenalty));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('law: texts that are translated together are translated as each is alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(textOf(6, 12), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 3),
        async (sources, beam) => {
          const all = orThrow(await search(sources, { beam }));
          for (const [i, source] of sources.entries()) {
            const [alone] = orThrow(await search([source], { beam }));
            expect(all[i].tokens).toEqual(alone.tokens);
            expect(all[i].logProbability).toBeCloseTo(alone.logProbability, 10);
          }
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('a beam', () => {
  it('law: one that leaves nothing out finds the likeliest of all texts', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const { search, logProbability } = networkOf('transformer', 'ab', 3, { seed });
      const all = [[], [0], [1], [0, 0], [0, 1], [1, 0], [1, 1]];
      for (const source of [[0], [1, 0], [1, 1, 0]]) {
        const best = Math.max(...all.map((tokens) => logProbability(source, tokens)));
        const [{ logProbability: found }] = orThrow(await search([source], { beam: 20, lengthPenalty: 0 }));
        expect(found).toBeCloseTo(best, 10);
      }
    }
  });

  it('refuses what makes no sense', async () => {
    const { search } = networkOf('transformer', 'ab', 3);
    const refusal = async (source: ReadonlyArray<number>, options: SearchOptions) =>
      errorOf(await search([source], options));
    expect(await refusal([0], { beam: 0 })).toMatchObject({ _tag: 'BadConfig', path: 'beam' });
    expect(await refusal([0], { lengthPenalty: -1 })).toMatchObject({ _tag: 'BadConfig', path: 'lengthPenalty' });
    expect(await refusal([], {})).toMatchObject({ _tag: 'BadData', source: 'text 1', actual: 'one of 0' });
    expect(await refusal([0, 1, 0, 1], {})).toMatchObject({ expected: 'a text of 1 to 3 tokens' });
    expect(orThrow(await search([], {}))).toEqual([]);
  });
});
