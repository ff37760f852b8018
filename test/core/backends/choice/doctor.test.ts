import * as E from 'fp-ts/lib/Either.js';

import type { Diagnosis } from '../../../../src/core/backends/choice/doctor.ts';
import { diagnose } from '../../../../src/core/backends/choice/doctor.ts';
import { orThrow } from '../../../support/training.ts';

/** A clock that goes on by a millisecond whenever somebody looks. */
const ticking = (): (() => number) => {
  let milliseconds = 0;
  return () => {
    milliseconds += 1;
    return milliseconds / 1000;
  };
};

const diagnosisOf = async (backend: 'auto' | 'reference' | 'gpu'): Promise<Diagnosis> =>
  orThrow(await diagnose({ backend, clock: ticking(), seconds: 0.01, order: 8 })());

const blas = process.env['KFAC_BLAS'];

afterEach(() => {
  if (blas === undefined) delete process.env['KFAC_BLAS'];
  else process.env['KFAC_BLAS'] = blas;
});

describe('diagnose', () => {
  it('lists every backend and reports the one that was chosen', async () => {
    const { backends, chosen, dtype } = await diagnosisOf('reference');
    expect(backends.map(({ backend }) => backend)).toEqual(['native', 'gpu', 'portable', 'reference']);
    expect(chosen).toMatchObject({ backend: 'reference', factorisations: 'portable' });
    expect(dtype).toBe('f64');
  });

  it('lists every mode of the gpu backend, with its rate or the reason why it cannot be had', async () => {
    const { gpuModes } = await diagnosisOf('reference');
    expect(gpuModes.map(({ mode }) => mode)).toEqual(['webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu']);
    const [, webgl2, , webasm, cpu] = gpuModes;
    expect(webgl2).toMatchObject({ found: false });
    expect(webgl2.found ? '' : webgl2.reason).toContain('not supported');
    // 2 · 8³ = 1024 operations in one tick of 10⁻³ s.
    for (const mode of [webasm, cpu]) expect(mode.found && mode.gflops).toBeCloseTo(1024 / 1e-3 / 1e9, 12);
  });

  it('measures 2 n³ operations per product: one tick of a millisecond at n = 8', async () => {
    // 2 · 8³ = 1024 operations in 10⁻³ s.
    expect((await diagnosisOf('reference')).gflops).toBeCloseTo(1024 / 1e-3 / 1e9, 12);
  });

  it('takes the best of at least 200 ms, of each mode too: the first products may be disturbed', async () => {
    const clock = ticking();
    const { gpuModes } = orThrow(await diagnose({ backend: 'reference', clock, order: 8 })());
    const measured = 1 + gpuModes.filter(({ found }) => found).length;
    expect(clock()).toBeGreaterThan(0.2 * measured);
  });

  it('says why a backend is missing and how to get faster', async () => {
    process.env['KFAC_BLAS'] = '/nowhere/libmissing.so';
    const { backends, chosen, advice } = await diagnosisOf('gpu');
    expect(chosen.backend).toBe('gpu');
    const [native] = backends;
    expect(native).toMatchObject({ backend: 'native', found: false });
    expect(native.found ? '' : native.reason).toContain('/nowhere/libmissing.so');
    expect(advice).toEqual([native.found ? '' : native.advice]);
    expect(advice[0]).toContain('KFAC_BLAS');
  });

  it('fails when a backend is asked for that is not there', async () => {
    process.env['KFAC_BLAS'] = '/nowhere/libmissing.so';
    expect(await diagnose({ backend: 'native', clock: ticking() })()).toMatchObject(
      E.left({ _tag: 'BackendUnavailable', backend: 'native' }),
    );
  });
});
