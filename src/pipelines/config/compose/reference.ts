/**
 * The reference page of compositions, written from the tables that decode them.
 *
 * @module
 */
import { partitioned, partitionGroup } from './compose.ts';
import { codecOf } from '../codecs/codecs.ts';
import { composition } from './composition.ts';
import { curvatures, estimators } from './curvatures.ts';
import { schedules } from './schedules.ts';
import type { About, Row, Table } from './setting.ts';
import { presets } from '../../../solvers/presets/registry.ts';
import type { Setting as Known } from '../../../solvers/settings/setting.ts';
import { inverses, solvers } from './solvers.ts';
import { crossBatchDamping, iterateAveraging, levenbergMarquardt, quadraticModel, rules, updating } from './updates.ts';

/** A composition in full, as the page shows it. */
export const exampleComposition = `steps: 60
batch: 500
optimizer:
  name: chained-cg
  estimator: { kind: monteCarlo, samples: 1, fraction: 0.5 }
  curvature:
    kind: bySite
    parts:
      - sites: ['2']
        curvature: { kind: classKfac, classes: 10 }
    rest: tridiagonalKfac
  solver:
    kind: cg
    damping: { kind: exponential, start: 1, factor: 0.5, steps: 100, end: 0.1 }
    every: { drift: 0.2, atMost: 20 }
    preconditioner: auto
    maxIterations: 20
    tolerance: 1e-3
  update:
    quadraticModel: { fraction: 0.25 }
    levenbergMarquardt: { every: 5 }
    iterateAveraging: { decay: 0.95 }
`;

/** A partition in full, as the page shows it. */
export const examplePartition = `steps: 60
batch: 500
optimizer:
  kind: partition
  groups:
    - name: features
      parameters: ['0']
      optimizer: false
    - name: head
      parameters: ['4']
      optimizer: adam
      settings: { learningRate: 0.003 }
    - name: body
      parameters: rest
      optimizer:
        estimator: exact
        curvature: kfac
        solver: { kind: eigen, damping: 0.3, every: 5 }
        update:
          learningRate: 0.5
          rules:
            - { kind: momentum, mu: 0.9 }
            - { kind: weightDecay, weight: 1e-4, only: weights }
`;

const cell = (words: string): string => words.replaceAll('|', '\\|');

const rowsOf = (settings: Readonly<Record<string, About>>): ReadonlyArray<string> => {
  const entries = Object.entries(settings);
  return entries.length === 0
    ? []
    : [
        '',
        '| setting | what it is | accepted | default |',
        '| --- | --- | --- | --- |',
        ...entries.map(
          ([name, { description, expected, standard }]) =>
            `| \`${name}\` | ${cell(description)} | ${cell(expected)} | ${standard === '' ? 'must be given' : `\`${cell(standard)}\``} |`,
        ),
      ];
};

const part = (level: string, name: string, { description, settings }: Row<unknown>): ReadonlyArray<string> => [
  '',
  `${level} ${name}`,
  '',
  description,
  ...rowsOf(settings),
];

const section = (title: string, words: string, table: Table<unknown>): ReadonlyArray<string> => [
  '',
  `## ${title}`,
  '',
  words,
  ...Object.entries(table).flatMap(([kind, row]) => part('###', `\`${kind}\``, row)),
];

/** What solvers take, as a table of solvers by curvature. */
const pairs = (): ReadonlyArray<string> => {
  const minimal: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    classKfac: { classes: 10 },
    bySite: { parts: [], rest: 'kfac' },
  };
  const columns = Object.entries(curvatures).map(([kind, { validate }]) => {
    const made = validate(minimal[kind] ?? {}, []);
    return { kind, form: made._tag === 'Right' ? made.right.form : null };
  });
  return [
    '',
    '## Which solver takes which curvature',
    '',
    'Two classes of `classKfac` are taken by `twoTerm` as well; one class is `kfac`.',
    '',
    `| solver | ${columns.map(({ kind }) => `\`${kind}\``).join(' | ')} |`,
    `| --- |${columns.map(() => ' --- |').join('')}`,
    ...Object.entries(solvers).flatMap(([name, { validate }]) => {
      const made = validate({}, []);
      if (made._tag === 'Left' || made.right._tag !== 'ofCurvature') return [];
      const { takes } = made.right;
      const taken = columns.map(({ form }) => (form !== null && takes.includes(form) ? '✓' : ''));
      return [`| \`${name}\` | ${taken.join(' | ')} |`];
    }),
  ];
};

