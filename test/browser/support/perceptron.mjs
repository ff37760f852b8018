/** What a page that trains a network needs of the library: layers, a loss, `fit` with its default, K-FAC. */
import { activation, dense, sequential, softmaxCrossEntropy } from 'kfac-ts/core';
import { accuracy, fit } from 'kfac-ts/pipelines';

const inputs = Array.from({ length: 60 }, (_, i) => [Math.cos(i), Math.sin(i)]);
const targets = inputs.map(([x, y]) => (x * y > 0 ? 1 : 0));
const layers = sequential([dense({ in: 2, out: 16 }), activation('tanh'), dense({ in: 16, out: 2 })]);
const options = { loss: softmaxCrossEntropy, measures: { accuracy }, epochs: 20, backend: { backend: 'portable' } };
const { train } = await fit(layers, { inputs, targets }, options);
console.log(train.measures.accuracy > 0.9);
