import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend, BackendReport, SomeBackend } from '../../../../src/core/backends/backend.ts';
import type { BackendOptions } from '../../../../src/core/backends/choice/choose.ts';
import { chooseBackend, openBackend, withBackend } from '../../../../src/core/backends/choice/choose.ts';
import { openHostBackend } from '../../../../src/core/backends/choice/hostBackend.ts';
import { nativeBackend } from '../../../../src/core/backends/native/backend.ts';
import { portableBackend } from '../../../../src/core/backends/portable/backend.ts';
import type { KfacError } from '../../../../src/core/errors.ts';
import { raise } from '../../../../src/core/errors.ts';
import type { Shaped } from '../../../../src/core/tensor.ts';
import { orThrow } from '../../../support/training.ts';

/** What a choice reports, after disposing of the backend. */
const reportOf = async (choice: TE.TaskEither<KfacError, SomeBackend>): Promise<BackendReport> => {
  const chosen = orThrow(await choice());
  return chosen(async (backend) => {
    const report = backend.report();
    orThrow(await backend.dispose());
    return report;
  });
};

/** Runs with environment variables set, and sets them back. */
const withEnvironment = async <A>(
  variables: Readonly<Record<string, string | undefined>>,
  run: () => Promise<A>,
): Promise<A> => {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  const set = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
  set(variables);
  try {
    return await run();
  } finally {
    set(before);
  }
};

/** A machine without a BLAS, for a while. */
const withoutBlas = <A>(run: () => Promise<A>): Promise<A> =>
  withEnvironment({ KFAC_BLAS: '/nowhere/libmissing.so', KFAC_BACKEND: undefined }, run);

const nameOf = <T extends Shaped>(backend: Backend<T>): TE.TaskEither<KfacError, string> => TE.right(backend.name);

describe('chooseBackend', () => {
  it('takes native where a BLAS is found, without a warning, else portable with one', async () => {
    const report = await reportOf(chooseBackend({}, ''));
    if (E.isRight(nativeBackend())) {
      expect(report).toMatchObject({ backend: 'native', factorisations: 'LAPACK', warnings: [] });
    } else {
      expect(report).toMatchObject({ backend: 'portable', factorisations: 'portable' });
      expect(report.warnings.join()).toContain('Backend native is not available');
    }
  });

  it('falls back to portable without a BLAS and says what was not found and how to get it', () =>
    withoutBlas(async () => {
      const report = await reportOf(chooseBackend());
      expect(report.backend).toBe('portable');
      expect(report.warnings).toHaveLength(1);
      expect(report.warnings[0]).toContain('/nowhere/libmissing.so');
      expect(report.warnings[0]).toContain('KFAC_BLAS');
    }));

  it('falls back to the reference for f64 without a BLAS, because others have f32 only', () =>
    withoutBlas(async () => {
      const report = await reportOf(chooseBackend({ dtype: 'f64' }));
      expect(report.backend).toBe('reference');
      expect(report.warnings).toHaveLength(3);
      expect(report.warnings[1]).toContain('f32, all that the portable backend has');
      expect(report.warnings[2]).toContain('f32, all that the gpu backend has');
    }));

  it('never replaces a backend that was asked for by name', () =>
    withoutBlas(async () => {
      const refusal = E.left({ _tag: 'BackendUnavailable', backend: 'native' });
      expect(await chooseBackend({ backend: 'native' })()).toMatchObject(refusal);
      expect(await chooseBackend({}, 'native')()).toMatchObject(refusal);
    }));

  it('opens the gpu backend in a mode, by an option or from the environment', async () => {
    for (const choice of [
      chooseBackend({ backend: 'gpu', gpuMode: 'cpu' }),
      chooseBackend({ gpuMode: 'cpu' }, 'reference'),
      chooseBackend({}, 'gpu:cpu'),
    ]) {
      const report = await reportOf(choice);
      expect(report).toMatchObject({ backend: 'gpu', gpu: { mode: 'cpu', refused: [] } });
    }
  });

  it('refuses a mode of the gpu backend on another one', async () => {
    expect(await chooseBackend({ backend: 'reference', gpuMode: 'cpu' })()).toEqual(
      E.left({ _tag: 'BadConfig', path: 'gpuMode', expected: 'auto, on the reference backend', actual: 'cpu' }),
    );
  });

  it('lets the environment decide what auto means, and nothing else', async () => {
    expect((await reportOf(chooseBackend({}, 'reference'))).backend).toBe('reference');
    expect((await reportOf(chooseBackend({ backend: 'auto' }, 'gpu'))).backend).toBe('gpu');
    expect((await reportOf(chooseBackend({ backend: 'reference' }, 'gpu'))).backend).toBe('reference');
    await withEnvironment({ KFAC_BACKEND: 'reference' }, async () => {
      expect((await reportOf(chooseBackend())).backend).toBe('reference');
    });
    expect(await chooseBackend({}, 'cuda')()).toEqual(
      E.left({
        _tag: 'BadConfig',
        path: 'KFAC_BACKEND',
        expected: 'auto, native, gpu, portable, reference, gpu:webgpu, gpu:webgl2, gpu:headlessgl, gpu:webasm, gpu:cpu',
        actual: 'cuda',
      }),
    );
  });

  it('refuses settings that a backend cannot meet, and warns of those that change nothing', async () => {
    for (const name of ['gpu', 'portable'] as const) {
      expect(await openBackend(name, { dtype: 'f64' })()).toMatchObject(E.left({ _tag: 'BadConfig', path: 'dtype' }));
    }
    expect(await reportOf(openBackend('portable', { threads: 2 }))).toMatchObject({ threads: 2, warnings: [] });
    expect(await reportOf(openBackend('gpu', { gpuMode: 'webasm', threads: 4 }))).toMatchObject({
      threads: 4,
      warnings: [],
    });
    expect((await reportOf(openBackend('gpu', { gpuMode: 'cpu', threads: 4 }))).warnings.join()).toContain(
      'threads 4 is ignored',
    );
    expect((await reportOf(openBackend('reference', { dtype: 'f32', threads: 2 }))).warnings).toHaveLength(2);
    expect((await reportOf(openBackend('reference', { dtype: 'f64', threads: 1 }))).warnings).toEqual([]);
  });

  it.each(['native', null, 3, { backend: 'nativ' }, { backend: null }])(
    'refuses %j, which JavaScript may give, with what would be right',
    async (given) => {
      const refusal = E.left({
        _tag: 'BadConfig',
        path: 'backend',
        expected: expect.stringContaining('native') as string,
      });
      expect(await chooseBackend(JSON.parse(JSON.stringify(given)) as BackendOptions, '')()).toMatchObject(refusal);
    },
  );

  it.each([0, -1, 1.5, NaN])('refuses %d threads', async (threads) => {
    const refusal = E.left({ _tag: 'BadConfig', path: 'threads' });
    for (const options of [
      {},
      { backend: 'native' },
      { backend: 'gpu' },
      { backend: 'portable' },
      { backend: 'reference' },
    ] as const) {
      expect(await chooseBackend({ ...options, threads } satisfies BackendOptions, '')()).toMatchObject(refusal);
    }
  });

  it.each([0, -1, 1.5, NaN, 4097])('refuses memories of %d MiB', async (memoryLimit) => {
    const refusal = E.left({ _tag: 'BadConfig', path: 'memoryLimit' });
    for (const backend of ['auto', 'native', 'gpu', 'portable', 'reference'] as const) {
      expect(await chooseBackend({ backend, memoryLimit }, '')()).toMatchObject(refusal);
    }
    for (const open of [nativeBackend, portableBackend]) expect(open({ memoryLimit })).toMatchObject(refusal);
  });

  it('limits memories, and says how many there are', () => {
    const backend = orThrow(portableBackend({ threads: 1, memoryLimit: 1 }));
    expect(backend.report().memory).toMatchObject({ memories: 1, limit: 2 ** 20, refused: 0 });
    const arrays = [1, 2, 3].map((x) => backend.ops.full([150_000], x));
    const sum = arrays.reduce((a, b) => backend.ops.add(a, b));
    expect(new Set(Array.from(sum.data))).toEqual(new Set([6]));
    expect(backend.report()).toMatchObject({ warnings: [], memory: { limit: 2 ** 20, refused: 0 } });
    expect(backend.report().memory?.memories).toBeGreaterThan(3);
  });

  it('says that a limit is ignored where there is no memory to limit', () => {
    const { warnings } = orThrow(openHostBackend({ backend: 'reference', memoryLimit: 100 })).report();
    expect(warnings).toEqual([expect.stringContaining('memoryLimit 100 is ignored')]);
  });

  it('sets the threads of native, and sets them back', async () => {
    const opened = nativeBackend();
    if (E.isLeft(opened)) {
      expect(nativeBackend({ threads: 1 })).toEqual(opened);
      return;
    }
    const before = opened.right.report().threads;
    const one = orThrow(nativeBackend({ threads: 1 }));
    expect(one.report().threads).toBe(1);
    orThrow(await one.dispose());
    expect(opened.right.report().threads).toBe(before);
  });
});

