/** Parts of a run's page: charts that fit the numbers there are, times, tables. */
import fc from 'fast-check';

import { escaped, table } from '../../../src/pipelines/page/html.ts';
import { spectrumTable } from '../../../src/pipelines/page/spectrumFigure.ts';
import { stageTable, stageTimes } from '../../../src/pipelines/page/stageTable.ts';
import { stepCharts } from '../../../src/pipelines/page/stepCharts.ts';

const courseOf = (metrics: ReadonlyArray<Readonly<Record<string, number>>>) => ({
  optimizer: 'mine',
  history: metrics.map((each, i) => ({ step: i + 1, seconds: i, loss: 1, metrics: each })),
  evaluations: [],
});

describe('escaped', () => {
  it('leaves nothing that begins an element or ends an attribute, and what a browser reads is the text', () => {
    const read = (html: string): string =>
      [
        ['&lt;', '<'],
        ['&gt;', '>'],
        ['&quot;', '"'],
        ['&#39;', "'"],
        ['&amp;', '&'],
      ].reduce((text, [entity, character]) => text.replaceAll(entity, character), html);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", ';', 'lt', 'amp', 'quot', '#39', 'x') }),
        (text) => {
          expect(escaped(text)).not.toMatch(/[<>"']/);
          expect(read(escaped(text))).toBe(text);
        },
      ),
    );
  });
});

describe('stepCharts', () => {
  it('has the charts that there are numbers for, of groups and players by their names', () => {
    const charts = stepCharts([courseOf([{ 'head.damping': 1, gradientNorm: 2, unknown: 3 }, { reductionRatio: 1 }])]);
    expect(charts.map(({ chart }) => chart.panels)).toEqual([
      { 'head.damping': 'damping λ, head', reductionRatio: 'reduction ratio ρ' },
      { gradientNorm: 'norm of the gradient' },
    ]);
    expect(stepCharts([courseOf([{ loss: 1 }])])).toEqual([]);
  });
});

describe('stageTimes', () => {
  it('are means over all steps, those without the stage included, the longest first', () => {
    const course = courseOf([{ 'seconds.solve': 0.004, 'seconds.forward': 0.003 }, { 'seconds.forward': 0.003 }]);
    expect(stageTimes(course)).toEqual([
      { stage: 'forward', milliseconds: 3 },
      { stage: 'solve', milliseconds: 2 },
    ]);
    expect(stageTable(course).join('')).toContain('value="0.6000"');
    expect(stageTable(courseOf([{ loss: 1 }]))).toEqual([]);
  });
});

describe('tables', () => {
  it('say the ends, the middle and the mean of a spectrum', () => {
    const html = spectrumTable([{ block: 'a<b', factor: 'A', eigenvalues: [6, 3, 0.5, 0.5] }]);
    expect(html).toContain('a&lt;b');
    expect([...html.matchAll(/<td class="number">([^<]*)</g)].map(([, cell]) => cell)).toEqual([
      '4',
      '6',
      '0.5',
      '0.5',
      '2.5',
    ]);
  });

  it('have as many cells in a row as headings', () => {
    expect(table([{ title: 'x' }, { title: 'y', isNumber: true }], [['1', '2']])).toBe(
      '<table><thead><tr><th>x</th><th class="number">y</th></tr></thead>' +
        '<tbody><tr><td>1</td><td class="number">2</td></tr></tbody></table>',
    );
  });
});
