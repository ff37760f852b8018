import fc from 'fast-check';
import * as t from 'io-ts';

import { composition } from '../../../../src/pipelines/config/compose/composition.ts';
import { curvatures, estimators } from '../../../../src/pipelines/config/compose/curvatures.ts';
import { schedules } from '../../../../src/pipelines/config/compose/schedules.ts';
import type { Table } from '../../../../src/pipelines/config/compose/setting.ts';
import { inverses, solvers } from '../../../../src/pipelines/config/compose/solvers.ts';
import { rules, updating } from '../../../../src/pipelines/config/compose/updates.ts';
import { optimizerNames } from '../../../../src/solvers/presets/registry.ts';
import { positive } from '../../../../src/pipelines/config/codecs/codecs.ts';
import { compositions, optimizers } from '../../../support/grammar/optimizers.ts';
import { backends, pathsOf, runs, subjects } from '../../../support/grammar/runs.ts';
import type { Written } from '../../../support/grammar/optimizers.ts';
import { faultsOf, trial } from '../../../support/grammar/trial.ts';
import { partsOf, valuesOf } from '../../../support/grammar/values.ts';

const tables: Readonly<Record<string, Table<unknown>>> = {
  estimators,
  curvatures,
  solvers,
  inverses,
  rules,
  schedules,
};

const hasParts = (codec: unknown): boolean =>
  codec instanceof t.ReadonlyArrayType
    ? hasParts(codec.type)
    : typeof codec === 'object' && codec !== null && 'structure' in codec;

const here = { texts: pathsOf('words'), depth: 2 };

describe('the grammar of configurations', () => {
  const settings = [
    ...Object.entries(tables).flatMap(([table, kinds]) =>
      Object.entries(kinds).flatMap(([kind, row]) =>
        Object.entries(row.settings).map(([name, about]) => [`${table}.${kind}.${name}`, about] as const),
      ),
    ),
    ...Object.entries({ ...composition.settings, ...updating.settings }).map(([name, about]) => [name, about] as const),
  ];

  it.each(settings)(
    'law: most values that are generated for a setting are those that it takes (%s)',
    (_, { codec }) => {
      const values = fc.sample(valuesOf(codec, here), { numRuns: 50, seed: 1 });
      // A part may hold parts that do not go together; a value without parts is always right.
      const right = values.filter((value) => codec.validate(value, [])._tag === 'Right');
      expect(right.length).toBeGreaterThan(hasParts(codec) ? 10 : 49);
    },
  );

  it('law: numbers are of every usual size', () => {
    const values = fc.sample(valuesOf(positive, here), { numRuns: 1000, seed: 1 }).map(Number);
    for (const exponent of [-4, -3, -2, -1, 0, 1, 2]) {
      const inDecade = values.filter((x) => x >= 10 ** exponent && x < 10 ** (exponent + 1));
      expect([exponent, inDecade.length > 50]).toEqual([exponent, true]);
    }
  });

  it('law: what has an effect together is tried together', () => {
    const texts = fc
      .sample(optimizers(here.texts), { numRuns: 1000, seed: 1 })
      .map((written) => JSON.stringify(written));
    const count = (...patterns: ReadonlyArray<RegExp>): number =>
      texts.filter((text) => patterns.every((pattern) => pattern.test(text))).length;
    const [drift, late] = [/"every":\{"drift"|"inverseDrift"/, /"(staleness|inverseStaleness)":[1-9]/];
    expect(count(drift)).toBeGreaterThan(80);
    expect(count(late)).toBeGreaterThan(80);
    expect(count(drift, late)).toBeGreaterThan(20);
    expect(count(/"drift":[^}]*"atMost"/)).toBeGreaterThan(20);
  });

  it('a codec of a new sort is an error that names it', () => {
    expect(() => valuesOf(null, here)).toThrow('no codec');
  });
});

describe('every optimizer that can be written', () => {
  it('law: trains for four steps with numbers that are finite, or says before the first what is wrong', async () => {
    const numRuns = Number(process.env['FC_RUNS'] ?? 60);
    await fc.assert(
      fc.asyncProperty(runs, async ({ subject, precision, written }) => {
        expect(faultsOf(await trial(backends[precision], subjects[subject].task, written))).toEqual([]);
      }),
      { numRuns },
    );
  }, 3_600_000);

  const trains = async (candidates: ReadonlyArray<Written>, subject: keyof typeof subjects): Promise<boolean> => {
    for (const written of candidates) {
      const outcome = await trial(backends.f64, subjects[subject].task, written);
      if (outcome._tag === 'Trained') return true;
    }
    return false;
  };

  const parts = Object.entries({ estimators, curvatures, solvers }).flatMap(([table, kinds]) =>
    Object.keys(kinds).map((kind) => [table, kind] as const),
  );
  it.each(parts)('each part trains somewhere (%s: %s)', async (table, kind) => {
    const part = partsOf(tables[table], here, [kind]);
    const candidates = fc.sample(compositions(pathsOf('sine'), { [table]: part }), { numRuns: 20, seed: 1 });
    const having = candidates.filter((value) => JSON.stringify(value).includes(`"${kind}"`));
    expect(
      await trains(
        having.map((value) => ({ parts: value })),
        kind === 'classKfac' ? 'words' : 'sine',
      ),
    ).toBe(true);
  });

  it.each(optimizerNames)('each preset trains as it is (%s)', async (preset) => {
    const subject = preset === 'class-kfac' ? 'words' : 'sine';
    expect(await trains([{ preset, settings: {} }], subject)).toBe(true);
  });
});
