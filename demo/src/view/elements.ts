/**
 * Getting at the elements of the page, and making new ones.
 *
 * @module
 */

/** The element with an id, which must be there and of the kind that is asked for. */
export const byId = <A extends HTMLElement>(id: string, kind: new () => A): A => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id ${id}`);
  return found;
};

/**
 * A new element.
 *
 * @param tag - its name
 * @param attributes - attributes by name
 * @param children - text and elements in it
 */
export const element = <A extends keyof HTMLElementTagNameMap>(
  tag: A,
  attributes: Readonly<Record<string, string>> = {},
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[A] => {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
};

/** Replaces text only where it changed, so that what reads a page aloud is not disturbed. */
export const setText = (target: HTMLElement, text: string): void => {
  if (target.textContent !== text) target.textContent = text;
};

/** A number for people: three digits, and no exponent where none is needed. */
export const shown = (value: number): string => {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return '–';
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return size >= 1000 ? Math.round(value).toString() : String(Number(value.toPrecision(3)));
};
