import { existsSync } from 'node:fs';

// Without graphics hardware, WebGPU's tests run on the rasteriser that comes with Chromium; see test/support/webgpu.ts.
const rasteriser = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(rasteriser)) process.env.VK_ICD_FILENAMES ??= rasteriser;

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // Test files run in a context of their own, where every look at a global is a call: `Math.abs` in a loop is slow.
  sandboxInjectedGlobals: [
    ...'Math Number Infinity Object Array String Symbol Error Promise Map Set WeakMap Reflect'.split(' '),
    ...'DataView Float32Array Float64Array Int32Array Uint8Array Uint16Array Uint32Array'.split(' '),
  ],
  // Sources are ESM TypeScript with `.ts` import specifiers; swc lowers each file to CommonJS. Types are tsc's job.
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: true, // In files of their own: two thirds of what is compiled for each test file would be maps.
      },
    ],
  },
  // The demo imports the package by its name, as a user does; its tests take the sources.
  // Jest's CommonJS mode cannot load packages that are ES modules only; these two carry a UMD build as well.
  moduleNameMapper: {
    '^kfac-ts/(core|curvature|solvers)$': '<rootDir>/src/$1/index.ts',
    '^kfac-ts/pipelines$': '<rootDir>/src/pipelines/browser.ts',
    '^kfac-ts/tfjs$': '<rootDir>/src/pipelines/tfjs/index.ts',
    '^vega$': '<rootDir>/node_modules/vega/build/vega.js',
    '^vega-lite$': '<rootDir>/node_modules/vega-lite/build/vega-lite.min.js',
  },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  setupFiles: ['<rootDir>/test/support/setup.ts'],
  // A test that hangs is to fail; one on a loaded machine is not. test/support/eventually.ts waits a little less.
  testTimeout: 240_000,
  // A core for each: jest would leave one of two idle, while many tests wait for programs that they have started.
  maxWorkers: '100%',
  reporters: ['default', '<rootDir>/scripts/summaryReporter.mjs'],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/index.ts'],
  coverageProvider: 'v8', // babel's counters end up inside the source of gpu.js kernels and break them
  coverageThreshold: { global: { statements: 90, branches: 85, functions: 90, lines: 90 } },
};
