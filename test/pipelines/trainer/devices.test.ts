/**
 * Training on devices that keep arrays, and on threads, takes the course that it takes on the reference. WebGL and WebGPU
 * in a browser are in `test/browser/conformance.test.ts`.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { hostKernelBackend } from '../../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import type { Listener } from '../../../src/pipelines/trainer/events.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { departure } from '../../support/trajectory.ts';
import { orThrow } from '../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../support/webgpu.ts';
import { memoryBackend } from '../../core/backends/gpu/device/support.ts';
import { sineTask } from './support.ts';

/** Single precision in sums of some hundred terms: some 10⁻⁶ in a step, and what twenty steps make of it. */
const bounds = { step: 1e-5, course: 1e-4 };

const trainsAsTheReference = <T extends Shaped>(open: TE.TaskEither<KfacError, Backend<T>>): void => {
  it('law: a step of K-FAC is that of the reference, and so are twenty', async () => {
    const backend = orThrow(await open());
    const step = orThrow(await departure(backend, 1)());
    const course = orThrow(await departure(backend, 20)());
    expect(step.params).toBeLessThan(bounds.step);
    expect(course.params).toBeLessThan(bounds.course);
    expect(course.losses).toBeLessThan(bounds.course);
    expect(course.course[1]).toBeLessThan(0.999 * course.course[0]);
    expect(backend.report().warnings).toEqual([]); // workers that give up would say so here
    expect(await backend.dispose()).toEqual(E.right(undefined));
  });
};

describe('in JavaScript', () => {
  trainsAsTheReference(TE.fromIO(() => memoryBackend('cpu')));

  // `npm run endurance` takes ten thousand steps, on graphics too.
  it('law: arrays on the device do not grow in number with the steps', async () => {
    const backend = memoryBackend('cpu');
    const arrays: Array<number> = [];
    const listener: Listener = () => () => void arrays.push(backend.usage().arrays);
    const options = { duration: { steps: 60 }, batch: 8, seed: 1, listeners: [listener] };
    const optimizer = kfac({ inverseEvery: 7 });
    orThrow(await train({ backend, clock: () => 0 }, sineTask(), optimizer, options)());
    expect(arrays).toHaveLength(60);
    // A step that is not taken leaves fewer or more behind, for as long as that is so.
    expect(Math.max(...arrays.slice(30))).toBeLessThanOrEqual(Math.max(...arrays.slice(0, 30)));
    await backend.dispose();
  });
});

describe('on WebGPU', () => {
  withWebgpu(() => trainsAsTheReference(webgpuBackend()));
});

describe('in WebAssembly on threads, each product shared however small it is', () => {
  trainsAsTheReference(TE.fromIOEither(() => hostKernelBackend('webasm', { threads: 2, worthSharing: 0 })));
});
