/**
 * A network whose parameters are in a file.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Layer } from '../../core/nn/layers/layer.ts';
import { checkParams, model } from '../../core/nn/model.ts';
import type { Shape } from '../../core/tensor.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { readSafetensors } from '../safetensors/read.ts';
import type { Judged, Network } from './fitted.ts';
import { networkOf, partsOf, promised } from './fitted.ts';

/** Where a network's parameters are, and what it is. */
export interface LoadOptions extends Judged {
  /** Shape of an example's inputs. */
  readonly inputs: Shape;
  readonly files: FileSystem;
}

/**
 * Loads a network that was saved, or any safetensors whose names and shapes are those of the layers' parameters.
 *
 * @param path - file
 * @param layer - the network
 * @param options - shape of an example's inputs, what it is judged by, where files are
 * @example
 * ```ts no-run
 * import { dense, squaredError } from 'kfac-ts/core';
 * import { loadNetwork, nodeFileSystem } from 'kfac-ts/pipelines';
 *
 * const options = { inputs: [3], loss: squaredError, files: nodeFileSystem };
 * const network = await loadNetwork('prices.safetensors', dense({ in: 3, out: 1 }), options);
 * console.log(await network.predict([[1, 2, 3]]));
 * ```
 */
export const loadNetwork = (path: string, layer: Layer, options: LoadOptions): Promise<Network> =>
  promised(
    pipe(
      readSafetensors(options.files, path),
      TE.chainEitherK((arrays) => partsOf(path, arrays)),
      TE.chainFirstEitherK(({ params }) => checkParams(model('network', options.inputs, layer), params)),
      TE.map((parts) => networkOf(layer, options.inputs, options, parts)),
    ),
  );
