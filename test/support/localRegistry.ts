/**
 * A package registry on this machine: it has a packed package, and what is installed here of everything that this one depends
 * on. `npm install` in a fresh project then needs no network.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What a package says of itself. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly repository?: { readonly url: string };
}

/** The manifest of the package in a folder. */
export const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Where a package finds another, as Node.js looks for it. */
const found = (name: string, from: string): string | null => {
  const place = join(from, 'node_modules', name);
  if (existsSync(join(place, 'package.json'))) return place;
  return dirname(from) === from ? null : found(name, dirname(from));
};

/** Folders of everything that a package brings along, itself included; what this platform has no use for is not there. */
export const closure = (folder: string, seen: Set<string> = new Set()): ReadonlySet<string> => {
  if (seen.has(folder)) return seen;
  seen.add(folder);
  const { dependencies = {}, optionalDependencies = {} } = manifestIn(folder);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const place = found(name, folder);
    if (place !== null) closure(place, seen);
  }
  return seen;
};

/** A registry that answers. */
export interface Registry {
  readonly address: string;
  readonly close: () => void;
}

/**
 * Starts a registry.
 *
 * @param own - folder of the package, which is built
 */
export const localRegistry = async (own: string): Promise<Registry> => {
  const folder = mkdtempSync(join(tmpdir(), 'kfac-registry-'));
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: own, stdio: 'ignore' });
  const { name: ours, version } = manifestIn(own);
  const packages = [...closure(own)].map((place) => ({ place, manifest: manifestIn(place) }));

  const archiveOf = (id: string): Buffer | null => {
    if (id === `${ours}@${version}`) return readFileSync(join(folder, `${ours}-${version}.tgz`));
    const known = packages.find(({ manifest }) => id === `${manifest.name}@${manifest.version}`);
    if (known === undefined) return null;
    const renamed = `s,^${basename(known.place)},package,`;
    const inside = ['--exclude', `${basename(known.place)}/node_modules`, basename(known.place)];
    return execFileSync('tar', ['-cz', '--transform', renamed, '-C', dirname(known.place), ...inside], {
      maxBuffer: 2 ** 28,
    });
  };

  const server: Server = createServer(({ url = '', headers }, response) => {
    const path = decodeURIComponent(url.slice(1));
    if (path.startsWith('-/')) {
      const archive = archiveOf(path.slice(2));
      response.writeHead(archive === null ? 404 : 200).end(archive);
      return;
    }
    const versions = packages.filter(({ manifest }) => manifest.name === path).map(({ manifest }) => manifest);
    const described = versions.map((manifest) => {
      const tarball = `http://${headers.host ?? ''}/-/${encodeURIComponent(`${path}@${manifest.version}`)}`;
      return [manifest.version, { ...manifest, dist: { tarball } }] as const;
    });
    const answer = {
      name: path,
      'dist-tags': { latest: versions[0]?.version },
      versions: Object.fromEntries(described),
    };
    response.writeHead(versions.length === 0 ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
};
