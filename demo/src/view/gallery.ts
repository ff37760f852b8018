/**
 * Test images, and what each network makes of them: reconstructions, or the digit it sees.
 *
 * @module
 */
import type { ReadonlyVector } from 'kfac-ts/core';

import type { Examples, Picture } from '../messages.ts';
import type { State } from '../state.ts';
import { byId, element } from './elements.ts';
import { present, titleOf } from './lanes.ts';

/** One grey image of several. */
const imageAt = (pixels: ReadonlyVector, at: number, { width, height }: Examples, label: string): HTMLCanvasElement => {
  const canvas = element('canvas', { width: `${width}`, height: `${height}`, role: 'img', 'aria-label': label });
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  const image = context.createImageData(width, height);
  image.data.forEach((_, i) => {
    const grey = 255 * pixels[at * width * height + Math.floor(i / 4)];
    image.data[i] = i % 4 === 3 ? 255 : grey;
  });
  context.putImageData(image, 0, 0);
  return canvas;
};

const verdict = (seen: number, certainty: number, label: number): HTMLElement =>
  element(
    'div',
    { class: seen === label ? 'verdict' : 'verdict wrong' },
    seen === label ? `${seen}` : `${seen} ✗`,
    element('small', {}, `${Math.round(100 * certainty)} %`),
  );

const cellsOf = (picture: Picture, examples: Examples, name: string): ReadonlyArray<HTMLElement> =>
  picture.kind === 'images'
    ? Array.from({ length: examples.count }, (_, i) =>
        imageAt(picture.pixels, i, examples, `Test image ${i + 1} as ${name} rebuilds it`),
      )
    : picture.classes.map((seen, i) => verdict(seen, picture.certainty[i], examples.labels[i]));

const strip = (title: string, cells: ReadonlyArray<HTMLElement>): HTMLElement =>
  element('div', { class: 'strip', style: `--count: ${cells.length}` }, element('span', {}, title), ...cells);

/** Gives a function that shows the pictures of a state, when there are new ones. */
export const gallery = (): ((state: State) => void) => {
  const host = byId('gallery', HTMLDivElement);
  const memory: { shown: ReadonlyArray<unknown> } = { shown: [null] };
  return (state) => {
    const { examples } = state;
    const rows = present(state).flatMap(({ view }) => (view.look === null ? [] : [{ view, look: view.look }]));
    const current = [examples, ...rows.map(({ look }) => look)];
    if (current.length === memory.shown.length && current.every((part, i) => part === memory.shown[i])) return;
    memory.shown = current;
    if (examples === null) {
      host.replaceChildren(element('p', { class: 'empty-note' }, 'Pictures appear when training starts.'));
      return;
    }
    const inputs = Array.from({ length: examples.count }, (_, i) =>
      imageAt(examples.pixels, i, examples, `Test image ${i + 1}`),
    );
    host.replaceChildren(
      strip('Test image', inputs),
      ...rows.map(({ view, look }) => {
        const title = titleOf(view.name);
        return strip(title, cellsOf(look.picture, examples, title));
      }),
    );
  };
};
