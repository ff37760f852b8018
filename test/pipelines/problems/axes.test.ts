import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import type { Problem, Ready } from '../../../src/pipelines/problems/problem.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import { orThrow } from '../../support/training.ts';

/** What a problem is like, measured on its data and read off its network. */
interface Axes {
  readonly problem: Problem;
  readonly ready: Ready;
  readonly layers: ReadonlyArray<string>;
  readonly targets: ReadonlyArray<number>;
  readonly features: ReadonlyArray<number>;
}

const leaves = (layer: Layer): ReadonlyArray<string> =>
  layer.children.length === 0 ? [layer.label] : layer.children.flatMap(([, child]) => leaves(child));

const deviation = (values: ReadonlyArray<number>): number => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
};

let all: ReadonlyArray<Axes>;

beforeAll(async () => {
  const measured: Array<Axes> = [];
  for (const problem of problems) {
    const ready = orThrow(await problem.make(nodeFileSystem)());
    const { train } = ready.task.data;
    const { inputs, targets } = train.batch(range(0, train.size));
    const width = inputs.data.length / train.size;
    const columns = Array.from({ length: width }, (_, j) =>
      Array.from({ length: train.size }, (_unused, i) => inputs.data[i * width + j]),
    );
    measured.push({
      problem,
      ready,
      layers: ready.task.networks.flatMap(({ layer }) => leaves(layer)),
      targets: Array.from(targets.data),
      features: inputs.dtype === 'i32' ? [] : columns.map(deviation),
    });
  }
  all = measured;
});

const denseIn = ({ layers }: Axes): ReadonlyArray<string> => layers.filter((label) => label.startsWith('dense'));
const count = (holds: (axes: Axes) => boolean): number => all.filter(holds).length;
const named = (name: string): Axes => {
  const found = all.find(({ problem }) => problem.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};

describe('the suite has', () => {
  it.each(['relu', 'tanh', 'gelu'])('%s', (kind) => {
    expect(count(({ layers }) => layers.includes(kind))).toBeGreaterThanOrEqual(5);
  });

  it.each(['embedding', 'layer norm', 'mean over axis'])('%s', (kind) => {
    expect(count(({ layers }) => layers.some((label) => label.startsWith(kind)))).toBeGreaterThanOrEqual(2);
  });

  it('one to ten layers, of 8 to 512 units', () => {
    const depths = all.map((axes) => denseIn(axes).length);
    expect([Math.min(...depths), Math.max(...depths)]).toEqual([1, 10]);
    const hidden = all.flatMap((axes) => denseIn(axes).slice(0, -1)).map((label) => Number(label.split(' ').pop()));
    expect(hidden).toEqual(expect.arrayContaining([8, 16, 32, 64, 512]));
    expect(Math.max(...hidden)).toBe(512);
  });

  it('batches of 8 to all examples', () => {
    expect(count(({ problem }) => problem.batch === 8)).toBeGreaterThanOrEqual(3);
    expect(count(({ problem, ready }) => problem.batch === ready.task.data.train.size)).toBeGreaterThanOrEqual(3);
    expect(Math.min(...all.map(({ problem }) => problem.batch))).toBe(8);
  });

  it('targets of scale 0.01 to 1000', () => {
    const scales = ['tiny-targets', 'prices-of-words', 'huge-targets'].map((name) => deviation(named(name).targets));
    expect(scales.map((scale) => Math.round(Math.log10(scale)))).toEqual([-2, 2, 3]);
  });

  it('features of scales 1 to 1000, and standard ones', () => {
    const isRaw = ({ features }: Axes): boolean => Math.max(...features) > 100 * Math.min(...features);
    for (const name of ['linear-raw-units', 'raw-features', 'raw-answers', 'rare-classes']) {
      expect(Math.log10(Math.max(...named(name).features))).toBeCloseTo(3, 0);
    }
    const isStandard = ({ features }: Axes): boolean =>
      features.length > 0 && features.every((s) => s > 0.8 && s < 1.25);
    expect(count(isStandard)).toBeGreaterThanOrEqual(8);
    expect(count((axes) => axes.features.length > 0 && isRaw(axes))).toBeGreaterThanOrEqual(5);
  });

  it('rare classes', () => {
    const { targets } = named('rare-classes');
    const shares = [0, 1, 2, 3, 4].map((c) => targets.filter((target) => target === c).length / targets.length);
    expect(shares[0]).toBeGreaterThan(0.7);
    expect(shares[4]).toBeGreaterThan(0);
    expect(shares[4]).toBeLessThan(0.02);
    const rare = named('logistic-rare').targets;
    expect(rare.filter((target) => target === 1).length / rare.length).toBeLessThan(0.08);
  });

  it('few examples', () => {
    expect(Math.min(...all.map(({ ready }) => ready.task.data.train.size))).toBe(16);
  });
});
