import fc from 'fast-check';

import { smoothed, thinned, windowOf } from '../../../src/pipelines/reports/curves.ts';
import { stylesOf } from '../../../src/pipelines/reports/curveStyles.ts';
import { optimizerNames } from '../../../src/solvers/presets/registry.ts';
import { scaledError } from '../../support/closeness.ts';

const marks = (losses: ReadonlyArray<number>) => losses.map((loss, i) => ({ step: i + 1, seconds: i / 10, loss }));

const lossesOf = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { maxLength: 200 });
const oddWindow = fc.nat({ max: 20 }).map((half) => 2 * half + 1);

describe('smoothed', () => {
  it('law: each loss is the mean of those around it, as many before as after', () => {
    fc.assert(
      fc.property(lossesOf, oddWindow, (losses, window) => {
        const means = losses.map((_, i) => {
          const reach = Math.min((window - 1) / 2, i, losses.length - 1 - i);
          const around = losses.slice(i - reach, i + reach + 1);
          return around.reduce((sum, loss) => sum + loss, 0) / around.length;
        });
        const got = smoothed(marks(losses), window);
        expect(
          scaledError(
            got.map(({ loss }) => loss),
            means,
          ),
        ).toBeLessThan(1e-9);
        expect(got.map(({ step }) => step)).toEqual(marks(losses).map(({ step }) => step));
      }),
    );
  });

  it('law: a straight line stays as it is, ends included', () => {
    const line = marks(Array.from({ length: 100 }, (_, i) => 3 * i - 5));
    const got = smoothed(line, 9).map(({ loss }) => loss);
    expect(
      scaledError(
        got,
        line.map(({ loss }) => loss),
      ),
    ).toBeLessThan(1e-12);
  });

  it('law: the window is odd, and a short run is not smoothed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), (steps) => {
        const window = windowOf(steps);
        expect(window % 2).toBe(1);
        expect(window === 1).toBe(steps < 40);
        expect(window).toBeLessThanOrEqual(Math.max(1, steps / 10));
      }),
    );
  });
});

describe('thinned', () => {
  it('law: few points, the first and the last among them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (length) => {
        const all = Array.from({ length }, (_, i) => i);
        const kept = thinned(all);
        expect(kept.length).toBeLessThanOrEqual(801);
        expect([kept[0], kept.at(-1)]).toEqual([0, length - 1]);
      }),
    );
    expect(thinned([])).toEqual([]);
  });
});

describe('stylesOf', () => {
  const mine = Array.from({ length: 60 }, (_, i) => `mine-${i}`);
  const all = stylesOf([...optimizerNames, ...mine]);

  it('law: every preset has a colour and a dash of its own, the same in every figure', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...optimizerNames, ...mine]), (names) => {
        const presets = names.filter((name) => optimizerNames.includes(name));
        const styles = stylesOf(names);
        const found = presets.map((name) => styles[names.indexOf(name)]);
        expect(found).toEqual(presets.map((name) => all[optimizerNames.indexOf(name)]));
      }),
    );
  });

  it('law: however many there are, no two have one colour or one dash', () => {
    expect(new Set(all.map(({ colour }) => colour)).size).toBe(all.length);
    expect(new Set(all.map(({ dash }) => dash.join())).size).toBe(all.length);
    const many = stylesOf(Array.from({ length: 1000 }, (_, i) => `mine-${i}`));
    expect(new Set(many.map(({ dash }) => dash.join())).size).toBe(1000);
  });

  it('a configuration that is called as an object’s member is has a style as well', () => {
    expect(
      stylesOf(['constructor', '__proto__', 'toString']).every(({ colour }) => /^#[0-9a-f]{6}$/.test(colour)),
    ).toBe(true);
  });

  it('law: every colour is seen on white, with a contrast of at least 2', () => {
    const linear = (x: number): number => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    const contrasts = all.map(({ colour }) => {
      const [r, g, b] = [1, 3, 5].map((at) => linear(Number.parseInt(colour.slice(at, at + 2), 16) / 255));
      return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
    });
    expect(Math.min(...contrasts)).toBeGreaterThan(2);
  });
});
