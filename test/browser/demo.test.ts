/**
 * The demo page in Chromium, built as it is published. Needs `npm run build` first, as `npm test` does.
 */
import { existsSync } from 'node:fs';

import type { Browser, Page } from 'playwright-core';
import { PNG } from 'pngjs';

import type { Watched } from './support/chromium.ts';
import { buildSite, launch, watchedPage, withChromium } from './support/chromium.ts';
import type { Site } from './support/server.ts';
import { serve } from './support/server.ts';

/** Small enough that steps take some ten milliseconds. */
const small = '?task=mnist-classifier&batch=64&pace=steps&backend=webasm';

/** Numbers of a row of the table, an optimizer each. */
const row = (page: Page, title: string): Promise<ReadonlyArray<number>> =>
  page
    .locator('#standings tr', { hasText: title })
    .locator('td')
    .allTextContents()
    .then((cells) => cells.map((cell) => Number.parseFloat(cell)));

const steps = (page: Page): Promise<ReadonlyArray<number>> => row(page, 'Steps');

/** Waits until every optimizer has taken some steps. */
const untilStep = (page: Page, least: number, optimizers = 3): Promise<unknown> =>
  page.waitForFunction(
    `(() => {
      const cells = [...document.querySelectorAll('#standings tbody tr:first-child td')];
      return cells.length === ${optimizers} && cells.every((cell) => Number(cell.textContent) >= ${least});
    })()`,
  );

