/**
 * Eigenvalues of the Kronecker factors, layer by layer.
 *
 * @module
 */
import type { Spectrum } from '../messages.ts';
import type { State } from '../state.ts';
import type { Line } from './chart.ts';
import { chartIn } from './chart.ts';
import { byId, element, setText } from './elements.ts';

/** More lines than this cannot be told apart. */
const mostLines = 8;

/** Eigenvalues below this part of the largest are rounding, or come from pixels that are always black. */
const negligible = 1e-8;

const dashes: ReadonlyArray<ReadonlyArray<number>> = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

const hues = [215, 25, 140, 285, 0, 180, 60, 320];

const colourOf = (layer: number): string => {
  const lightness = getComputedStyle(document.documentElement).getPropertyValue('--layer-light').trim();
  return `hsl(${hues[layer % hues.length]} 70% ${lightness})`;
};

/** The path of a block as people count layers: `encoder.0` stays, numbers of parts follow. */
const layersOf = (spectra: ReadonlyArray<Spectrum>): ReadonlyArray<string> =>
  [...new Set(spectra.map(({ block }) => block))].slice(0, mostLines);

/** Layers of a plain chain have numbers for names. */
const titleOf = (block: string): string => (/^\d*$/.test(block) ? `layer ${block}`.trimEnd() : block);

const lineOf = ({ values }: Spectrum, label: string, layer: number): Line => {
  const largest = values[0];
  const visible = Array.from(values).filter((value) => value > negligible * largest && value > 0);
  return {
    label,
    colour: colourOf(layer),
    dash: dashes[layer % dashes.length],
    xs: visible.map((_, i) => (i + 1) / values.length),
    ys: visible,
  };
};

const linesOf = (spectra: ReadonlyArray<Spectrum>, letter: string): ReadonlyArray<Line> =>
  layersOf(spectra).flatMap((block, layer) =>
    spectra
      .filter(({ block: owner, name }) => owner === block && name.startsWith(letter))
      .slice(0, 1)
      .map((spectrum) => lineOf(spectrum, `${block}, order ${spectrum.values.length}`, layer)),
  );

const noteOf = ({ spectra, noSpectra, phase, setup }: State): string => {
  if (noSpectra !== null) return noSpectra;
  if (setup.task === 'gan-ring' && spectra === null)
    return 'Each player of a game has a curvature of its own; they are not shown.';
  if (spectra !== null) {
    return `After step ${spectra.step}. Across: the fraction of eigenvalues that are larger. A steep curve is what damping is for.`;
  }
  return phase === 'idle'
    ? 'A and G of each layer are what the second-order method inverts.'
    : 'Eigenvalues are computed in a worker of their own, every ten seconds or so.';
};

/** Gives a function that shows the spectra of a state. */
export const spectraView = (): ((state: State) => void) => {
  const empty = 'Spectra appear after the first steps of a second-order method.';
  const x = 'the fraction of eigenvalues';
  const a = chartIn(byId('spectrum-a', HTMLDivElement), { title: 'Eigenvalues of A', x, empty });
  const g = chartIn(byId('spectrum-g', HTMLDivElement), { title: 'Eigenvalues of G', x, empty });
  const note = byId('spectra-note', HTMLParagraphElement);
  const legend = byId('layers', HTMLUListElement);
  const memory: { shown: State['spectra'] | undefined } = { shown: undefined };
  return (state) => {
    setText(note, noteOf(state));
    if (state.spectra === memory.shown) return;
    memory.shown = state.spectra;
    const spectra = state.spectra?.spectra ?? [];
    a.show(linesOf(spectra, 'A'));
    g.show(linesOf(spectra, 'G'));
    legend.replaceChildren(
      ...layersOf(spectra).map((block, layer) => {
        const style = `--key: ${colourOf(layer)}; border-top-style: ${['solid', 'dashed', 'dotted', 'dashed'][layer % 4]}`;
        return element('li', {}, element('i', { class: 'key', style, 'aria-hidden': 'true' }), titleOf(block));
      }),
    );
  };
};
