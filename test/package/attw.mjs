/**
 * What “Are the types wrong?” finds in a packed package, as its own program does for `--profile node16`: problems of resolution
 * kinds other than that of Node.js 10, which knows no subpaths.
 *
 * It asks for directories, most of which do not exist, tens of thousands of times, and looks for each among all files: three
 * quarters of its time. Here they are known.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';

const pack = createPackageFromTarballData(new Uint8Array(await readFile(process.argv[2])));

/** Every folder that a file is in, without a slash at the end. */
const folders = new Set(
  pack.listFiles().flatMap((file) => [...file.matchAll(/\//g)].map(({ index }) => file.slice(0, index))),
);
pack.directoryExists = (path) => folders.has(path.replace(/\/$/, ''));

const { entrypoints, problems } = await checkPackage(pack);
process.stdout.write(
  JSON.stringify({
    entrypoints: Object.keys(entrypoints),
    problems: problems.filter(({ resolutionKind }) => resolutionKind !== 'node10'),
  }),
);
