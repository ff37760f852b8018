import type { BackendOptions } from '../../../../src/core/backends/choice/choose.ts';
import { openHostBackend } from '../../../../src/core/backends/choice/hostBackend.ts';
import { orThrow } from '../../../support/training.ts';

/** Precision and warnings of the backend that is opened. */
const opened = async (options: BackendOptions) => {
  const backend = orThrow(openHostBackend(options));
  const found = { dtype: backend.dtype, warnings: backend.report().warnings };
  orThrow(await backend.dispose());
  return found;
};

describe('openHostBackend', () => {
  it.each([
    ['dtype', { backend: 'portable', dtype: 'f64' }],
    ['threads', { threads: 0 }],
    ['threads', { backend: 'reference', threads: 1.5 }],
    ['gpuMode', { gpuMode: 'cpu' }],
    ['backend', { backend: 'gpu' }],
  ] as ReadonlyArray<readonly [string, BackendOptions]>)(
    'refuses %s in %j, as opening any backend does',
    (path, options) => {
      expect(openHostBackend(options)).toMatchObject({
        left: { _tag: 'BadConfig', path },
      });
    },
  );

  it('has the precision that is asked for, whichever is the fastest that has it', async () => {
    expect((await opened({ dtype: 'f64' })).dtype).toBe('f64');
    expect((await opened({ dtype: 'f32' })).dtype).toBe('f32');
  });

  it('says what the reference has not', async () => {
    expect((await opened({ backend: 'reference', dtype: 'f32' })).warnings).toHaveLength(1);
  });
});
