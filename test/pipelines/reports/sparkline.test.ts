import fc from 'fast-check';

import { sparkline } from '../../../src/pipelines/reports/sparkline.ts';

const levels = '▁▂▃▄▅▆▇█';

describe('sparkline', () => {
  it('is as high as the numbers: the order of two is that of their characters, the ends are the lowest and the highest', () => {
    const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(numbers, (values) => {
        const heights = Array.from(sparkline(values), (character) => levels.indexOf(character));
        expect(heights).toHaveLength(values.length);
        values.forEach((x, i) => {
          values.forEach((y, j) => {
            if (x < y) expect(heights[i]).toBeLessThanOrEqual(heights[j]);
          });
        });
        const [least, most] = [Math.min(...values), Math.max(...values)];
        fc.pre(most - least > 1e-9);
        expect(heights[values.indexOf(least)]).toBe(0);
        expect(heights[values.indexOf(most)]).toBe(levels.length - 1);
      }),
    );
  });

  it('goes by logarithms where all are positive, and leaves a gap where there is no number', () => {
    expect(sparkline([1000, 100, 10, 1])).toBe('█▆▃▁');
    expect(sparkline([0, 1, 2, 3])).toBe('▁▃▆█');
    expect(sparkline([1, NaN, 10])).toBe('▁ █');
    expect(sparkline([5, 5])).toBe('▁▁');
  });
});
