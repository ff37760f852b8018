/**
 * The worker of spectra: eigenvalues of factors, which take seconds and must not hold up training.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Backend, KfacError, Shaped } from 'kfac-ts/core';
import { describeError, tensor, withBackend } from 'kfac-ts/core';

import type { Factor, SpectraReport, SpectraRequest, Spectrum } from './messages.ts';

const spectrumOf =
  <A extends Shaped>(backend: Backend<A>) =>
  ({ block, name, order, data }: Factor): TE.TaskEither<KfacError, Spectrum> =>
    pipe(
      backend.linearAlgebra.eigh(backend.ops.constant(tensor(data, [order, order], 'f32'))),
      TE.chain(({ values }) => backend.read(values)),
      TE.map((values) => ({ block, name, values: Float32Array.from(values.data).reverse() })),
    );

const answer = async ({ step, factors }: SpectraRequest): Promise<SpectraReport> => {
  const outcome = await withBackend({ gpuMode: 'webasm' }, (backend) =>
    pipe(factors, TE.traverseSeqArray(spectrumOf(backend))),
  )();
  return E.isLeft(outcome)
    ? { type: 'failed', sentence: describeError(outcome.left) }
    : { type: 'spectra', step, spectra: outcome.right };
};

addEventListener('message', ({ data }: MessageEvent<SpectraRequest>) => {
  void answer(data).then((report) => postMessage(report));
});
