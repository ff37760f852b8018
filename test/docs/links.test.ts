/** Links between pages lead somewhere, and the first page leads to all guides. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { filesBelow } from '../support/comments.ts';
import { anchorsOf, linksOf } from '../support/markdown.ts';

const guides = filesBelow('docs', '.md').filter((path) => !path.startsWith(join('docs', 'api')));
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...guides];
const textOf = (path: string): string => readFileSync(path, 'utf8');

/** What is wrong with the links of a page. */
const broken = (page: string, text: string): ReadonlyArray<string> =>
  linksOf(text).flatMap(({ line, path, anchor }) => {
    const target = path === '' ? page : join(dirname(page), path);
    const at = `${page}:${line}: `;
    if (!existsSync(target)) return [`${at}there is no ${target}`];
    if (anchor === null || (path !== '' && !target.endsWith('.md'))) return [];
    const anchors = anchorsOf(path === '' ? text : textOf(target));
    return anchors.includes(anchor) ? [] : [`${at}${target} has no heading #${anchor}`];
  });

describe('links', () => {
  it('are found outside of code, and where they lead', () => {
    const text = [
      '# `a`: one, two',
      '[x](b.md#c-d) and `[no](gone.md)` and ![picture](figures/e.png)',
      '```md',
      '# none',
      '[no](gone.md)',
      '```',
      '## a: one & two',
      '## a one two',
      '[far](https://example.org/x.md) [here](#a-one-two)',
    ].join('\n');
    expect(anchorsOf(text)).toEqual(['a-one-two', 'a-one--two', 'a-one-two-1']);
    expect(linksOf(text)).toEqual([
      { line: 2, path: 'b.md', anchor: 'c-d' },
      { line: 2, path: 'figures/e.png', anchor: null },
      { line: 9, path: '', anchor: 'a-one-two' },
    ]);
    expect(broken('docs/index.md', '# x\n[a](gone.md) [b](#y) [c](#x) [d](fit.md#gone)')).toEqual([
      'docs/index.md:2: there is no docs/gone.md',
      'docs/index.md:2: docs/index.md has no heading #y',
      'docs/index.md:2: docs/fit.md has no heading #gone',
    ]);
  });

  it('lead to files and headings that there are', () => {
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.flatMap((page) => broken(page, textOf(page)))).toEqual([]);
  });

  it('lead from the first page to every guide', () => {
    const first = linksOf(textOf('docs/index.md')).map(({ path }) => join('docs', path));
    const missing = guides.filter((page) => dirname(page) === 'docs' && page !== join('docs', 'index.md'));
    expect(missing.filter((page) => !first.includes(page))).toEqual([]);
  });

  it('answer a newcomer’s questions, each in a place of its own', () => {
    const [, questions] = /\n## Twenty questions\n([^]*?)(?=\n## )/.exec(textOf('docs/index.md')) ?? ['', ''];
    const rows = questions.split('\n').filter((line) => /^\d+\. /.test(line));
    expect(rows).toHaveLength(20);
    expect(rows.filter((row) => linksOf(row).length === 0)).toEqual([]);
  });
});
