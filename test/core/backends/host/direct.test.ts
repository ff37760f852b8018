/**
 * Convolutions without patches against the reference, on windows that are runs: made where they should be, of any stride, with
 * zeros around or none, in one frame or several, on one thread or several.
 */
import fc from 'fast-check';

import { directConvolutions } from '../../../../src/core/backends/host/direct.ts';
import type { Host } from '../../../../src/core/backends/host/host.ts';
import { f32 } from '../../../../src/core/backends/host/kernels/precision.ts';
import type { VectorUnit } from '../../../../src/core/backends/host/simd/instance.ts';
import { openUnit } from '../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../src/core/backends/host/simd/kernels.ts';
import { sharedUnit } from '../../../../src/core/backends/host/simd/sharing.ts';
import { windowProducts } from '../../../../src/core/backends/host/simd/windowProducts.ts';
import { openTeam } from '../../../../src/core/backends/threads/team.ts';
import type { Window } from '../../../../src/core/ops/window.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import { uniform } from '../../../../src/core/random/uniform.ts';
import type { Shape, Tensor } from '../../../../src/core/tensor.ts';
import { sizeOf } from '../../../../src/core/tensor.ts';
import { reference } from '../../../support/conformance/trial.ts';

const present = <A>(found: A | null): A => {
  if (found === null) throw new Error('there is none');
  return found;
};

const unit = present(openUnit());
const take = (length: number): Float32Array => present(unit.memory.take(length));

const never = (): never => {
  throw new Error('a product of patches');
};

const hostOn = (on: VectorUnit, widest = Infinity): Host => ({
  precision: f32,
  kernels: singleKernels(1, on),
  products: { matmul: never, batchedMatmul: never, affine: never, gram: never, windows: windowProducts(on, widest) },
  allocator: { take: (length) => take(length).fill(NaN), zeros: (length) => take(length).fill(0) },
  isInside: (data) => unit.memory.addressOf(data, 0) >= 0,
});

const team = openTeam({ threads: 3, memory: unit.memory, what: 'Loops run' });
afterAll(team.dispose);
const direct = directConvolutions(hostOn(unit));
const together = directConvolutions(hostOn(sharedUnit(unit, team, { worthSharing: 0, atOnce: 0 })));

interface Geometry {
  readonly images: Shape;
  readonly window: Window;
  readonly out: number;
}

const placesOf = ({ images: [, h, w], window: { kernel, stride, dilation, padding } }: Geometry) =>
  [
    Math.floor((h + padding[0] + padding[1] - dilation[0] * (kernel[0] - 1) - 1) / stride[0]) + 1,
    Math.floor((w + padding[2] + padding[3] - kernel[1]) / stride[1]) + 1,
  ] as const;

const upTo = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max });

/** Windows without gaps in their rows, over lines of at least four places and images of at least four pixels of each remainder. */
const geometry: fc.Arbitrary<Geometry> = fc
  .record({
    images: fc.tuple(upTo(3, 1), upTo(14, 3), upTo(16, 4), upTo(11, 1)),
    kernel: fc.tuple(upTo(4, 1), upTo(5, 1)),
    stride: fc.tuple(upTo(3, 1), upTo(3, 1)),
    rows: upTo(2, 1),
    padding: fc.tuple(upTo(3), upTo(3), upTo(3), upTo(3)),
    out: upTo(19, 1),
  })
  .map(({ images, kernel, stride, rows, padding, out }) => ({
    images,
    window: { kernel, stride, dilation: [rows, 1] as const, padding },
    out,
  }))
  .filter(
    ({ window: { kernel, stride } }) => [...kernel, ...stride].some((extent) => extent > 1), // else pixels are the windows
  )
  .filter((drawn) => placesOf(drawn)[0] >= 1 && placesOf(drawn)[1] >= 4);

const drawn = (seed: number, shape: Shape): Tensor => {
  const data = take(sizeOf(shape));
  data.set(Float32Array.from(uniform(keyOf(seed), [data.length], 'f64').data, (u) => 2 * u - 1));
  return { shape, dtype: 'f32', data };
};

const expectClose = (actual: Float32Array, expected: Tensor, terms: number): void => {
  const worst = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - expected.data[i])), 0);
  expect(worst).toBeLessThanOrEqual(terms * 2 ** -24);
};

const bitsOf = (x: Float32Array): ReadonlyArray<number> =>
  Array.from(new Uint32Array(x.buffer, x.byteOffset, x.length));

/** What it makes, with the same bits on several threads. */
const madeBy = (length: number, act: (on: typeof direct, into: Float32Array) => boolean): Float32Array => {
  const [alone, shared] = [direct, together].map((on) => {
    const into = take(length).fill(0);
    expect(act(on, into)).toBe(true);
    return into;
  });
  expect(bitsOf(shared)).toEqual(bitsOf(alone));
  return alone;
};

