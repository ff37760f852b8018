/** A run as one page: it shows what the run's folder says, and nothing in the folder can do more than be shown. */
import { runCli } from '../../../src/pipelines/cli/run.ts';
import { runPage } from '../../../src/pipelines/page/runPage.ts';
import type { MemoryFiles } from '../support.ts';
import { errorOf, memoryFiles, recordingWorld, smallMnist } from '../support.ts';
import { orThrow } from '../../support/training.ts';

const said = async (files: MemoryFiles, line: string) => {
  const world = recordingWorld(files);
  const code = await runCli(world, line.split(' '))();
  return { code, out: world.outLines, err: world.errLines };
};

const files = memoryFiles(smallMnist('d', 30, 10));

beforeAll(async () => {
  const { code } = await said(
    files,
    'compare mnist-classifier --optimizers kfac-adaptive,adam --size small --data d --backend native --threads 1 ' +
      '--batch 5 --steps 4 --checkpoint-every 2 --out run',
  );
  expect(code).toBe(0);
});

/** The same files with one in another state. */
const withFile = (path: string, content: string | null): MemoryFiles => {
  const others = Object.fromEntries([...files.content].filter(([name]) => name !== path));
  return memoryFiles(content === null ? others : { ...others, [path]: content });
};

const textIn = (path: string): string => new TextDecoder().decode(files.content.get(path));

const headings = (html: string): ReadonlyArray<string> =>
  [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading);

describe('kfac report', () => {
  it('writes one page into the folder of the run: words, curves, steps, time, spectra, configuration', async () => {
    const { code, out, err } = await said(files, 'report run');
    expect({ code, out, err }).toEqual({ code: 0, out: ['run/report.html'], err: [] });
    const html = textIn('run/report.html');
    expect(headings(html)).toEqual([
      'What came of it',
      'Curves and samples',
      'Damping',
      'Length of steps',
      'Norms',
      'Inverses',
      'Time',
      'Spectra of the factors',
      'Configuration',
    ]);
    expect(html).toContain('mnist-classifier-small, batch 5');
    expect(html).toContain('kfac-adaptive');
    expect(html).toContain('updateFactors');
    // A row of the table for each factor of both layers.
    expect(html).toMatch(/<td>0<\/td><td>A<\/td><td class="number">785<\/td>/);
    expect(html).toMatch(/<td>2<\/td><td>G<\/td><td class="number">10<\/td>/);
  });

  it('needs nothing besides itself: no address is loaded, nothing can run', async () => {
    const { html } = orThrow(await runPage(files, 'run')());
    expect([...html.matchAll(/\b(?:src|href)="([^"]{0,5})/g)].map(([, begin]) => begin)).toEqual(
      expect.arrayContaining(['data:']),
    );
    expect([...html.matchAll(/\b(?:src|href)="(?!data:image\/)/g)]).toEqual([]);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
    expect(html).not.toMatch(/<script|\son\w+=/i);
  });

  it('shows what files say, whatever it is, as text', async () => {
    const hostile = `title <script>alert(1)</script>\n\n"><img src=x onerror=alert(2)>`;
    const { html } = orThrow(await runPage(withFile('run/report.txt', hostile), 'run')());
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('&quot;&gt;&lt;img src=x onerror=alert(2)&gt;');
    expect(html).not.toMatch(/<script|<img src=x/i);
  });

  it('goes without spectra where there is no checkpoint, and says why where one is broken', async () => {
    const without = memoryFiles(
      Object.fromEntries([...files.content].filter(([name]) => !name.startsWith('run/checkpoints/'))),
    );
    const page = orThrow(await runPage(without, 'run')());
    expect(headings(page.html)).not.toContain('Spectra of the factors');
    expect(page.warnings).toEqual([]);
    const arrays = 'arrays.safetensors';
    const broken = memoryFiles(
      Object.fromEntries([...files.content].map(([name, bytes]) => [name, name.endsWith(arrays) ? 'x' : bytes])),
    );
    const { warnings } = orThrow(await runPage(broken, 'run')());
    expect(warnings).toHaveLength(2); // of each optimizer one
    expect(warnings[0]).toMatch(
      /^There are no spectra of \S+\. .*arrays\.safetensors: expected the file that was written/,
    );
  });

  it.each([
    ['run/config.json', null, /expected a folder with the config\.json of a run/],
    ['run/metrics.jsonl', null, /there is no such file/],
    ['run/metrics.jsonl', 'words\n', /metrics\.jsonl, line 1: expected a step, an evaluation or an end of a run/],
    ['run/metrics.jsonl', '{"event":"done"}\n{"event":"step","step":1}\n', /metrics\.jsonl, line 2: expected a step/],
  ])('a folder whose %s is %p is refused in a sentence, and no page is written', async (path, content, sentence) => {
    const changed = withFile(path, content);
    changed.content.delete('run/report.html');
    const { code, err } = await said(changed, 'report run');
    expect(code).toBe(1);
    expect(err).toHaveLength(1);
    expect(err[0]).toMatch(sentence);
    expect(changed.content.has('run/report.html')).toBe(false);
    expect(errorOf(await runPage(changed, 'run')())._tag).toMatch(/BadCheckpoint|FileFailed/);
  });

  it('goes where it is told to', async () => {
    expect(await said(files, 'report run --out page.html')).toMatchObject({ code: 0, out: ['page.html'] });
    expect(textIn('page.html')).toContain('<!doctype html>');
  });
});
