/**
 * What the pages of the site are called: by their first heading, which TypeDoc's own title then stands for, and in two groups.
 *
 * @module
 */
import { Converter } from 'typedoc';

/** @param {import('typedoc').Application} app */
export const load = (app) => {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const [first, ...rest] = page.content;
    const heading = first?.kind === 'text' ? /^# (.+)\n+/.exec(first.text) : null;
    if (heading === null) return app.logger.error(`${page.name}: expected a page that begins with its heading`);
    page.name = heading[1];
    page.content = [{ ...first, text: first.text.slice(heading[0].length) }, ...rest];
    page.frontmatter.group = /^\d+\. /.test(page.name) ? 'Decisions' : 'Guides';
  });
};
