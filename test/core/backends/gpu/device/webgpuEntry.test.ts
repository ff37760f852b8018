import * as E from 'fp-ts/lib/Either.js';

import { withoutVulkan } from '../../../../../src/core/backends/gpu/device/webgpuEntry.ts';

const opening = (opened: Array<string>) => ({
  load: (path: string) => {
    opened.push(path);
    return { func: () => Object.assign(() => undefined, { async: () => undefined }) };
  },
});

const refusing = {
  load: (path: string): never => {
    throw new Error(`no ${path}`);
  },
};

describe('graphics of the package webgpu', () => {
  it('are reached through the Vulkan loader on Linux', () => {
    const opened: Array<string> = [];
    expect(withoutVulkan('linux', E.right(opening(opened)))).toBeNull();
    expect(opened).toEqual(['libvulkan.so.1']);
  });

  it('are given up with the reason where it cannot be opened', () => {
    expect(withoutVulkan('linux', E.right(refusing))).toBe(
      'there is no Vulkan on this machine: libvulkan.so.1 cannot be opened',
    );
  });

  it('are tried where Vulkan is not what matters, or nobody can tell', () => {
    expect(withoutVulkan('darwin', E.right(refusing))).toBeNull();
    expect(withoutVulkan('linux', E.left('the package koffi is not installed'))).toBeNull();
  });
});
