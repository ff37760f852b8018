/**
 * The host interpreter: `Ops` on tensors in memory, in one precision, drawing on one allocator.
 *
 * @module
 */
import type { Derived, Ops } from '../../ops/ops.ts';
import { completeOps } from '../../ops/complete.ts';
import type { Tensor } from '../../tensor.ts';
import { checkShape, checkTensor, sizeOf } from '../../tensor.ts';

import { convolutions } from './convolutions.ts';
import { elementwise } from './elementwise.ts';
import { fused } from './fused.ts';
import type { Host } from './host.ts';
import { entered, floatTensor } from './host.ts';
import { indexing } from './indexing.ts';
import { movement } from './movement.ts';
import { patchMoments } from './patchGram.ts';
import { matrixProducts } from './products.ts';
import { reductions } from './reductions.ts';
import { softmaxes } from './softmax.ts';
import { standardised } from './standardise.ts';
import { windows } from './windows.ts';

/**
 * All operations of a host.
 *
 * @param host - precision, kernels, products and allocator
 * @param own - what is known of scopes
 */
export const interpreterOn = (host: Host, own: Partial<Pick<Derived<Tensor>, 'within'>> = {}): Ops<Tensor> => {
  const ops: Ops<Tensor> = completeOps<Tensor>(
    {
      constant: (value) => entered(host, checkTensor('constant', value)),
      full: (shape, value) => {
        const size = sizeOf(checkShape('full', shape));
        if (value === 0) return floatTensor(host, shape, host.allocator.zeros(size));
        const out = host.allocator.take(size);
        host.kernels.fill(out, value);
        return floatTensor(host, shape, out);
      },
      ...matrixProducts(host),
      ...elementwise(host),
      ...reductions(host),
      ...movement(host),
      ...indexing(host),
      ...windows(host),
      ...convolutions(host),
      stopGradient: (x) => x,
      keep: (_, x) => x,
      site: (_, __, output) => output,
    },
    { ...fused(host, () => ops), ...softmaxes(host), ...standardised(host, () => ops), ...patchMoments(host), ...own },
  );
  return ops;
};
