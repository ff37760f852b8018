/**
 * The whole library for browsers, as four namespaces.
 *
 * @module
 */
export * as core from './core/index.ts';
export * as curvature from './curvature/index.ts';
export * as pipelines from './pipelines/browser.ts';
export * as solvers from './solvers/index.ts';
