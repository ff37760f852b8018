/**
 * The built program on WebGPU, which it finds through the optional package: it computes, warns of a rasteriser, and ends
 * by itself. Needs `npm run build` first, as `npm test` does.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

import type { Diagnosis } from '../../../src/core/backends/choice/doctor.ts';
import { patience } from '../../support/eventually.ts';
import { program } from '../../support/program.ts';
import { withWebgpu } from '../../support/webgpu.ts';

const doctor = (env: Readonly<Record<string, string>>): Diagnosis => {
  if (!existsSync(program)) throw new Error('Build first: npm run build');
  const { status, stdout } = spawnSync(process.execPath, [program, 'doctor', '--backend', 'gpu', '--json'], {
    encoding: 'utf8',
    env: { ...process.env, LD_LIBRARY_PATH: '/usr/lib/chromium', ...env },
    timeout: patience,
  });
  expect(status).toBe(0);
  return JSON.parse(stdout) as Diagnosis;
};

withWebgpu(() => {
  it('is not chosen on a rasteriser: the report says why, and doctor finds it by name', () => {
    const { chosen, gpuModes } = doctor({ KFAC_BACKEND: '' });
    expect(chosen.gpu?.mode).toBe('webasm');
    expect(chosen.gpu?.refused.map(({ mode }) => mode)).toEqual(['webgpu', 'webgl2']);
    expect(chosen.gpu?.refused[0].reason).toContain('no graphics hardware');
    expect(gpuModes[0]).toMatchObject({ mode: 'webgpu', found: true });
    const [webgpu] = gpuModes;
    expect(webgpu.found && webgpu.warnings.join()).toContain('is a program');
  });
});
