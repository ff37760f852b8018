/**
 * Tests that need a browser.
 *
 * On a machine without one the message that says so is what is tested; where one is required, its absence fails.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const executablePath = process.env['KFAC_CHROMIUM'] ?? '/usr/bin/chromium';

/** What a browser offers to compute with; graphics are drawn by the processor, so that no card is needed. */
export type Graphics = 'none' | 'webgl2' | 'webgpu';

const flags: Readonly<Record<Graphics, ReadonlyArray<string>>> = {
  none: ['--disable-gpu'],
  webgl2: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  webgpu: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
};

/**
 * Starts a browser.
 *
 * @param graphics - what it offers to compute with
 */
export const launch = (graphics: Graphics): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox', ...flags[graphics]] });

/**
 * Defines tests in Chromium.
 *
 * @param define - the tests
 */
export const withChromium = (define: () => void): void => {
  if (existsSync(executablePath)) {
    define();
    return;
  }
  it('has no Chromium on this machine, and says how to name one', async () => {
    expect(process.env['KFAC_REQUIRE_CHROMIUM']).toBeUndefined();
    await expect(launch('none')).rejects.toThrow(executablePath);
  });
};

/** A folder for what a test builds; it is inside the package, where dependencies are found, and goes with the process. */
const temporaryFolder = (): string => {
  mkdirSync('.cache', { recursive: true });
  const folder = mkdtempSync(resolve('.cache', 'site-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/**
 * Builds a site with vite, in a process of its own: jest's CommonJS mode cannot load ES modules.
 *
 * @param config - path of its vite configuration
 * @returns the folder with the site
 */
export const buildSite = (config: string): string => {
  const folder = temporaryFolder();
  const vite = join('node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--config', config, '--outDir', folder, '--logLevel', 'warn'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, `${stdout}${stderr}`.trim()]).toEqual([0, '']);
  return folder;
};

/** What a page complained of. */
export interface Watched {
  readonly page: Page;
  readonly complaints: ReadonlyArray<string>;
}

/** What the driver of the graphics says of its own speed, such as that a read waits for it: so it does, and no page can help it. */
const ofSpeed = 'GL Driver Message (OpenGL, Performance';

/**
 * A new page whose errors and warnings are kept.
 *
 * @param browser - where
 * @param options - size and preferences of the page
 */
export const watchedPage = async (
  browser: Browser,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<Watched> => {
  const page = await browser.newPage(options);
  const complaints: Array<string> = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!message.text().includes(ofSpeed)) complaints.push(message.text());
  });
  return { page, complaints };
};
