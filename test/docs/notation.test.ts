import { readFileSync } from 'node:fs';

import { commentsBelow, filesBelow } from '../support/comments.ts';

/** Decomposed, so that ā is an a and the mark above it. */
const decomposed = (text: string): string => text.normalize('NFD');

const page = decomposed(readFileSync('docs/notation.md', 'utf8'));

/** Symbols of the page: code in the first column of a table, and in the list of letters at the end. */
const listed = [
  ...[...page.matchAll(/^\|([^|]*)\|/gm)].map(([, cell]) => cell),
  page.slice(page.indexOf('## Letters')).split(':')[0],
].flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, symbol]) => symbol));

const comments = commentsBelow('src').map(({ file, text }) => ({ file, text: decomposed(text) }));

/** Typography, which means nothing in a formula: ellipsis, dash, section, quotes, and the diaeresis of names. */
const typography = /[…–—§’‘“”]|\u0308/u;

/** A single letter with a mark or an index, which makes it a symbol wherever it stands: V_n, Kᵀ, x′, K₁, m̂. */
const marked = /(?<![\p{L}\p{N}_`'])([A-Za-z])(?=_[A-Za-z0-9(ℓ]{1,3}(?![A-Za-z0-9])|[\u0302-\u0304′ᵀ⁻¹²³⁴ᵏⁿₐ₀₁₂ᵢⱼₙ])/gu;

const symbolsIn = (text: string): ReadonlySet<string> =>
  new Set([
    ...Array.from(text).filter((character) => character.charCodeAt(0) > 127 && !typography.test(character)),
    ...[...text.matchAll(marked)].map(([, letter]) => letter),
  ]);

describe('docs/notation.md', () => {
  it('finds symbols as comments write them', () => {
    const found = symbolsIn(decomposed('A layer: (U_Gᵀ V_n U_A)² with ā, λ and `is_ready`, a_long_name… – K₁'));
    expect([...found].sort()).toEqual(Array.from(decomposed('UVKaᵀλ₁²̄')).sort());
  });

  it('has every symbol that a comment in src uses', () => {
    const known = new Set(listed.flatMap((symbol) => Array.from(symbol)));
    const missing = comments.flatMap(({ file, text }) =>
      [...symbolsIn(text)].filter((symbol) => !known.has(symbol)).map((symbol) => `${symbol} in ${file}`),
    );
    expect(missing).toEqual([]);
  });

  it('has none that no comment uses', () => {
    const unused = listed.filter((symbol) => !comments.some(({ text }) => text.includes(symbol)));
    expect(unused).toEqual([]);
  });

  it('says of names in code only those that are there', () => {
    const sources = filesBelow('src', '.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const rows = [...page.matchAll(/^\|[^|]*\|[^|]*\|([^|]+)\|/gm)].map(([, cell]) => cell);
    const names = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources))).toEqual([]);
    expect(names.length).toBeGreaterThan(30);
  });
});
