import * as whole from '../../src/index.ts';
import * as forBrowsers from '../../src/browser.ts';

/** What needs files, a process or a package that runs in Node.js only. */
const nodeOnly = [
  'encodePng',
  'loadRun',
  'lossFigure',
  'nodeFileSystem',
  'nodeWorld',
  'runCli',
  'runPage',
  'tuneFigure',
  'writeReport',
];

describe('the barrels for browsers', () => {
  it('hold everything but what needs Node.js, and the same values', () => {
    const { pipelines } = whole;
    const names = Object.keys(pipelines).filter((name) => !nodeOnly.includes(name));
    expect(Object.keys(forBrowsers.pipelines).sort()).toEqual(names.sort());
    const portable: Readonly<Record<string, unknown>> = forBrowsers.pipelines;
    const all: Readonly<Record<string, unknown>> = pipelines;
    expect(names.filter((name) => portable[name] !== all[name])).toEqual([]);
    expect(Object.keys(forBrowsers).sort()).toEqual(Object.keys(whole).sort());
  });
});
