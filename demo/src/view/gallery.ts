/**
 * What each network makes: of test images reconstructions, or the digit it sees; points beside those of the data; text.
 *
 * @module
 */
import type { ReadonlyVector } from 'kfac-ts/core';

import type { Examples, ImageExamples, Picture } from '../messages.ts';
import type { State } from '../state.ts';
import { byId, element } from './elements.ts';
import { present, titleOf } from './lanes.ts';
import { scatter } from './scatter.ts';

/** One grey image of several. */
const imageAt = (
  pixels: ReadonlyVector,
  at: number,
  { width, height }: ImageExamples,
  label: string,
): HTMLCanvasElement => {
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

/** What a network makes of images. */
const ofImages = (picture: Picture, examples: ImageExamples, name: string): ReadonlyArray<HTMLElement> => {
  if (picture.kind === 'images') {
    return Array.from({ length: examples.count }, (_, i) =>
      imageAt(picture.pixels, i, examples, `Test image ${i + 1} as ${name} rebuilds it`),
    );
  }
  return picture.kind === 'classes'
    ? picture.classes.map((seen, i) => verdict(seen, picture.certainty[i], examples.labels[i]))
    : [];
};

/** What there is of a picture, beside the examples. */
const cellsOf = (picture: Picture, examples: Examples, name: string): ReadonlyArray<HTMLElement> => {
  switch (examples.kind) {
    case 'images':
      return ofImages(picture, examples, name);
    case 'points':
      return picture.kind === 'points'
        ? [scatter(examples.points, picture.points, `Points that ${name} makes, over those of the data`)]
        : [];
    case 'text':
      return picture.kind === 'text' ? [element('p', { class: 'written' }, picture.text)] : [];
  }
};

/** The examples themselves, with what they are. */
const given = (examples: Examples): readonly [title: string, cells: ReadonlyArray<HTMLElement>] => {
  switch (examples.kind) {
    case 'images':
      return [
        'Test image',
        Array.from({ length: examples.count }, (_, i) => imageAt(examples.pixels, i, examples, `Test image ${i + 1}`)),
      ];
    case 'points':
      return ['Data', [scatter(examples.points, null, 'Points of the data')]];
    case 'text':
      return ['Beginning', [element('p', { class: 'written' }, examples.text)]];
  }
};

/** A row with its title; pictures and text have the room of a whole row where there is one of them. */
const strip = (title: string, cells: ReadonlyArray<HTMLElement>): HTMLElement =>
  element(
    'div',
    { class: cells.length === 1 ? 'strip wide' : 'strip', style: `--count: ${cells.length}` },
    element('span', {}, title),
    ...cells,
  );

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
    host.replaceChildren(
      strip(...given(examples)),
      ...rows.map(({ view, look }) => {
        const title = titleOf(view.name);
        return strip(title, cellsOf(look.picture, examples, title));
      }),
    );
  };
};
