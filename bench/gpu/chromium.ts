/**
 * Rates of products in Chromium, in a page that is isolated from other origins and in one that is not.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { chromium } from 'playwright-core';

import { serve } from '../../test/browser/support/server.ts';

/** Some minutes: the page answers nobody while it measures. */
const patience = 900_000;

/** Prints what the page prints, for each kind of page. */
export const benchInChromium = async (): Promise<void> => {
  const folder = mkdtempSync(resolve('.cache', 'rates-'));
  const vite = join('node_modules', 'vite', 'bin', 'vite.js');
  execFileSync(process.execPath, [vite, 'build', '--config', 'bench/gpu/page/vite.config.mjs', '--outDir', folder, '--logLevel', 'error']); // prettier-ignore
  const browser = await chromium.launch({
    executablePath: process.env['KFAC_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  console.log(`Chromium ${browser.version()}`);
  for (const isolated of [true, false]) {
    const site = await serve(folder, isolated);
    const page = await browser.newPage();
    page.on('console', (message) => console.log(message.text()));
    page.on('pageerror', ({ message }) => console.log(message));
    console.log(isolated ? '\nin an isolated page' : '\nin a page that is not isolated');
    await page.goto(site.address);
    await page.waitForFunction(`document.title === 'done'`, null, { timeout: patience });
    await page.close();
    await site.close();
  }
  await browser.close();
  rmSync(folder, { recursive: true });
};
