import * as E from 'fp-ts/lib/Either.js';

import * as absent from '../../../../src/core/backends/native/absent.ts';
import * as present from '../../../../src/core/backends/native/backend.ts';

describe('the stand-in for the native backend', () => {
  it('has the same names and says why there is none', () => {
    expect(Object.keys(absent)).toEqual(Object.keys(present));
    for (const refusal of [absent.nativeBackend(), absent.nativeFactorisations()]) {
      expect(refusal).toMatchObject(E.left({ _tag: 'BackendUnavailable', backend: 'native' }));
    }
    expect([absent.opensLibraries(), present.opensLibraries()]).toEqual([false, true]);
    const missing = '/nowhere/libmissing.so';
    expect([absent.canOpenLibrary(missing), present.canOpenLibrary(missing)]).toEqual([null, false]);
  });
});