const operandsOf = (given: Geometry) => {
  const { images, window, out } = given;
  const places = placesOf(given);
  const [outputs, filters] = [
    [images[0], ...places, out],
    [out, window.kernel[0] * window.kernel[1] * images[3]],
  ];
  const [x, f, y] = [images, filters, outputs].map((shape, i) => drawn(i + 1, shape));
  return { x, f, y, view: { images, places, window } };
};

const expectForward = (given: Geometry): void => {
  const { x, f, y, view } = operandsOf(given);
  const made = madeBy(y.data.length, (on, into) => on.convolve(x.data, f.data, view, given.out, into));
  expectClose(made, reference.convolve(x, f, given.window), 4 * f.shape[1]);
};

const expectInImages = (given: Geometry): void => {
  const { images, window, out } = given;
  const { x, f, y, view } = operandsOf(given);
  const pixels = madeBy(x.data.length, (on, into) => on.convolveTransposed(y.data, f.data, view, out, into));
  const terms = window.kernel[0] * window.kernel[1] * out;
  expectClose(pixels, reference.convolveTransposed(y, f, window, images), 4 * terms);
};

const expectInFilters = (given: Geometry): void => {
  const { x, f, y, view } = operandsOf(given);
  const sums = madeBy(f.data.length, (on, into) => on.correlate(x.data, y.data, view, given.out, into));
  expectClose(sums, reference.correlate(x, y, given.window, 1), 4 * sizeOf(y.shape.slice(0, 3)));
};

/** Whether the pixels of each remainder by the stride fill a tile, and rows of windows are next to each other. */
const hasAdjoint = ({ images: [, , w], window: { stride, dilation } }: Geometry): boolean =>
  dilation[0] === 1 && w >= 4 * stride[1];

describe('law: convolutions without patches are those of the reference, bit for bit on any number of threads', () => {
  it('forwards', () => {
    fc.assert(fc.property(geometry, expectForward));
  });

  it('the adjoint in the filters', () => {
    fc.assert(fc.property(geometry, expectInFilters));
  });

  it('the adjoint in the images', () => {
    fc.assert(fc.property(geometry.filter(hasAdjoint), expectInImages));
  });

  it.each([1, 2])('of images that are too many for one frame, stride %i', (stride) => {
    const window = { kernel: [3, 3], stride: [stride, stride], dilation: [1, 1], padding: [1, 1, 1, 1] } as const;
    const given = { images: [5, 56, 60, 16], window, out: 5 };
    expectForward(given);
    expectInFilters(given);
    expectInImages(given);
  });
});

describe('convolutions without patches', () => {
  const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [1, 1, 1, 1] } as const;
  const given = { images: [2, 8, 8, 4], window, out: 12 };
  const { x, f, y, view } = operandsOf(given);
  const into = take(2048);
  const makes = (on: typeof direct, from: Tensor, images: Shape, by: Window): ReadonlyArray<boolean> => [
    on.convolve(from.data, f.data, { ...view, images, window: by }, 12, into),
    on.convolveTransposed(y.data, f.data, { ...view, images, window: by }, 12, into),
    on.correlate(from.data, y.data, { ...view, images, window: by }, 12, into),
  ];

  it('are left to patches where these are faster: where there are many outputs', () => {
    expect(makes(directConvolutions(hostOn(unit, 12)), x, given.images, window)).toEqual([true, true, true]);
    // In the images it is their channels that are many.
    expect(makes(directConvolutions(hostOn(unit, 11)), x, given.images, window)).toEqual([false, true, false]);
    expect(makes(directConvolutions(hostOn(unit, 3)), x, given.images, window)).toEqual([false, false, false]);
  });

  it('are left to them where rows of windows have gaps', () => {
    expect(makes(direct, x, given.images, { ...window, dilation: [1, 2] })).toEqual([false, false, false]);
  });

  it('are left to them where results lie elsewhere', () => {
    const elsewhere = new Float32Array(2048);
    expect(direct.convolve(x.data, f.data, view, 12, elsewhere)).toBe(false);
    expect(direct.convolveTransposed(y.data, f.data, view, 12, elsewhere)).toBe(false);
    expect(elsewhere.every((value) => value === 0)).toBe(true);
  });

  it('take images that lie elsewhere', () => {
    const [inside, outside] = [x.data, Float32Array.from(x.data)].map((data) =>
      madeBy(y.data.length, (on, result) => on.convolve(data, f.data, view, 12, result)),
    );
    expect(bitsOf(outside)).toEqual(bitsOf(inside));
  });
});
