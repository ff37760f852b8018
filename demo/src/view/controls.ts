/**
 * The form: from a setup to its fields and back.
 *
 * @module
 */
import type { LaneId, Pace, Place, Setup } from '../setup.ts';
import { knows, lanes, paces, places, placeTitles, secondOrder, suggested, suitedBatch } from '../setup.ts';
import type { State } from '../state.ts';
import { isBusy } from '../state.ts';
import { byId, element } from './elements.ts';
import { titleOf } from './lanes.ts';

/** What the form tells. */
export interface Intents {
  readonly edit: (setup: Setup) => void;
  readonly go: () => void;
  readonly reset: () => void;
}

type Field = HTMLInputElement | HTMLSelectElement;

/** Fields that a running race takes up at once. */
const isLive = (name: string): boolean =>
  name.startsWith('learningRate.') || ['damping', 'statisticsEvery', 'inverseEvery', 'pace'].includes(name);

const fieldsOf = (form: HTMLFormElement): ReadonlyArray<Field> =>
  Array.from<Element>(form.elements).filter(
    (found): found is Field => found instanceof HTMLInputElement || found instanceof HTMLSelectElement,
  );

const flat = (setup: Setup): Readonly<Record<string, string | number | boolean>> => ({
  ...setup,
  enabled: '',
  learningRate: '',
  ...Object.fromEntries(
    lanes.flatMap((lane): ReadonlyArray<readonly [string, number | boolean]> => [
      [`enabled.${lane}`, setup.enabled[lane]],
      [`learningRate.${lane}`, setup.learningRate[lane]],
    ]),
  ),
});

/** Writes what changed into the fields; what a person is typing stays as it is, be it 0.10 or not valid yet. */
const fill = (form: HTMLFormElement, setup: Setup, before: Setup | null): void => {
  const values = flat(setup);
  const known = before === null ? {} : flat(before);
  fieldsOf(form).forEach((field) => {
    const value = values[field.name];
    if (value === known[field.name]) return;
    if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = value === true;
    else if (typeof value !== 'number' || Number(field.value) !== value) field.value = String(value);
  });
};

const perLane = <A>(value: (lane: LaneId) => A): Readonly<Record<LaneId, A>> => ({
  second: value('second'),
  adam: value('adam'),
  sgd: value('sgd'),
});

/** The setup that the form shows; what is not valid keeps the value it had. */
const read = (form: HTMLFormElement, before: Setup): Setup => {
  const fields = new Map(fieldsOf(form).map((field) => [field.name, field]));
  const text = (name: string): string => fields.get(name)?.value ?? '';
  const number = (name: string, otherwise: number): number => {
    const field = fields.get(name);
    return field?.validity.valid === true ? Number(field.value) : otherwise;
  };
  const isOn = (name: string): boolean => {
    const field = fields.get(name);
    return field instanceof HTMLInputElement && field.checked;
  };
  return {
    task: text('task'),
    preset: text('preset'),
    place: places.find((name): name is Place => name === text('place')) ?? before.place,
    pace: paces.find((name): name is Pace => name === text('pace')) ?? before.pace,
    batch: number('batch', before.batch),
    seed: number('seed', before.seed),
    threads: number('threads', before.threads),
    enabled: perLane((lane) => isOn(`enabled.${lane}`)),
    learningRate: perLane((lane) => number(`learningRate.${lane}`, before.learningRate[lane])),
    damping: number('damping', before.damping),
    statisticsEvery: number('statisticsEvery', before.statisticsEvery),
    inverseEvery: number('inverseEvery', before.inverseEvery),
  };
};

const goTitle = (state: State): string =>
  isBusy(state) ? 'Pause' : state.phase === 'paused' ? 'Resume' : state.phase === 'failed' ? 'Start again' : 'Start';

/** Gives a function that shows the choices of a state, and tells what a person does with them. */
export const controls = (intents: Intents): ((state: State) => void) => {
  const form = byId('setup', HTMLFormElement);
  const [go, reset] = [byId('go', HTMLButtonElement), byId('reset', HTMLButtonElement)];
  const details = byId('settings', HTMLDetailsElement);
  const memory: { setup: Setup | null } = { setup: null };
  const options = (name: string, values: ReadonlyArray<readonly [string, string]>): void =>
    fieldsOf(form)
      .filter((field) => field.name === name)
      .forEach((field) =>
        field.replaceChildren(...values.map(([value, title]) => element('option', { value }, title))),
      );
  options(
    'preset',
    secondOrder.map((name) => [name, titleOf(name)] as const),
  );
  options(
    'place',
    places.map((name) => [name, placeTitles[name]] as const),
  );
  details.open = matchMedia('(min-width: 62rem)').matches;

  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', ({ target }) => {
    const { setup: before } = memory;
    if (before === null || !(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    target.setAttribute('aria-invalid', String(!target.validity.valid));
    const next = read(form, before);
    const isAnother = next.task !== before.task || next.preset !== before.preset;
    const batch = next.task === before.task ? next.batch : suitedBatch(next.task);
    intents.edit(isAnother ? { ...next, ...suggested(next.task, next.preset), batch } : next);
  });
  go.addEventListener('click', () => {
    const invalid = fieldsOf(form).find(({ validity }) => !validity.valid);
    if (invalid === undefined) {
      intents.go();
      return;
    }
    details.open = true;
    form.reportValidity();
  });
  reset.addEventListener('click', intents.reset);

  return (state) => {
    const { setup, phase } = state;
    if (setup !== memory.setup) fill(form, setup, memory.setup);
    memory.setup = setup;
    const isUnderWay = isBusy(state) || phase === 'paused';
    fieldsOf(form).forEach((field) => {
      const isForeign =
        ['damping', 'statisticsEvery', 'inverseEvery'].includes(field.name) && !knows(setup.preset, field.name);
      const isRate = field.name === 'learningRate.second' && !knows(setup.preset, 'learningRate');
      field.disabled = isForeign || isRate || (isUnderWay && !isLive(field.name));
    });
    const title = goTitle(state);
    if (go.textContent !== title) go.textContent = title;
    reset.disabled = phase === 'idle';
  };
};
