/**
 * What a step's own passes take, block by block.
 */
import { vjp } from '../../src/core/autodiff/reverse.ts';
import type { Program } from '../../src/core/autodiff/program.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import { evaluating } from '../../src/core/nn/layers/circumstances.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { workByBlock } from '../../src/curvature/dearness.ts';
import { gaussian } from '../support/training.ts';

const { ops } = referenceBackend();

describe('workByBlock', () => {
  it('by hand: two passes for a layer that meets data, three for others, and twelve operations of Adam for a weight', () => {
    const network = sequential([dense({ in: 3, out: 5 }), activation('tanh'), dense({ in: 5, out: 2 })]);
    const program: Program = (o, params, [x]) => network.apply(o, params, '', x, evaluating({}));
    const params = {
      '0.weight': gaussian(1, [5, 3]),
      '0.bias': gaussian(2, [5]),
      '2.weight': gaussian(3, [2, 5]),
      '2.bias': gaussian(4, [2]),
    };
    const { sites } = vjp(ops, program, params, [gaussian(5, [7, 3])]);
    expect(sites.map(({ fromData }) => fromData)).toEqual([true, undefined]);
    const work = workByBlock(blocksOf(sites, Object.keys(params)), params);
    expect(work).toEqual({ '0': 4 * 7 * 15 + 12 * 15, '2': 6 * 7 * 10 + 12 * 10 });
  });

  it('by hand: of a table a place meets one row, and a parameter without a site counts nothing', () => {
    const site = { kind: 'embedding', path: 'words', weight: 'words.weight', bias: null, vocabulary: 100 } as const;
    const blocks = blocksOf([{ site, input: [7, 4], fromData: true }], ['words.weight', 'gain']);
    const work = workByBlock(blocks, { 'words.weight': { shape: [100, 6] }, gain: { shape: [9] } });
    expect(work).toEqual({ words: 4 * 28 * 6 + 12 * 600, gain: 0 });
  });
});