withChromium(() => {
  let browser: Browser;
  let isolated: Site;
  let open: Site;

  beforeAll(async () => {
    if (!existsSync('dist/esm/index.js')) throw new Error('Build first: npm run build');
    const folder = buildSite('demo/vite.config.mjs');
    isolated = await serve(folder, true);
    open = await serve(folder, false);
    browser = await launch('none');
  });

  afterAll(async () => {
    await browser.close();
    await isolated.close();
    await open.close();
  });

  const visit = async (
    site: Site,
    query: string,
    options: Parameters<typeof watchedPage>[1] = {},
    inBrowser: Browser = browser,
  ): Promise<Watched> => {
    const watched = await watchedPage(inBrowser, options);
    await watched.page.goto(`${site.address}${query}`);
    await watched.page.locator('#go', { hasText: 'Start' }).waitFor();
    return watched;
  };

  it('trains: the loss falls, pause holds it, resume goes on, reset clears', async () => {
    const { page, complaints } = await visit(isolated, small);
    await page.getByRole('button', { name: 'Start' }).click();
    await untilStep(page, 3);
    const first = await row(page, 'Loss, mean');
    await untilStep(page, 25);
    const later = await row(page, 'Loss, mean');
    expect(first).toHaveLength(3);
    expect(later.filter((loss, i) => !(loss < first[i]))).toEqual([]);
    expect((await row(page, 'GFLOP/s')).filter((rate) => !(rate > 0))).toEqual([]);
    await page.locator('.strip').nth(3).waitFor(); // images, and what three networks see in them
    await page.locator('#layers li').nth(1).waitFor(); // spectra of two layers
    expect(await page.locator('.chart canvas').count()).toBe(4);

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.waitForTimeout(300); // the step under way ends
    const paused = await steps(page);
    await page.waitForTimeout(500);
    expect(await steps(page)).toEqual(paused);
    expect(await page.locator('#phase').textContent()).toBe('Paused.');
    await page.getByRole('button', { name: 'Resume' }).click();
    await untilStep(page, Math.max(...paused) + 2);

    await page.getByLabel('Damping λ').fill('0.5'); // takes effect in the run
    await untilStep(page, Math.max(...paused) + 6);
    expect(await page.locator('#failure').textContent()).toBe('');

    await page.getByRole('button', { name: 'Reset' }).click();
    await page.locator('#go', { hasText: 'Start' }).waitFor();
    expect(await page.locator('#standings td').count()).toBe(0);
    expect(await page.locator('.chart canvas').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('rebuilds images with the autoencoder', async () => {
    const { page, complaints } = await visit(isolated, '?batch=32&pace=steps&backend=webasm');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('.strip').nth(3).waitFor();
    expect(await page.locator('.strip canvas').count()).toBe(40);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows the points of two players as they move, beside those of the data', async () => {
    const { page, complaints } = await visit(isolated, '?task=gan-ring&batch=32&pace=steps&backend=webasm');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('.scatter').nth(3).waitFor(); // the data, and what three pairs of networks make
    /** Where the points of the first pair are, as its picture has them. */
    const picture = () => page.evaluate<string>(`document.querySelectorAll('.scatter')[1].toDataURL()`);
    const first = await picture();
    await page.waitForFunction(`document.querySelectorAll('.scatter')[1].toDataURL() !== '${first}'`);
    await page.locator('#standings tr', { hasText: 'Modes covered' }).waitFor();
    expect((await row(page, 'Share of points near a mode')).every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(await page.locator('#failure').textContent()).toBe('');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows what a small language model writes as it learns', async () => {
    const { page, complaints } = await visit(isolated, '?task=language-model&batch=8&pace=steps&backend=webasm');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('.written').nth(3).waitFor(); // the beginning, and what three networks go on with
    const texts = () => page.locator('.written').allTextContents();
    const first = await texts();
    expect(first.map(({ length }) => length)).toEqual([32, 80, 80, 80]);
    await page.waitForFunction(`document.querySelectorAll('.written')[1].textContent !== ${JSON.stringify(first[1])}`);
    expect((await texts())[0]).toBe(first[0]);
    expect((await row(page, 'Bits per character')).every((bits) => bits > 0 && bits < 10)).toBe(true);
    expect(await page.locator('#failure').textContent()).toBe('');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is reached by keyboard, control by control, and every control has a name', async () => {
    const { page } = await visit(isolated, small);
    const wanted = await page.evaluate<ReadonlyArray<string>>(
      `[...document.querySelectorAll('button, select, input')].filter((control) => !control.disabled).map((control) => control.id || control.name)`,
    );
    const reached = new Set<string>();
    for (let i = 0; i < wanted.length + 12; i += 1) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate<string>(`document.activeElement.id || document.activeElement.name || ''`));
    }
    expect(wanted.length).toBeGreaterThan(14);
    expect(wanted.filter((name) => !reached.has(name))).toEqual([]);
    const nameless = await page.evaluate(
      `[...document.querySelectorAll('select, input')].filter((control) => !control.labels.length && !control.getAttribute('aria-label')).map(({ name }) => name)`,
    );
    expect(nameless).toEqual([]);
    await page.locator('#go').focus();
    await page.keyboard.press('Enter');
    await untilStep(page, 1);
    await page.close();
  });

  it('refuses nonsense in its address in words, and starts without it', async () => {
    const { page, complaints } = await visit(isolated, `${small}&seed=x`);
    const failure = page.locator('#failure');
    expect(await failure.textContent()).toBe('In the address, seed: expected a whole number of at least 0, got "x".');
    await page.getByRole('button', { name: 'Start' }).click();
    await untilStep(page, 1);
    expect(await failure.textContent()).toBe('');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('refuses a batch of none, and says where', async () => {
    const { page } = await visit(isolated, small);
    await page.getByLabel('Examples per batch').fill('0');
    await page.getByRole('button', { name: 'Start' }).click();
    expect(await page.evaluate('document.activeElement.name')).toBe('batch');
    expect(await page.locator('#phase').textContent()).toContain('Ready');
    await page.close();
  });

  it.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('fits a screen %p wide, %s, and can be read', async (width, colorScheme) => {
    const { page, complaints } = await visit(isolated, small, { viewport: { width, height: 844 }, colorScheme });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const { data } = PNG.sync.read(await page.screenshot());
    const sample = Array.from({ length: 1000 }, (_, i) => data[4 * Math.floor((i * data.length) / 4000)]);
    expect(sample.reduce((sum, red) => sum + red, 0) / sample.length > 128).toBe(colorScheme === 'light');
    // WCAG 2.2, success criterion 1.4.3: 4.5 to 1 between text and what is behind it.
    const contrasts = await page.evaluate<Readonly<Record<string, number>>>(`(() => {
      const style = getComputedStyle(document.documentElement);
      const luminance = (name) => {
        const hex = style.getPropertyValue(name).trim().replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
        const parts = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
        const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const pairs = [['ink', 'page'], ['ink', 'panel'], ['quiet', 'panel'], ['quiet', 'page'], ['on-accent', 'accent'],
        ['warn', 'warn-page'], ['bad', 'bad-page'], ['bad', 'panel']];
      return Object.fromEntries(pairs.map(([front, back]) => {
        const [low, high] = [luminance('--' + front), luminance('--' + back)].sort((a, b) => a - b);
        return [front + ' on ' + back, (high + 0.05) / (low + 0.05)];
      }));
    })()`);
    expect(Object.entries(contrasts).filter(([, contrast]) => !(contrast >= 4.5))).toEqual([]);
    expect(Object.keys(contrasts)).toHaveLength(8);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('trains in a graphics mode that is asked for by name, names it and warns of a rasteriser', async () => {
    const graphical = await launch('webgl2');
    const { page, complaints } = await visit(
      isolated,
      small.replace('batch=64', 'batch=16').replace('webasm', 'webgl2'),
      {},
      graphical,
    );
    for (const lane of ['adam', 'sgd']) await page.locator(`[name="enabled.${lane}"]`).uncheck();
    await page.getByRole('button', { name: 'Start' }).click();
    await untilStep(page, 3, 1);
    expect((await row(page, 'Loss, mean')).filter((loss) => !(loss > 0))).toEqual([]);
    expect(await page.locator('#machine').textContent()).toMatch(/^In a worker, on gpu\.js, WebGL 2, .*SwiftShader/);
    expect(await page.locator('#notes').allTextContents()).toEqual([expect.stringContaining('SwiftShader') as string]);
    expect(await page.locator('#notes').textContent()).toContain('is a program, not graphics hardware');
    expect(await page.locator('#phase').textContent()).toBe('Training.');
    expect(await page.locator('#failure').textContent()).toBe('');
    expect(complaints).toEqual([]);
    await graphical.close();
  });

  describe('when something is missing', () => {
    it('without isolation it says which headers give it threads, and trains on one', async () => {
      const { page, complaints } = await visit(open, small);
      await expect(page.locator('#notes').textContent()).resolves.toContain('Cross-Origin-Opener-Policy');
      await page.getByRole('button', { name: 'Start' }).click();
      await untilStep(page, 1);
      expect(await page.locator('#machine').textContent()).toContain('1 thread ');
      expect(complaints).toEqual([]);
      await page.close();
    });

    it('without a graphics adapter it says so when one is asked for, and another backend can be chosen', async () => {
      const { page } = await visit(isolated, small.replace('webasm', 'webgpu'));
      await page.getByRole('button', { name: 'Start' }).click();
      await page.locator('#failure', { hasText: 'not available' }).waitFor();
      expect(await page.locator('#failure').textContent()).toContain('gpu (webgpu)');
      await page.getByLabel('Backend').selectOption('webasm');
      await page.getByRole('button', { name: 'Start again' }).click();
      await untilStep(page, 1);
      expect(await page.locator('#failure').textContent()).toBe('');
      await page.close();
    });

    it('without its worker or its digits it says so, and starts when they are back', async () => {
      const { page } = await visit(isolated, small);
      await page.route('**/worker-*.js', (route) => route.abort());
      await page.getByRole('button', { name: 'Start' }).click();
      await page.locator('#failure', { hasText: 'The training worker failed' }).waitFor();
      await page.unroute('**/worker-*.js');
      await page.route('**/digits/*', (route) => route.fulfill({ status: 404 }));
      await page.getByRole('button', { name: 'Start again' }).click();
      await page.locator('#failure', { hasText: 'Cannot read digits/' }).waitFor();
      await page.unroute('**/digits/*');
      await page.getByRole('button', { name: 'Start again' }).click();
      await untilStep(page, 1);
      await page.close();
    });
  });
});
