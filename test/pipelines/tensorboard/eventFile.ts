/**
 * Event files read back: records whose checksums hold, and the fields of their messages.
 *
 * @module
 */
import { maskedCrc32c } from '../../../src/pipelines/tensorboard/crc32c.ts';

/** A field of a message: a number, or bytes. */
type Field = readonly [number: number, value: number | Uint8Array];

const varintAt = (bytes: Uint8Array, at: number): readonly [value: number, end: number] => {
  let [value, scale, end] = [0, 1, at];
  for (;;) {
    const byte = bytes[end];
    end += 1;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) return [value, end];
  }
};

const fieldsOf = (bytes: Uint8Array): ReadonlyArray<Field> => {
  const fields: Array<Field> = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const [tag, start] = varintAt(bytes, at);
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) {
      const [value, end] = varintAt(bytes, start);
      fields.push([number, value]);
      at = end;
    } else if (type === 1) {
      fields.push([number, view.getFloat64(start, true)]);
      at = start + 8;
    } else if (type === 5) {
      fields.push([number, view.getFloat32(start, true)]);
      at = start + 4;
    } else {
      const [length, from] = varintAt(bytes, start);
      fields.push([number, bytes.subarray(from, from + length)]);
      at = from + length;
    }
  }
  return fields;
};

const bytesAt = (fields: ReadonlyArray<Field>, number: number): ReadonlyArray<Uint8Array> =>
  fields.flatMap(([n, value]) => (n === number && value instanceof Uint8Array ? [value] : []));

const numberAt = (fields: ReadonlyArray<Field>, number: number): number =>
  fields.flatMap(([n, value]) => (n === number && typeof value === 'number' ? [value] : []))[0] ?? 0;

/** A value of an event. */
export interface TaggedValue {
  readonly tag: string;
  readonly kind: 'scalar' | 'image' | 'histogram';
  /** Of a scalar; of a histogram how many numbers it counts. */
  readonly value: number;
}

/** An event. */
export interface ReadEvent {
  readonly step: number;
  readonly isRestart: boolean;
  readonly values: ReadonlyArray<TaggedValue>;
}

const valueOf = (bytes: Uint8Array): TaggedValue => {
  const fields = fieldsOf(bytes);
  const tag = new TextDecoder().decode(bytesAt(fields, 1)[0]);
  if (bytesAt(fields, 4).length > 0) return { tag, kind: 'image', value: 0 };
  const [histogram] = bytesAt(fields, 5);
  return histogram === undefined
    ? { tag, kind: 'scalar', value: numberAt(fields, 2) }
    : { tag, kind: 'histogram', value: numberAt(fieldsOf(histogram), 3) };
};

/** The events of a file; throws where a checksum does not hold or something follows the last record. */
export const eventsIn = (file: Uint8Array): ReadonlyArray<ReadEvent> => {
  const events: Array<ReadEvent> = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  while (at < file.length) {
    const length = view.getUint32(at, true);
    const message = file.subarray(at + 12, at + 12 + length);
    const holds =
      view.getUint32(at + 8, true) === maskedCrc32c(file.subarray(at, at + 8)) &&
      view.getUint32(at + 12 + length, true) === maskedCrc32c(message);
    if (!holds) throw new Error(`the record at ${at} is not what its checksums say`);
    const fields = fieldsOf(message);
    events.push({
      step: numberAt(fields, 2),
      isRestart: bytesAt(fields, 7).length > 0,
      values: bytesAt(fields, 5).flatMap((summary) => bytesAt(fieldsOf(summary), 1).map(valueOf)),
    });
    at += 16 + length;
  }
  return events;
};

/** Events of several files, one after another, as TensorBoard counts them: a restart takes back what is from its step on. */
export const countedIn = (files: ReadonlyArray<Uint8Array>): ReadonlyArray<ReadEvent> =>
  files
    .flatMap(eventsIn)
    .reduce(
      (before: ReadonlyArray<ReadEvent>, event) =>
        event.isRestart ? before.filter(({ step }) => step < event.step) : [...before, event],
      [],
    );
