/**
 * WebGL as a device: WebGL 2 in browsers, headless-gl in Node.js. Arrays are textures.
 *
 * Kernels run when they are called, and reading waits for them, so nothing is ever in flight. A context that is lost
 * goes on to answer, with zeros: it is asked whenever something is read, and whenever gpu.js complains, which then speaks
 * of shaders.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../../errors.ts';
import { raise } from '../../../errors.ts';
import type { Nested, RawGpu, RawKernel } from '../gpujs/gpujs.ts';
import { flatten, inputOf, rawGpu } from '../gpujs/gpujs.ts';
import type { GpuMode } from '../../gpuModes.ts';
import { isSoftwareName } from '../../gpuModes.ts';

import { degradation, degradedError } from './degraded.ts';
import type { Device, Handle } from './device.ts';
import { copyKernel } from './kernels/elementwise.ts';
import type { Kernel } from './kernels/kernel.ts';

/** Modes whose arrays are textures. */
export type GlMode = Extract<GpuMode, 'webgl2' | 'headlessgl'>;

/** The part of a WebGL context that is used here. */
interface GlContext {
  readonly RENDERER: number;
  readonly getParameter: (name: number) => unknown;
  readonly getExtension: (name: string) => { readonly UNMASKED_RENDERER_WEBGL?: number } | null;
  readonly isContextLost: () => boolean;
}

/** The part of gpu.js's textures that is used here. */
interface RawTexture {
  readonly context: GlContext;
  readonly toArray: () => Nested;
  readonly delete: () => void;
}

/** Makes another texture object of gpu.js for what a texture holds. */
type TextureClass = new (settings: object) => RawTexture;

/**
 * The same memory as a list of numbers. gpu.js has a class of textures for each number of dimensions, and a kernel
 * accepts the class of its first call only.
 */
const flattened = (raw: RawTexture, Flat: TextureClass, length: number): RawTexture => {
  const flat = new Flat({ ...raw, output: [length], dimensions: [length, 1, 1] });
  raw.delete();
  return flat;
};

const classOf = (raw: RawTexture): TextureClass => raw.constructor as TextureClass;

/** An array in a texture. */
export interface TextureHandle extends Handle {
  readonly raw: RawTexture;
}

/** What gpu.js calls a texture of single numbers. */
const textureType = 'ArrayTexture(1)';

const lost = (mode: GlMode): KfacError => ({
  _tag: 'DeviceFailed',
  where: `gpu (${mode})`,
  reason: 'the WebGL context was lost',
  advice: 'Open the backend again and go on from the last checkpoint, with a smaller batch if memory ran out.',
});

const lengthOf = ({ threads, components }: Kernel): number =>
  threads.reduce((size, extent) => size * extent, components);

const handleOf = (mode: GlMode, raw: RawTexture, length: number): TextureHandle => ({
  raw,
  read: () => {
    const values = flatten(raw.toArray(), length);
    return raw.context.isContextLost() ? raise(lost(mode)) : values;
  },
  free: () => raw.delete(),
});

const compile = (gpu: RawGpu, kernel: Kernel, arrayType: string): RawKernel =>
  gpu
    .createKernel(kernel.source(), {
      output: kernel.threads,
      precision: 'single',
      pipeline: true,
      immutable: true,
      // The extents of a texture are not in a kernel's text then; they depend on the kernel that made it.
      dynamicArguments: true,
      argumentTypes: [...Array<string>(kernel.arrays).fill(arrayType), ...Array<string>(kernel.numbers).fill('Float')],
    })
    .setLoopMaxIterations(2 ** 30);

/** gpu.js, and its class of one-dimensional textures once one has been seen. */
interface Opened {
  readonly gpu: RawGpu;
  readonly Flat?: TextureClass;
}

/** A kernel that is called as gpu.js wants it. */
interface Runner {
  readonly run: (args: ReadonlyArray<object | number>) => TextureHandle;
  readonly destroy: () => void;
}

const runnerOf = (opened: Opened, mode: GlMode, kernel: Kernel, arrayType: string): Runner => {
  const raw = compile(opened.gpu, kernel, arrayType);
  const length = lengthOf(kernel);
  return {
    run: (args) => {
      const result = raw(...args) as unknown as RawTexture;
      const reason = degradation(raw, 'gpu');
      return reason === undefined
        ? handleOf(mode, flattened(result, opened.Flat ?? classOf(result), length), length)
        : raise(degradedError(mode, reason));
    },
    destroy: () => raw.destroy(),
  };
};

/** Name of the graphics adapter, where the browser tells. */
const adapterOf = (context: GlContext): string => {
  const name = context.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER;
  return String(context.getParameter(name));
};

const trialValues = [1, 2, 3, 4, 5];

/** Runs a kernel of one dimension, to see that the mode works and to get hold of a texture. */
const tryKernel = (gpu: RawGpu, mode: GlMode): E.Either<string, RawTexture> => {
  const { run, destroy } = runnerOf({ gpu }, mode, copyKernel(trialValues.length), 'Input');
  const handle = run([inputOf(Float32Array.from(trialValues))]);
  const values = flatten(handle.raw.toArray(), trialValues.length).join();
  handle.free();
  destroy();
  return values === trialValues.join()
    ? E.right(handle.raw)
    : E.left(`a test kernel returned ${values} for ${trialValues.join()}`);
};

const deviceOf = (gpu: RawGpu, mode: GlMode, texture: RawTexture): Device<TextureHandle> => {
  const adapter = adapterOf(texture.context);
  const opened = { gpu, Flat: classOf(texture) };
  return {
    mode,
    adapter,
    isSoftware: isSoftwareName(adapter),
    readsVectors: false,
    createKernel: (kernel) => {
      const { run, destroy } = runnerOf(opened, mode, kernel, textureType);
      return { run: (arrays, numbers) => run([...arrays.map(({ raw }) => raw), ...numbers]), destroy };
    },
    createUpload: (n) => {
      const { run, destroy } = runnerOf(opened, mode, copyKernel(n), 'Input');
      return { run: (values) => run([inputOf(values)]), destroy };
    },
    onFailure: () => () => undefined,
    loss: () => (texture.context.isContextLost() ? lost(mode) : null),
    dispose: () => gpu.destroy(),
  };
};

/** Why gpu.js does not open a mode; what it throws then says no more than that. */
const unsupported = (mode: GlMode, thrown: unknown): string => {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (!message.includes('not supported')) return message;
  return mode === 'headlessgl'
    ? 'headless-gl is not supported here: it needs the package gl and a display'
    : 'WebGL 2 is not supported here: it needs a browser that has it';
};

/**
 * Opens WebGL.
 *
 * @param mode - which one
 * @returns the device, which may be a software rasteriser; or the reason why there is none
 */
export const glDevice = (mode: GlMode): E.Either<string, Device<TextureHandle>> =>
  pipe(
    E.tryCatch(
      () => {
        const gpu = rawGpu(mode);
        return { gpu, tried: tryKernel(gpu, mode) };
      },
      (thrown) => unsupported(mode, thrown),
    ),
    E.flatMap(({ gpu, tried }) =>
      pipe(
        tried,
        E.map((texture) => deviceOf(gpu, mode, texture)),
      ),
    ),
  );
