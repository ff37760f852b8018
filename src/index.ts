/**
 * The whole library as four namespaces. Programs that care about size import a subpath instead, for example
 * `kfac-ts/core`.
 *
 * @module
 */
export * as core from './core/index.ts';
export * as curvature from './curvature/index.ts';
export * as pipelines from './pipelines/index.ts';
export * as solvers from './solvers/index.ts';
