/**
 * Looks for circles in a folder of TypeScript: files that import each other, folders that import each other.
 *
 *     node scripts/layout.mjs [folder]      prints a shortest circle of each knot and exits with 1; `src` unless given
 *
 * Every import counts, of types as well, since a reader has to follow it. A folder is the files that lie directly in it;
 * dependency-cruiser counts those below it too, and then parent and child never make a circle. Barrels are left out: they
 * list what lies below them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = process.argv[2] ?? 'src';
const barrels = /(^|\/)(index|browser)\.ts$/;

/** The files below a folder, by path from where we stand. */
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((name) => join(root, name).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !barrels.test(path))
  .sort();

const known = new Map(files.map((path) => [resolve(path), path]));

/** The files of the folder that a file imports, in whatever form. */
const importsOf = (path) => {
  const { importedFiles } = ts.preProcessFile(readFileSync(path, 'utf8'), true, true);
  const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'));
  return relative.map((name) => known.get(resolve(dirname(path), name))).filter((target) => target !== undefined);
};

const pairs = files.flatMap((path) => importsOf(path).map((target) => [path, target]));

/** Arrows between groups of files, each with the first import that makes it. */
const arrowsBetween = (groupOf) => {
  const arrows = new Map();
  for (const [path, target] of pairs) {
    const [from, to] = [groupOf(path), groupOf(target)];
    if (from === to) continue;
    if (!arrows.has(from)) arrows.set(from, new Map());
    if (!arrows.get(from).has(to)) arrows.get(from).set(to, `${path} imports ${target}`);
  }
  return arrows;
};

/** A shortest way from a group back to itself, as the groups passed; `null` where there is none. */
const circleThrough = (arrows, start) => {
  const cameFrom = new Map();
  const queue = [start];
  for (const group of queue) {
    for (const next of arrows.get(group)?.keys() ?? []) {
      if (next === start) {
        const way = [start];
        for (let at = group; at !== start; at = cameFrom.get(at)) way.unshift(at);
        return [start, ...way];
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, group);
        queue.push(next);
      }
    }
  }
  return null;
};

/** One circle for each knot: the shortest first, then those that share no group with one that was named. */
const circlesIn = (arrows) => {
  const all = [...arrows.keys()].map((start) => circleThrough(arrows, start)).filter((circle) => circle !== null);
  const named = new Set();
  return all
    .sort((a, b) => a.length - b.length)
    .filter((circle) => {
      const fresh = circle.every((group) => !named.has(group));
      if (fresh) circle.forEach((group) => named.add(group));
      return fresh;
    });
};

const report = (kind, arrows) => {
  const circles = circlesIn(arrows);
  for (const [first, ...rest] of circles) {
    console.error(`\nA circle of ${kind}:\n  ${first}`);
    rest.forEach((group, i) => console.error(`  → ${group}    (${arrows.get([first, ...rest][i]).get(group)})`));
  }
  return circles.length;
};

const ofFiles = arrowsBetween((path) => path);
const ofFolders = arrowsBetween((path) => dirname(path));
const found = report('files', ofFiles) + report('folders', ofFolders);
if (found === 0) console.log(`${files.length} files import each other in one direction, and so do their folders.`);
process.exitCode = found === 0 ? 0 : 1;