/** What the page says of a setting of a preset. */
const aboutOf = (settings: Readonly<Record<string, Known<unknown>>>): Row<unknown>['settings'] =>
  Object.fromEntries(
    Object.entries(settings).map(([name, { range, standard, meaning }]) => [
      name,
      {
        description: meaning,
        expected: range.words,
        standard: typeof standard === 'string' ? standard : String(standard),
        codec: codecOf(range),
      },
    ]),
  );

/** Presets and their settings; of those that have all of `kfac`'s, the others. */
const ofPresets = (): ReadonlyArray<string> => {
  const { kfac } = presets;
  return [
    '',
    '## Presets',
    '',
    'Optimizers by name. Settings are set by `settings` of a configuration, by `--set name.setting=value`, and in a program',
    'by the preset’s function.',
    ...Object.entries(presets).flatMap(([name, { settings }]) => {
      const others = Object.entries(settings).filter(([key, each]) => kfac.settings[key] !== each);
      const related = name !== 'kfac' && Object.keys(kfac.settings).every((key) => key in settings);
      if (!related) return ['', `### \`${name}\``, ...rowsOf(aboutOf(settings))];
      return [
        '',
        `### \`${name}\``,
        '',
        `The settings of \`kfac\`${others.length === 0 ? '.' : ', and:'}`,
        ...(others.length === 0 ? [] : rowsOf(aboutOf(Object.fromEntries(others)))),
      ];
    }),
  ];
};

/** The page, in Markdown. */
export const referencePage = (): string =>
  [
    '# Composing an optimizer',
    '',
    '`kfac train <task> --config file.yaml` takes an optimizer that is composed of parts in the place of a preset’s name,',
    'and `kfac compare` a list of both. A part is `{ kind: …, settings }`, or the kind alone. What is unknown or does not go',
    'together is an error that says where, and what would.',
    '',
    '```yaml',
    ...exampleComposition.trimEnd().split('\n'),
    '```',
    '',
    '## The optimizer',
    ...rowsOf(composition.settings),
    ...section('Estimators', 'Which output cotangents feed the statistics.', estimators),
    ...section('Curvatures', 'What is made of the statistics.', curvatures),
    ...section('Solvers', 'From the gradient to a direction.', solvers),
    ...pairs(),
    ...section(
      'Inverses',
      'Preconditioners of solvers that iterate, prepared anew when the solver’s `every` says; each is a solver by itself, too.',
      inverses,
    ),
    '',
    '## Update',
    '',
    updating.description,
    ...rowsOf(updating.settings),
    ...part('###', 'quadraticModel', quadraticModel),
    ...part('###', 'levenbergMarquardt', levenbergMarquardt),
    ...part('###', 'crossBatchDamping', crossBatchDamping),
    ...part('###', 'iterateAveraging', iterateAveraging),
    ...section(
      'Update rules',
      'In the order in which they are listed. Weight decay comes last: a clip or momentum after it would act on the decay.',
      rules,
    ),
    '',
    '## Groups of parameters',
    '',
    '`kind: partition` in the place of the parts gives each group of parameters an optimizer of its own.',
    '',
    '```yaml',
    ...examplePartition.trimEnd().split('\n'),
    '```',
    ...part('###', '`partition`', partitioned),
    ...part('###', 'A group', partitionGroup),
    ...section('Schedules', 'Wherever a number may change with the step.', schedules),
    ...ofPresets(),
    '',
  ].join('\n');
