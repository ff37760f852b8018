/**
 * Whole training programs: data, trainer, tasks, reports and configuration. For Node.js; the command line is built from
 * these parts.
 *
 * @module
 */
export type { BatchIndices, BatchPlan, Epoch } from './data/batches.ts';
export { batchIndices, epochOf } from './data/batches.ts';
export type { Dataset, Splits } from './data/dataset.ts';
export { dataset, datasetOf, rowsOf } from './data/dataset.ts';
export type { IdxArray } from './data/idx.ts';
export { decodeIdx } from './data/idx.ts';
export type { LabelledImages, Mnist } from './data/mnist.ts';
export { installedMnist, readMnist } from './data/mnist.ts';

export type { EarlyStopping } from './trainer/earlyStopping.ts';
export type { Decode, Evaluation, Judged, Measure } from './trainer/evaluate.ts';
export { evaluate, predict } from './trainer/evaluate.ts';
export type { EvaluationRecord, Listener, StepRecord, TrainEvent } from './trainer/events.ts';
export type { Duration, TrainOptions } from './trainer/options.ts';
export type { TrainTask } from './trainer/run.ts';
export type { TrainResult } from './trainer/train.ts';
export { train } from './trainer/train.ts';
export type { Experiment, Observer, Outcome } from './experiment.ts';
export { runExperiment } from './experiment.ts';

export type { Preview, Task, TaskFamily, TaskSize } from './tasks/task.ts';
export { correct, sigmoidSquaredError } from './tasks/measures.ts';
export { autoencoder, mnistAutoencoder } from './tasks/mnistAutoencoder.ts';
export { mnistClassifier, perceptron } from './tasks/mnistClassifier.ts';
export { taskNames, taskOf, tasks } from './tasks/registry.ts';

export type { BackendChoice, OptimizerSettings, RunConfig } from './config/runConfig.ts';
export { decodeRunConfig, mergeConfigs } from './config/runConfig.ts';
export { decodeConfigFile, readConfigFile } from './config/file.ts';
export type { Plan } from './config/plan.ts';
export { planOf } from './config/plan.ts';

export type { FileSystem } from './files/fileSystem.ts';
export { nodeFileSystem } from './files/fileSystem.ts';
export type { Memory, World } from './world.ts';
export { nodeWorld } from './world.ts';

export type { GridLayout, GridRow } from './reports/grid.ts';
export { drawGrid } from './reports/grid.ts';
export { labelledGrid } from './reports/labelledGrid.ts';
export { doneLine, eventLine, historyLines } from './reports/jsonLines.ts';
export type { Curve, Figure, FigureText } from './reports/lossFigure.ts';
export { lossFigure } from './reports/lossFigure.ts';
export type { NotDrawn } from './reports/packages.ts';
export type { GreyImage } from './reports/png.ts';
export { encodePng } from './reports/png.ts';
export { progressBar, progressLines } from './reports/progress.ts';
export { resultTable } from './reports/resultTable.ts';
export type { Concluded, Report, Written } from './reports/runFolder.ts';
export { writeReport } from './reports/runFolder.ts';
export { decodeSafetensors, encodeSafetensors } from './reports/safetensors.ts';
export type { Cell, Column } from './reports/table.ts';
export { showNumber, textTable } from './reports/table.ts';
