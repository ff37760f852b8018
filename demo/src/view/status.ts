/**
 * What is going on, where, and what to know about it.
 *
 * @module
 */
import type { Phase, State } from '../state.ts';
import { silence } from '../state.ts';
import { byId, element, setText, shown } from './elements.ts';

const phases: Readonly<Record<Phase, string>> = {
  idle: 'Ready. Press Start.',
  starting: 'Starting: loading digits, compiling kernels, taking the first steps …',
  running: 'Training.',
  paused: 'Paused.',
  failed: 'Stopped.',
};

const machineOf = ({ backend, isolated, sizes }: State): string => {
  if (backend === null) return '';
  const threads = `${backend.threads} ${backend.threads === 1 ? 'thread' : 'threads'}`;
  const adapter = backend.gpu?.adapter ?? null;
  return [
    `In a worker, on ${backend.library}${adapter === null ? '' : ` (${adapter})`}, ${threads}`,
    `factorisations: ${backend.factorisations}`,
    isolated ? 'cross-origin isolated' : 'not cross-origin isolated',
    ...(backend.gpu?.refused ?? []).map(({ mode, reason }) => `not on ${mode}: ${reason}`),
    ...(sizes === null ? [] : [`${sizes.train} training and ${sizes.test} test examples`]),
  ].join(' · ');
};

const notIsolated =
  'This page is not cross-origin isolated, so WebAssembly has one thread. To give it more, serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.';

const notesOf = (state: State): ReadonlyArray<string> => {
  const silent = silence(state);
  return [
    ...(state.isolated ? [] : [notIsolated]),
    ...(state.backend?.warnings ?? []),
    ...(silent === null
      ? []
      : [
          `No step has ended for ${shown(Math.round(silent))} seconds. Wait, or press Reset and choose a smaller batch or another backend.`,
        ]),
  ];
};

/** Gives a function that shows the status of a state. */
export const status = (): ((state: State) => void) => {
  const [phase, machine] = [byId('phase', HTMLParagraphElement), byId('machine', HTMLParagraphElement)];
  const [notes, failure] = [byId('notes', HTMLUListElement), byId('failure', HTMLParagraphElement)];
  return (state) => {
    setText(phase, phases[state.phase]);
    setText(machine, machineOf(state));
    setText(failure, state.failure ?? '');
    const wanted = notesOf(state);
    if (wanted.join('\n') !== Array.from(notes.children, ({ textContent }) => textContent).join('\n')) {
      notes.replaceChildren(...wanted.map((note) => element('li', {}, note)));
    }
  };
};
