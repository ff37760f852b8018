import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { describeError } from '../../../src/core/errors.ts';
import { decodeConfigFile, readConfigFile } from '../../../src/pipelines/config/file.ts';
import type { RunConfig } from '../../../src/pipelines/config/runConfig.ts';
import { mergeConfigs } from '../../../src/pipelines/config/runConfig.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';

const decode = (text: string) => decodeConfigFile(text, 'run.yaml');

const configOf: fc.Arbitrary<RunConfig> = fc.record(
  {
    optimizer: fc.constantFrom('kfac', 'adam'),
    optimizers: fc.array(fc.constantFrom('kfac', 'adam', 'sgd'), { minLength: 1 }),
    settings: fc.dictionary(
      fc.constantFrom('kfac', 'adam'),
      fc.dictionary(fc.constantFrom('damping', 'learningRate', 'strict'), fc.oneof(fc.integer(), fc.boolean())),
    ),
    size: fc.constantFrom('small' as const, 'full' as const),
    steps: fc.integer({ min: 1 }),
    batch: fc.integer({ min: 1 }),
    seed: fc.nat(),
    backend: fc.constantFrom('auto' as const, 'native' as const, 'gpu' as const, 'reference' as const),
    data: fc.constant('some/where'),
  },
  { requiredKeys: [] },
);

describe('decodeConfigFile', () => {
  it('worked example: YAML', () => {
    const text = 'optimizer: kfac\nsteps: 60\nsettings:\n  kfac: { damping: 0.5, strict: true }\n';
    expect(orThrow(decode(text))).toEqual({
      optimizer: 'kfac',
      steps: 60,
      settings: { kfac: { damping: 0.5, strict: true } },
    });
  });

  it('law: what JSON says of a configuration is read back', () => {
    fc.assert(
      fc.property(configOf, (config) => {
        expect(orThrow(decode(JSON.stringify(config)))).toEqual(config);
      }),
    );
  });

  it('an empty file sets nothing', () => {
    expect(orThrow(decode(''))).toEqual({});
    expect(orThrow(decode('# only a comment\n'))).toEqual({});
  });

  it.each([
    ['steps: many', 'steps', 'a whole number of at least 1', '"many"'],
    ['steps: 1.5', 'steps', 'a whole number of at least 1', '1.5'],
    ['steps: 0', 'steps', 'a whole number of at least 1', '0'],
    ['steps:', 'steps', 'a whole number of at least 1', 'nothing'],
    ['epochs: -1', 'epochs', 'a number above 0', '-1'],
    ['size: tiny', 'size', 'one of small, full', '"tiny"'],
    ['backend: cuda', 'backend', 'one of auto, native, gpu, reference', '"cuda"'],
    ['optimizers: kfac', 'optimizers', 'a list of optimizers', '"kfac"'],
    ['optimizers: [kfac, 3]', 'optimizers.1', 'the name of an optimizer, or a record with a solver', '3'],
    [
      'optimizer: { solver: adma }',
      'optimizer.solver.kind',
      expect.stringMatching(/^one of .*adam/) as string,
      '"adma"',
    ],
    ['settings: 3', 'settings', 'settings by optimizer', '3'],
    ['settings: { kfac: 3 }', 'settings.kfac', 'a record of settings', '3'],
    ['settings: { kfac: { damping: [1] } }', 'settings.kfac.damping', 'a number, true, false or text', 'a list'],
    ['settings: { kfac: { damping: .nan } }', 'settings.kfac.damping', 'a number, true, false or text', 'NaN'],
    ['setps: 3', 'setps', expect.stringMatching(/^one of .*steps/) as string, 'an unknown setting'],
  ])('%s is an error with its path', (text, path, expected, actual) => {
    expect(errorOf(decode(text))).toEqual({ _tag: 'BadConfig', path: `run.yaml: ${path}`, expected, actual });
  });

  it.each([['- a\n- b'], ['just words'], ['3']])('%j is no record of settings', (text) => {
    expect(errorOf(decode(text))).toMatchObject({
      _tag: 'BadConfig',
      path: 'run.yaml',
      expected: 'a record of settings',
    });
  });

  it.each([['steps: [1'], ['{ "steps": 3'], ['a: b: c']])('%j is no YAML', (text) => {
    const error = errorOf(decode(text));
    expect(error).toMatchObject({ _tag: 'BadConfig', path: 'run.yaml', expected: 'YAML or JSON' });
    expect(describeError(error)).not.toContain('\n');
  });

  it('a file that is not there is an error with its name', async () => {
    const error = errorOf(await readConfigFile(memoryFiles(), 'no.yaml')());
    expect(error).toMatchObject({ _tag: 'FileFailed', path: 'no.yaml' });
  });

  it('law: nothing that can be written in JSON makes it throw', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(['Left', 'Right']).toContain(decode(text)._tag);
      }),
    );
  });
});

describe('mergeConfigs', () => {
  it('law: the second has the last word, the first fills the gaps', () => {
    fc.assert(
      fc.property(configOf, configOf, (base, over) => {
        const merged = mergeConfigs(base, over);
        for (const key of ['optimizer', 'size', 'steps', 'batch', 'seed', 'backend', 'data'] as const) {
          expect(merged[key]).toEqual(over[key] ?? base[key]);
        }
        for (const [name, settings] of Object.entries(merged.settings ?? {})) {
          for (const [key, value] of Object.entries(settings)) {
            expect(value).toEqual(over.settings?.[name]?.[key] ?? base.settings?.[name]?.[key]);
          }
        }
      }),
    );
  });

  it('a duration replaces a duration of the other unit', () => {
    expect(mergeConfigs({ epochs: 3 }, { steps: 10 })).toMatchObject({ steps: 10, epochs: undefined });
    expect(mergeConfigs({ steps: 3 }, { epochs: 1 })).toMatchObject({ steps: undefined, epochs: 1 });
    expect(E.isRight(decode('steps: 3\nepochs: 1'))).toBe(true); // refused later, when the plan is made
  });
});
