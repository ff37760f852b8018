/**
 * Training programs: trainer, tasks, data, reports.
 *
 * @module
 */
export * from './browser.ts';
export { tuneFigure } from './tuning/figure.ts';
export type { TuneFigureText } from './tuning/figure.ts';
export { nodeFileSystem } from './files/fileSystem.ts';
export { encodePng } from './reports/png.ts';
export type { GreyImage } from './reports/png.ts';
export { lossFigure } from './reports/lossFigure.ts';
export type { Curve, FigureText } from './reports/lossFigure.ts';
export type { Figure } from './reports/vegaFigure.ts';
export { runPage } from './page/runPage.ts';
export type { RunPage } from './page/runPage.ts';
export { writeReport } from './reports/runFolder.ts';
export type { Concluded, Report, Written } from './reports/runFolder.ts';
export { loadRun } from './loading/loadRun.ts';
export type { LoadedRun, LoadRunOptions } from './loading/loadRun.ts';
export { runCli } from './cli/run.ts';
export type { CliOptions } from './cli/run.ts';
export { nodeWorld } from './world.ts';
export type { World } from './world.ts';
export type { Ranks } from './ranks.ts';
