import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import fc from 'fast-check';

import type { BadConfig } from '../../../src/core/errors.ts';
import { describeError } from '../../../src/core/errors.ts';
import { decodeConfigFile, readConfigFile } from '../../../src/pipelines/config/file.ts';
import type { RunConfig } from '../../../src/pipelines/config/runConfig.ts';
import { mergeConfigs } from '../../../src/pipelines/config/runConfig.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';

const read = (text: string) => decodeConfigFile(text, 'run.yaml');

const decode = (text: string) =>
  pipe(
    read(text),
    E.map(({ config }) => config),
  );

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
    ['backend: cuda', 'backend', 'one of auto, native, gpu, portable, reference', '"cuda"'],
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

  it('worked example: merge keys, and anchors of what is there already', () => {
    const text = 'settings:\n  kfac: &base { damping: 0.5, momentum: 0.9 }\n  ekfac: { <<: *base, momentum: 0.5 }\n';
    expect(orThrow(read(text))).toEqual({
      config: { settings: { kfac: { damping: 0.5, momentum: 0.9 }, ekfac: { damping: 0.5, momentum: 0.5 } } },
      warnings: [],
    });
  });

  it('a tag that nobody knows is told of, and nothing is written to the screen', () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    expect(orThrow(read('backend: !env auto\ndata: !here d'))).toEqual({
      config: { data: 'd', backend: 'auto' },
      warnings: ['run.yaml: Unresolved tag: !env.', 'run.yaml: Unresolved tag: !here.'],
    });
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  const deep = (open: string, close: string, times: number): string => open.repeat(times) + close.repeat(times);

  it.each<readonly [string, string, Partial<BadConfig>]>([
    [
      'two documents',
      'steps: 1\n---\nsteps: 2\n',
      { expected: 'one document', actual: 'several, with --- between them' },
    ],
    ['a list in itself', 'optimizers: &all [kfac, *all]', { actual: 'one inside of what it stands for' }],
    [
      'parts in themselves',
      'optimizer: { curvature: &c { kind: bySite, parts: [], rest: *c }, solver: cg }',
      {
        expected: 'aliases of other things',
      },
    ],
    ['an alias of nothing', 'optimizer: *none', { expected: 'YAML or JSON' }],
    ['a key twice', 'steps: 1\nsteps: 2', { actual: '“Map keys must be unique” in line 2, column 1' }],
    ['a list as key', '{ [1]: 2 }', { actual: '“With stringKeys, all keys must be strings” in line 1, column 3' }],
    ['3,000 lists', deep('[', ']', 3000), { expected: 'at most 64 levels' }],
    ['3,000 records', deep('{ a: ', ' }', 3000), { expected: 'at most 64 levels' }],
    [
      '1,000 records in lines',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      {
        expected: 'at most 64 levels',
      },
    ],
    ['3,000 dashes', '- '.repeat(3000), { expected: 'at most 64 levels' }],
    ['more text than a configuration has', 'lorem ipsum\n'.repeat(100_000), { actual: '1200000 of them' }],
    [
      'aliases of aliases of aliases',
      Array.from(
        { length: 9 },
        (_, i) =>
          `${'abcdefghi'[i]}: &${'abcdefghi'[i]} [${new Array<string>(9).fill(i === 0 ? 'x' : `*${'abcdefghi'[i - 1]}`).join(', ')}]`,
      ).join('\n'),
      {
        expected: 'YAML or JSON',
      },
    ],
  ])('refuses %s', (_, text, error) => {
    expect(errorOf(read(text))).toMatchObject({ _tag: 'BadConfig', path: 'run.yaml', ...error });
  });

  it('law: parts nested within the bound are read, and each level more than it refused', () => {
    expect(errorOf(decode(deep('[', ']', 64)))).toMatchObject({ expected: 'a record of settings' });
    expect(errorOf(decode(deep('[', ']', 65)))).toMatchObject({ expected: 'at most 64 levels' });
  });

  it('shows of a text only the first line, cut', () => {
    const { actual } = errorOf(decode(`${'word '.repeat(50)}\n\nand more`)) as BadConfig;
    expect(actual).toMatch(/^"word word[^]*…$/);
    expect(actual.length).toBeLessThan(50);
  });

  it.each([
    ['data', 'a\0b'],
    ['out', 'runs/\0'],
  ])('refuses %s with a NUL', (key, value) => {
    expect(errorOf(decode(JSON.stringify({ [key]: value })))).toMatchObject({
      path: `run.yaml: ${key}`,
      expected: 'a path without NUL',
    });
  });

  it.each<readonly [string, unknown, string, string, string]>([
    [
      'a number in quotes where it may change',
      { solver: { kind: 'cg', damping: '1e-3' } },
      'solver.damping',
      'a number above 0, or a schedule of such',
      '"1e-3"',
    ],
    [
      'a number in quotes',
      { solver: { kind: 'cg', tolerance: '1e-3' } },
      'solver.tolerance',
      'a number of at least 0',
      '"1e-3"',
    ],
    [
      'a number in quotes as learning rate',
      { solver: 'adam', update: { learningRate: '0.1' } },
      'update.learningRate',
      'a number of at least 0, or a schedule of such',
      '"0.1"',
    ],
    ['an unknown key', { solver: { kind: 'cg', dampnig: 3 } }, 'solver.dampnig', 'one of kind, ', 'an unknown setting'],
    [
      'an unknown key of the whole',
      { solver: 'cg', estimatr: 'exact' },
      'estimatr',
      'one of name, ',
      'an unknown setting',
    ],
    ['a name of 300 letters', { solver: 'cg', name: 'a'.repeat(300) }, 'name', 'a name of at most 64 letters', '…'],
  ])('of an optimizer of parts: %s', (_, optimizer, path, expected, actual) => {
    const error = errorOf(decode(JSON.stringify({ optimizer }))) as BadConfig;
    expect(error.path).toBe(`run.yaml: optimizer.${path}`);
    expect(error.expected).toContain(expected);
    expect(error.actual).toContain(actual);
    expect(error.actual.length).toBeLessThan(50);
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
