/**
 * The choice of a backend in a bundle for browsers, where a stand-in takes the place of the native backend.
 */
import * as E from 'fp-ts/lib/Either.js';

import type { BackendReport } from '../../../../src/core/backends/backend.ts';
import type { BackendOptions } from '../../../../src/core/backends/choice/choose.ts';
import { chooseBackend } from '../../../../src/core/backends/choice/choose.ts';
import { orThrow } from '../../../support/training.ts';

jest.mock('../../../../src/core/backends/native/backend.ts', () =>
  jest.requireActual<object>('../../../../src/core/backends/native/absent.ts'),
);

const reportOf = async (options: BackendOptions, environment: string): Promise<BackendReport> => {
  const chosen = orThrow(await chooseBackend(options, environment)());
  return chosen(async (backend) => {
    const report = backend.report();
    orThrow(await backend.dispose());
    return report;
  });
};

describe('chooseBackend where no program opens libraries', () => {
  it.each(['', 'auto'])('does not miss what nobody has there (%p)', async (environment) => {
    expect(await reportOf({}, environment)).toMatchObject({ backend: 'portable', warnings: [] });
  });

  it('still says why there is no f64 on backends of WebAssembly and graphics hardware', async () => {
    const { backend, warnings } = await reportOf({ dtype: 'f64' }, '');
    expect([backend, warnings]).toEqual([
      'reference',
      [expect.stringContaining('f32'), expect.stringContaining('f32')],
    ]);
  });

  it('says why there is no native backend to whoever asks for it', async () => {
    expect(await chooseBackend({ backend: 'native' })()).toMatchObject(
      E.left({ _tag: 'BackendUnavailable', backend: 'native' }),
    );
  });
});
