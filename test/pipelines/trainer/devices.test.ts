/**
 * Training on devices that keep arrays takes the course that it takes on the reference. WebGL and WebGPU in a browser
 * are in `test/browser/conformance.test.ts`.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { DeviceBackend } from '../../../src/core/backends/gpu/device/backend.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import { departure } from '../../support/trajectory.ts';
import { orThrow } from '../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../support/webgpu.ts';
import { memoryBackend } from '../../core/backends/gpu/device/support.ts';

/** Single precision in sums of some hundred terms: some 10⁻⁶ in a step, and what twenty steps make of it. */
const bounds = { step: 1e-5, course: 1e-4 };

const trainsAsTheReference = (open: TE.TaskEither<KfacError, DeviceBackend>): void => {
  it('law: a step of K-FAC is that of the reference, and so are twenty', async () => {
    const backend = orThrow(await open());
    const step = orThrow(await departure(backend, 1)());
    const course = orThrow(await departure(backend, 20)());
    expect(step.params).toBeLessThan(bounds.step);
    expect(course.params).toBeLessThan(bounds.course);
    expect(course.losses).toBeLessThan(bounds.course);
    expect(course.course[1]).toBeLessThan(0.999 * course.course[0]);
    expect(await backend.dispose()).toEqual(E.right(undefined));
  });
};

describe('in JavaScript', () => {
  trainsAsTheReference(TE.fromIO(() => memoryBackend('cpu')));
});

describe('on WebGPU', () => {
  withWebgpu(() => trainsAsTheReference(webgpuBackend()));
});
