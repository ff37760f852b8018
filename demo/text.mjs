/**
 * The text of the demo: the prose of this library's own documents, without code, tables and links. Nothing of it is kept twice
 * in the repository.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const documents = () => [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].map((name) => join(root, name)),
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => join(root, folder, name)),
  ),
];

/** Letters that a small network can learn: plain ones, and the marks of sentences. */
const plain = (paragraph) =>
  paragraph
    .replace(/^- /gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[’‘]/g, "'")
    .replace(/\s+/g, ' ')
    .replace(/[^A-Za-z0-9 .,;:!?'()-]/g, '');

/** Paragraphs and items of lists, a line each. */
const proseOf = (document) =>
  document
    .replace(/```[\s\S]*?```/g, '')
    .split(/\n\n|\n(?=- )/)
    .filter((part) => /^(- )?[\w*`]/.test(part) && !/^ *\|/m.test(part))
    .map(plain);

/** The file by name. */
export const textFiles = () => ({
  'text/documents.txt': Buffer.from(
    `${documents()
      .flatMap((path) => proseOf(readFileSync(path, 'utf8')))
      .filter((line) => line.length > 40)
      .join('\n')}\n`,
  ),
});
