/**
 * Networks of the suite: layers of given widths, begun as is usual for their activation.
 *
 * @module
 */
import { heUniform } from '../../core/nn/initialisers/varianceScaling.ts';
import type { ActivationKind } from '../../core/nn/layers/activation.ts';
import { activation } from '../../core/nn/layers/activation.ts';
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import { layerNorm } from '../../core/nn/layers/layerNorm.ts';
import { residual } from '../../core/nn/layers/residual.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import type { Model } from '../../core/nn/model.ts';
import { initialParams, model } from '../../core/nn/model.ts';
import { referenceBackend } from '../../core/backends/reference/backend.ts';
import type { Key } from '../../core/random/key.ts';
import type { Tensor } from '../../core/tensor.ts';

/** Dense layers with an activation between them; rectified ones begin with He's weights, others with Glorot's. */
export const layersOf = (units: ReadonlyArray<number>, kind: ActivationKind): ReadonlyArray<Layer> =>
  units.slice(1).flatMap((out, i) => {
    const extents = { in: units[i], out };
    if (i === units.length - 2) return [dense(extents)];
    const isRectified = kind === 'relu' || kind === 'gelu';
    return [dense(isRectified ? { ...extents, initialiser: heUniform } : extents), activation(kind)];
  });

/**
 * A multilayer perceptron.
 *
 * @param units - features, units of each hidden layer, outputs
 * @param kind - between the layers
 */
export const network = (units: ReadonlyArray<number>, kind: ActivationKind): Model =>
  model('network', [units[0]], sequential(layersOf(units, kind)));

/** x + W₂ gelu(W₁ norm(x)), at each position. */
export const residualBlock = (width: number): Layer =>
  residual(
    sequential([
      layerNorm({ features: width }),
      dense({ in: width, out: 2 * width }),
      activation('gelu'),
      dense({ in: 2 * width, out: width }),
    ]),
  );

/** What a network of drawn weights, which is not the one that learns, makes of inputs `[n, …]`, in 64 bits. */
export const taught = (teacher: Model, key: Key, inputs: Tensor): Tensor =>
  teacher.program(referenceBackend().ops, initialParams(teacher, key, 'f64'), evaluating({ inputs }));
