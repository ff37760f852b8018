/**
 * The modes of gpu.js: what they are called, and what runs them.
 *
 * @module
 */

/** Where kernels can run. */
export const gpuModes = ['webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu'] as const;

/** Where kernels run. `cpu` is gpu.js's plain JavaScript: a second opinion on kernel sources, not a fast path. */
export type GpuMode = (typeof gpuModes)[number];

/** Modes in the words of a report. */
export const titleOf: Readonly<Record<GpuMode, string>> = {
  webgpu: 'WebGPU',
  webgl2: 'WebGL 2',
  headlessgl: 'headless-gl',
  webasm: 'WebAssembly',
  cpu: 'JavaScript',
};

/** Modes that `auto` tries, the fastest first. headless-gl needs a display and is for those who ask for it. */
export const automaticModes = ['webgpu', 'webgl2', 'webasm', 'cpu'] as const satisfies ReadonlyArray<GpuMode>;

/** Those of them that are on graphics hardware. */
export const hardwareModes = ['webgpu', 'webgl2'] as const satisfies ReadonlyArray<GpuMode>;

/** A mode that cannot be had here. */
export interface Refusal {
  readonly mode: GpuMode;
  readonly reason: string;
}

/** Where the gpu backend runs its kernels. */
export interface GpuPlace {
  readonly mode: GpuMode;
  /** The graphics adapter, where there is one. */
  readonly adapter: string | null;
  /** Modes that `auto` tried before this one. */
  readonly refused: ReadonlyArray<Refusal>;
}

/** Programs that stand in for graphics hardware, by parts of their names. */
const rasterisers = /swiftshader|llvmpipe|lavapipe|softpipe|software|microsoft basic/i;

/** Whether an adapter of this name is a program; such are some fifty times slower than WebAssembly. */
export const isSoftwareName = (adapter: string): boolean => rasterisers.test(adapter);
