import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kfac-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('nodeFileSystem', () => {
  it('law: read after write gives the bytes, in directories that it makes', async () => {
    const path = join(directory, 'a', 'b', 'file');
    orThrow(await nodeFileSystem.write(path, Uint8Array.of(1, 2, 3))());
    expect(Array.from(orThrow(await nodeFileSystem.read(path)()))).toEqual([1, 2, 3]);
    orThrow(await nodeFileSystem.write(path, 'text')());
    expect(readFileSync(path, 'utf8')).toBe('text');
    expect(readdirSync(join(directory, 'a', 'b'))).toEqual(['file']);
  });

  it('a write that fails leaves no temporary file behind', async () => {
    mkdirSync(join(directory, 'taken', 'inside'), { recursive: true });
    const error = errorOf(await nodeFileSystem.write(join(directory, 'taken'), 'text')());
    expect(error).toMatchObject({ _tag: 'FileFailed', operation: 'write' });
    expect(readdirSync(directory)).toEqual(['taken']);
  });

  it('says in words why a file cannot be read', async () => {
    const path = join(directory, 'nothing');
    expect(errorOf(await nodeFileSystem.read(path)())).toEqual({
      _tag: 'FileFailed',
      path,
      operation: 'read',
      reason: 'there is no such file',
    });
  });

  it('takes a file away, or a link and not what it leads to; what is not there is gone already', async () => {
    const [file, link] = [join(directory, 'file'), join(directory, 'link')];
    writeFileSync(file, 'text');
    symlinkSync(file, link);
    orThrow(await nodeFileSystem.remove(link)());
    expect(readdirSync(directory)).toEqual(['file']);
    orThrow(await nodeFileSystem.remove(file)());
    orThrow(await nodeFileSystem.remove(file)());
    expect(readdirSync(directory)).toEqual([]);
    expect(errorOf(await nodeFileSystem.remove(directory)())).toMatchObject({ _tag: 'FileFailed', path: directory });
  });

  it('knows whether a directory could be written, and makes nothing to find out', async () => {
    orThrow(await nodeFileSystem.canWrite(join(directory, 'new', 'er'))());
    expect(readdirSync(directory)).toEqual([]);
    writeFileSync(join(directory, 'file'), '');
    for (const path of ['file', join('file', 'below')]) {
      const error = errorOf(await nodeFileSystem.canWrite(join(directory, path))());
      expect(error).toMatchObject({ _tag: 'FileFailed', operation: 'write' });
    }
  });

  // Linux lets nobody make a directory there, and says that there is no such file.
  it.each(existsSync('/proc/self') ? ['/proc/x', '/proc/x/y'] : [join('nowhere', '\0')])(
    'fails, and does not try for ever, where none can be made: %j',
    async (path) => {
      const failed = { _tag: 'FileFailed', operation: 'write' };
      expect(errorOf(await nodeFileSystem.lock(path)())).toMatchObject(failed);
      expect(errorOf(await nodeFileSystem.write(join(path, 'file'), 'text')())).toMatchObject(failed);
      expect(errorOf(await nodeFileSystem.append(join(path, 'file'), new Uint8Array(1))())).toMatchObject(failed);
      expect(errorOf(await nodeFileSystem.claim(join(path, 'run'))())).toMatchObject(failed);
      expect(errorOf(await nodeFileSystem.writeDirectory(path, { file: 'text' })())).toMatchObject(failed);
    },
    10_000,
  );

  it('adds to a file, and not through a link', async () => {
    const file = join(directory, 'new', 'board', 'events');
    for (const byte of [1, 2]) orThrow(await nodeFileSystem.append(file, Uint8Array.of(byte))());
    expect([...readFileSync(file)]).toEqual([1, 2]);
    mkdirSync(join(directory, 'elsewhere'));
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'new', 'link'));
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'link'));
    symlinkSync(join(directory, 'elsewhere', 'file'), join(directory, 'new', 'board', 'linked'));
    for (const path of [
      join('new', 'link', 'events'),
      join('link', 'board', 'events'),
      join('new', 'board', 'linked'),
    ]) {
      const error = errorOf(await nodeFileSystem.append(join(directory, path), Uint8Array.of(3))());
      expect(error).toMatchObject({ _tag: 'FileFailed', reason: expect.stringMatching(/link/) as string });
    }
    expect(readdirSync(join(directory, 'elsewhere'))).toEqual([]);
  });

  it.each([
    ['a NUL', 'a\0b', 'a path holds no NUL'],
    ['a name of 300 letters', 'a'.repeat(300), 'a name in the path is too long'],
    [
      'a name of 300 letters below a new directory',
      join('new', 'a'.repeat(300), 'b'),
      'a name in the path is too long',
    ],
  ])('knows before anything is written that a directory with %s cannot be made', async (_, name, reason) => {
    const error = errorOf(await nodeFileSystem.canWrite(join(directory, name))());
    expect(error).toMatchObject({ _tag: 'FileFailed', operation: 'write', reason });
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['a directory', 'there', 'it is a directory'],
    ['a directory that is yet to be made', 'new/', 'it is a directory'],
    ['a name of 300 letters', 'a'.repeat(300), 'a name in the path is too long'],
    ['a name with a NUL', 'a\0b', 'a path holds no NUL'],
    ['a file below a file', 'file/below', 'a part of the path is not a directory'],
  ])('knows before anything is written that a file cannot be: %s', async (_, name, reason) => {
    mkdirSync(join(directory, 'there'));
    writeFileSync(join(directory, 'file'), '');
    const error = errorOf(await nodeFileSystem.canWriteFile(`${directory}/${name}`)());
    expect(error).toMatchObject({ _tag: 'FileFailed', operation: 'write', reason });
    expect(readdirSync(directory).toSorted()).toEqual(['file', 'there']);
  });

  it.each(['new', 'file', 'new/er/file'])('a file can be written at %s', async (name) => {
    writeFileSync(join(directory, 'file'), '');
    orThrow(await nodeFileSystem.canWriteFile(join(directory, name))());
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('law: of many that claim one directory at once, each gets one of its own', async () => {
    const claims = Array.from({ length: 20 }, () => nodeFileSystem.claim(join(directory, 'runs', 'now'))());
    const names = (await Promise.all(claims)).map(orThrow);
    expect(new Set(names).size).toBe(20);
    expect(names).toContain(join(directory, 'runs', 'now'));
    expect(readdirSync(join(directory, 'runs'))).toHaveLength(20);
  });

  it('says why a directory cannot be claimed', async () => {
    writeFileSync(join(directory, 'file'), '');
    const error = errorOf(await nodeFileSystem.claim(join(directory, 'file', 'below'))());
    expect(error).toMatchObject({ _tag: 'FileFailed', operation: 'write' });
  });

  it('knows what exists', async () => {
    expect(orThrow(await nodeFileSystem.exists(directory)())).toBe(true);
    expect(orThrow(await nodeFileSystem.exists(join(directory, 'nothing'))())).toBe(false);
  });
});
