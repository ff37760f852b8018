/** What the guides say in tables is what the sources and the page of measurements say. */
import { readFileSync } from 'node:fs';

import { kfac } from '../../src/solvers/presets/kfac.ts';

const textOf = (path: string): string => readFileSync(path, 'utf8');

/** Cells of a page's tables, row by row. */
const rowsOf = (path: string): ReadonlyArray<ReadonlyArray<string>> =>
  textOf(path)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const namesIn = (cell: string): ReadonlyArray<string> => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

describe('guides', () => {
  it.each(['docs/damping.md', 'docs/performance.md'])('%s has the defaults of kfac', (page) => {
    const { hyperparameters } = kfac();
    const said = rowsOf(page).flatMap(([names, value]) =>
      value === '' || Number.isNaN(Number(value)) ? [] : namesIn(names).map((name) => [name, Number(value)] as const),
    );
    expect(said.length).toBeGreaterThanOrEqual(5);
    expect(said).toEqual(said.map(([name]) => [name, hyperparameters[name]]));
  });

  it('docs/which-preset.md has the figures of docs/problems.md', () => {
    const measured = new Map(
      rowsOf('docs/problems.md')
        .filter(([preset, count]) => preset.startsWith('`') && count.endsWith(' of 20'))
        .toReversed() // of two tables the first, where presets are at their defaults, has the last word
        .map(([preset, count, , mean]) => [preset, `${count}, ${mean} times`]),
    );
    const said = rowsOf('docs/which-preset.md').flatMap(([, preset, what]) => {
      const [figures] = /^\d+ of 20, [\d.]+ times/.exec(what) ?? [];
      return figures === undefined ? [] : [[preset, figures] as const];
    });
    expect(said.length).toBeGreaterThanOrEqual(6);
    expect(said).toEqual(said.map(([preset]) => [preset, measured.get(preset)]));
  });

  it('docs/troubleshooting.md has every kind of error', () => {
    const tags = [...textOf('src/core/errors.ts').matchAll(/readonly _tag: '(\w+)'/g)].map(([, tag]) => tag);
    expect(tags.length).toBeGreaterThan(10);
    const [, errors] = textOf('docs/troubleshooting.md').split('\n## It ends with an error\n');
    const listed = [...errors.matchAll(/^\| `(\w+)`/gm)].map(([, tag]) => tag);
    expect(listed).toEqual(tags);
  });
});
