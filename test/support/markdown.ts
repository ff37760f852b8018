/**
 * Links of documents and where they may lead.
 *
 * @module
 */

/** A page without its blocks of code, of as many lines. */
const prose = (text: string): string =>
  text.replaceAll(/^([ \t]*)(```+)[^\n]*\n[^]*?^\1\2[ \t]*$/gm, (block) => block.replaceAll(/[^\n]/g, ''));

/** What is left of words in code: links in there are none. */
const withoutCode = (text: string): string => text.replaceAll(/`[^`\n]+`/g, (code) => '`'.repeat(code.length));

/** A heading without its signs, for anchors. */
const plain = (heading: string): string =>
  heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]|\b_|_\b/g, '');

/**
 * Names of a page's headings, as GitHub and the site make them.
 *
 * @param text - Markdown
 */
export const anchorsOf = (text: string): ReadonlyArray<string> => {
  const slugs = [...prose(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) =>
    plain(heading)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
  return slugs.map((slug, i) => {
    const before = slugs.slice(0, i).filter((other) => other === slug).length;
    return before === 0 ? slug : `${slug}-${before}`;
  });
};

/** A link to another page or to a heading. */
export interface PageLink {
  readonly line: number;
  /** Where to, as it is written, without the heading; empty for this page. */
  readonly path: string;
  readonly anchor: string | null;
}

/**
 * Links of a page that lead to files or headings, pictures included.
 *
 * @param text - Markdown
 */
export const linksOf = (text: string): ReadonlyArray<PageLink> => {
  const read = withoutCode(prose(text));
  return [...read.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
    .map((match) => ({ line: read.slice(0, match.index).split('\n').length, target: match[1] }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map(({ line, target }) => {
      const [path, anchor = null] = target.split('#');
      return { line, path, anchor };
    });
};
