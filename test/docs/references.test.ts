import { readFileSync } from 'node:fs';

import { commentsBelow, filesBelow } from '../support/comments.ts';

const page = readFileSync('docs/references.md', 'utf8');
const listed = [...page.matchAll(/^\| ([A-Z]+\d{2}) +\|/gm)].map(([, key]) => key);

const documents = [...filesBelow('docs', '.md'), 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
  .filter((file) => file !== 'docs/references.md')
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const texts = [...commentsBelow('src'), ...commentsBelow('test'), ...commentsBelow('examples'), ...documents];

/** Keys in brackets: `[MG15]`, `[MG15 §6.4, §7]`, `[M10, MG15]`. */
const keysIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\[([A-Z]{1,4}\d{2}\b[^\]]*)\]/g)].flatMap(
    ([, inside]) => inside.match(/\b[A-Z]{1,4}\d{2}\b/g) ?? [],
  );

describe('docs/references.md', () => {
  it('finds keys as comments write them', () => {
    expect(keysIn('the two-term solve [MG15 App. B], [M10, MG15 §7] and x [n, d], [HMT11, algorithms 4.4]')).toEqual([
      'MG15',
      'M10',
      'MG15',
      'HMT11',
    ]);
  });

  it('has every key that is cited', () => {
    const unknown = texts.flatMap(({ file, text }) =>
      keysIn(text)
        .filter((key) => !listed.includes(key))
        .map((key) => `${file}: ${key}`),
    );
    expect(unknown).toEqual([]);
  });

  it('has no entry twice, none that nobody cites, and all in order', () => {
    const cited = new Set(texts.flatMap(({ text }) => keysIn(text)));
    expect(listed.filter((key) => !cited.has(key))).toEqual([]);
    expect(listed).toEqual([...new Set(listed)].sort());
    expect(listed.length).toBeGreaterThan(30);
  });

  it('sources cite by key, not by authors and year', () => {
    const byYear = /\p{Lu}[\p{L}-]+(?: et al\.)?,? \(?(?:18|19|20)\d{2}\b/u;
    const unkeyed = commentsBelow('src').filter(({ text }) => byYear.test(text));
    expect(unkeyed).toEqual([]);
    expect(byYear.test('Adam (Kingma & Ba 2015)')).toBe(true);
    expect(byYear.test('as Kunstner et al. (2019) say')).toBe(true);
  });
});
