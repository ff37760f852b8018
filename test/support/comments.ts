/**
 * The comments of sources, as TypeScript's own scanner finds them.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A comment, with where it stands. */
export interface Comment {
  readonly file: string;
  /** Without stars and line ends, so that what is wrapped reads as one. */
  readonly text: string;
}

/** The names of a folder's files with an ending, those of folders below it too. */
export const filesBelow = (folder: string, ending: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();

/** All comments of a source text, in order. Comments inside of template strings are text, not comments. */
export const commentsOf = (file: string, text: string): ReadonlyArray<Comment> => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Map<number, string>();
  const note = (ranges: ReadonlyArray<ts.CommentRange> | undefined): void =>
    (ranges ?? []).forEach(({ pos, end }) => void found.set(pos, text.slice(pos, end)));
  const visit = (node: ts.Node): void => {
    note(ts.getLeadingCommentRanges(text, node.getFullStart()));
    note(ts.getTrailingCommentRanges(text, node.getEnd()));
    node.getChildren(source).forEach(visit);
  };
  visit(source);
  return [...found.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, comment]) => ({ file, text: comment.replace(/\s*\n\s*\*?\s?/g, ' ') }));
};

/** The comments of all sources below a folder. */
export const commentsBelow = (folder: string): ReadonlyArray<Comment> =>
  filesBelow(folder, '.ts').flatMap((file) => commentsOf(file, readFileSync(file, 'utf8')));
