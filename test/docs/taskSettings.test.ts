/** Tables of settings in the documents say what the tasks say. */
import { readFileSync } from 'node:fs';

import { languageModel } from '../../src/pipelines/tasks/languageModel.ts';
import { translation } from '../../src/pipelines/tasks/translation.ts';

const rowsOf = (path: string): ReadonlyArray<ReadonlyArray<string>> =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe.each([
  [languageModel, 'docs/language-model.md'],
  [translation, 'docs/translation.md'],
] as const)('%#', (family, path) => {
  it(`${path} has every setting, with its defaults`, () => {
    const words = (text: string): ReadonlyArray<string> => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
    const table = rowsOf(path).flatMap(([, names, , small, full]) => {
      const [ofSmall, ofFull] = [words(small), words(full ?? '')];
      return words(names).map((name, i) => [name, ofSmall[i], ofFull[i]] as const);
    });
    const settings = (size: 'small' | 'full') => Object.entries(family.settings?.(size) ?? {});
    const full = new Map(settings('full'));
    const expected = settings('small').map(([name, { standard }]) => [
      name,
      String(standard),
      String(full.get(name)?.standard),
    ]);
    for (const row of expected) expect(table).toContainEqual(row);
  });
});
