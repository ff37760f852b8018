/**
 * The host interpreter with the vector unit for arrays of every length, wherever they lie. By default short ones, which most
 * arrays of the suite are, take plain loops and memory of their own; those are measured through the native backend.
 */
import * as E from 'fp-ts/lib/Either.js';

import { plainKernels } from '../../../../src/core/backends/host/kernels/plain.ts';
import type { WindowProducts } from '../../../../src/core/backends/host/kernels/products.ts';
import type { VectorUnit } from '../../../../src/core/backends/host/simd/instance.ts';
import { openUnit } from '../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../src/core/backends/host/simd/kernels.ts';
import { windowProducts } from '../../../../src/core/backends/host/simd/windowProducts.ts';
import { conformance } from '../../../support/conformance.ts';
import { inTurns } from './memory/inTurns.ts';
import { loopBackend } from './support.ts';

/** Convolutions without patches, of any width. */
const windowsOn = (unit: VectorUnit | null): { readonly windows?: WindowProducts } =>
  unit === null ? {} : { windows: windowProducts(unit, Infinity) };

conformance('host, vector unit, arrays in its memory', () => {
  const unit = openUnit();
  return E.right(loopBackend('f32', singleKernels(1, unit), { unit, smallest: 1, ...windowsOn(unit) }).backend);
});
conformance('host, vector unit, a memory that is not shared', () => {
  const unit = openUnit({ shared: false });
  return E.right(loopBackend('f32', singleKernels(1, unit), { unit, smallest: 1, ...windowsOn(unit) }).backend);
});
conformance('host, vector unit, a memory that is soon full', () => {
  const unit = openUnit({ pages: 1, memories: 1 });
  return E.right(loopBackend('f32', singleKernels(1, unit), { unit, smallest: 1, ...windowsOn(unit) }).backend);
});
conformance('host, vector unit, memories of a page', () => {
  const unit = openUnit({ pages: 1 });
  return E.right(loopBackend('f32', singleKernels(1, unit), { unit, smallest: 1, ...windowsOn(unit) }).backend);
});
conformance('host, vector unit, two memories in turns', () => {
  const unit = inTurns(openUnit({ pages: 300, memories: 2 }));
  return E.right(loopBackend('f32', singleKernels(1, unit), { unit, smallest: 1, ...windowsOn(unit) }).backend);
});
conformance('host, vector unit, two memories of a fixed size in turns', () => {
  const unit = inTurns(openUnit({ pages: 300, memories: 2, shared: false }));
  return E.right(loopBackend('f32', singleKernels(1, unit), { unit, smallest: 1, ...windowsOn(unit) }).backend);
});
conformance('host, vector unit, arrays elsewhere', () => E.right(loopBackend('f32', singleKernels(1)).backend));
conformance('host, plain loops in single precision', () => E.right(loopBackend('f32', plainKernels, { unit: null }).backend)); // prettier-ignore

it('says how many arrays the memory of vector kernels had no room for', () => {
  const unit = openUnit({ pages: 1, memories: 1 });
  const { backend } = loopBackend('f32', singleKernels(1, unit), { unit });
  expect(backend.report().warnings).toEqual([]);
  backend.ops.full([20_000], 1);
  backend.ops.full([20_000], 1);
  expect(backend.report().warnings).toEqual([
    '2 arrays did not fit into the 0.0625 MiB of vector kernels, which are slower on them.',
  ]);
});