describe('withBackend', () => {
  it('gives what the computation gives', async () => {
    expect(await withBackend({ backend: 'reference' }, nameOf)()).toEqual(E.right('reference'));
  });

  it('gives why there is no backend, and does not run', () =>
    withoutBlas(async () => {
      let runs = 0;
      const outcome = await withBackend({ backend: 'native' }, () => {
        runs += 1;
        return TE.right(0);
      })();
      expect(outcome).toMatchObject(E.left({ _tag: 'BackendUnavailable' }));
      expect(runs).toBe(0);
    }));

  it('turns what array operations raise into a Left', async () => {
    const error: KfacError = { _tag: 'ShapeMismatch', where: 'test', expected: '', actual: '' };
    expect(await withBackend({ backend: 'reference' }, () => raise(error))()).toEqual(E.left(error));
  });

  it('disposes of the backend on success, on failure and on a defect', async () => {
    const opened = nativeBackend();
    if (E.isLeft(opened)) {
      expect(await withBackend({ backend: 'native' }, nameOf)()).toEqual(opened);
      return;
    }
    const threads = (): number => opened.right.report().threads;
    const before = threads();
    const options = { backend: 'native', threads: before === 1 ? 2 : 1 } as const;
    const failure: KfacError = { _tag: 'NonFinite', where: '', what: '', advice: '' };
    const during = await withBackend(options, () => TE.fromIO(threads))();
    expect(during).toEqual(E.right(options.threads));
    expect(threads()).toBe(before);
    expect(await withBackend(options, () => TE.left(failure))()).toEqual(E.left(failure));
    expect(threads()).toBe(before);
    const defect = withBackend(options, () => () => Promise.reject(new Error('defect')));
    await expect(defect()).rejects.toThrow('defect');
    expect(threads()).toBe(before);
  });
});
