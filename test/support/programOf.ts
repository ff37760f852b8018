/**
 * Models as programs of a list of inputs.
 *
 * @module
 */
import type { Program } from '../../src/core/autodiff/program.ts';
import { evaluating } from '../../src/core/nn/layers/circumstances.ts';
import type { Model } from '../../src/core/nn/model.ts';

/** The model as a function of parameters and of its one array of inputs. */
export const programOf =
  ({ program }: Pick<Model, 'program'>): Program =>
  (ops, params, [inputs]) =>
    program(ops, params, evaluating({ inputs }));
