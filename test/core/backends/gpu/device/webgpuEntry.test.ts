import { withoutVulkan } from '../../../../../src/core/backends/gpu/device/webgpuEntry.ts';

const loader = 'libvulkan.so.1';

describe('graphics of the package webgpu', () => {
  it('are reached through the Vulkan loader on Linux', () => {
    expect(withoutVulkan('linux', (path) => path === loader)).toBeNull();
  });

  it('are given up with the reason where it cannot be opened', () => {
    expect(withoutVulkan('linux', () => false)).toBe(
      'there is no Vulkan on this machine: libvulkan.so.1 cannot be opened',
    );
  });

  it('are tried where Vulkan is not what matters, or nobody can tell', () => {
    expect(withoutVulkan('darwin', () => false)).toBeNull();
    expect(withoutVulkan('linux', () => null)).toBeNull();
  });
});
