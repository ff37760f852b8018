/**
 * How a run's folder is laid out, as far as programs that read it have to know.
 *
 * @module
 */

/** Version of the layout: raised when a folder that was written before cannot be read any more. */
export const folderFormat = 1;

/** File of the parameters that an optimizer has come to. */
export const parametersName = (optimizer: string): string => `${optimizer}.safetensors`;

/** File of the running state of layers, which is carried along and not trained; missing where there is none. */
export const runningName = (optimizer: string): string => `${optimizer}.running.safetensors`;

/** File of all of these with PyTorch's names and in its layout, where that was asked for. */
export const torchName = (optimizer: string): string => `${optimizer}.torch.safetensors`;

/** File of the steps and evaluations of all optimizers, as JSON lines. */
export const metricsName = 'metrics.jsonl';

/** The run as a page, which is made on request. */
export const pageName = 'report.html';

/** File of what happened in words. */
export const wordsName = 'report.txt';
