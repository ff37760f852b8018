/**
 * Text as HTML. Whatever comes from files goes through {@link escaped}: a page shows what a run says of itself and does nothing
 * that it says.
 *
 * @module
 */

const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that a browser shows as it is, inside of elements and of attributes in quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => names[character]);

/** Paragraphs, one of each sentence or two. */
export const paragraphs = (texts: ReadonlyArray<string>): string =>
  texts.map((text) => `<p>${escaped(text)}</p>`).join('');

/**
 * A picture inside of the page: as an image, in which nothing runs.
 *
 * @param type - its media type
 * @param bytes - the file
 * @param about - what it shows, for those who do not see it
 */
export const picture = (type: 'image/svg+xml' | 'image/png', bytes: Uint8Array | string, about: string): string =>
  `<img src="data:${type};base64,${Buffer.from(bytes).toString('base64')}" alt="${escaped(about)}">`;

/** A column of a table: its title, and whether its cells are numbers. */
export interface Heading {
  readonly title: string;
  readonly isNumber?: boolean;
}

/**
 * A table.
 *
 * @param headings - from left to right
 * @param rows - cells as HTML, as many in a row as there are headings
 */
export const table = (headings: ReadonlyArray<Heading>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const numeric = headings.map(({ isNumber = false }) => (isNumber ? ' class="number"' : ''));
  const line = (tag: 'th' | 'td', cells: ReadonlyArray<string>): string =>
    `<tr>${cells.map((cell, i) => `<${tag}${numeric[i]}>${cell}</${tag}>`).join('')}</tr>`;
  const titles = headings.map(({ title }) => escaped(title));
  return `<table><thead>${line('th', titles)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table>`;
};

/** A part of the page under a heading; nothing where there is nothing to show. */
export const section = (heading: string, parts: ReadonlyArray<string>): string =>
  parts.length === 0 ? '' : `<section><h2>${escaped(heading)}</h2>${parts.join('')}</section>`;

const style = `
:root { color: #1d2430; background: #fff; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-bottom: 1px solid #d8dce2; }
img { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .2rem .8rem .2rem 0; text-align: left; }
th { font-weight: 600; border-bottom: 1px solid #d8dce2; } .number { text-align: right; font-variant-numeric: tabular-nums; }
meter { width: 12rem; } pre { background: #f5f6f8; padding: .8rem; overflow: auto; white-space: pre-wrap; }
p { max-width: 46rem; }`;

/**
 * A page that needs nothing besides itself, and that no browser lets load or run anything.
 *
 * @param title - of the page
 * @param sections - its parts as HTML
 */
export const pageOf = (title: string, sections: ReadonlyArray<string>): string =>
  [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    `<title>${escaped(title)}</title><style>${style}</style></head>`,
    `<body><h1>${escaped(title)}</h1>`,
    ...sections.filter((part) => part !== ''),
    '</body></html>',
    '',
  ].join('\n');
