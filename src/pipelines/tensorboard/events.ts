/**
 * Events of TensorBoard, each as a record of an event file.
 *
 * Messages are those of tensorflow/core/util/event.proto and summary.proto, with the values that every version of TensorBoard
 * reads. A record is length, masked checksum of the length, message, masked checksum of the message.
 *
 * @module
 */
import { maskedCrc32c } from './crc32c.ts';
import type { Histogram } from './histogram.ts';
import { bytesField, doubleField, doublesField, floatField, textField, wholeField } from './wire.ts';
import { joinedBytes } from '../files/bytes.ts';

/** When something was. */
export interface When {
  /** Seconds since 1970. */
  readonly time: number;
  /** Steps done. */
  readonly step: number;
}

const littleEndian = (values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => bytes.setUint32(4 * i, value, true));
  return new Uint8Array(bytes.buffer);
};

/**
 * A message as a record.
 *
 * @param message - at most 4 GiB
 */
export const record = (message: Uint8Array): Uint8Array => {
  const length = littleEndian([message.length, 0]);
  return joinedBytes([length, littleEndian([maskedCrc32c(length)]), message, littleEndian([maskedCrc32c(message)])]);
};

const event = ({ time, step }: When, what: Uint8Array): Uint8Array =>
  record(joinedBytes([doubleField(1, time), wholeField(2, step), what]));

/** What every event file begins with. */
export const fileVersion = (time: number): Uint8Array => event({ time, step: 0 }, textField(3, 'brain.Event:2'));

/** Says that what is told follows anew from a step on: what an earlier file has of it does not count. */
export const restart = (when: When): Uint8Array => event(when, bytesField(7, wholeField(1, 1)));

const summary = (when: When, values: ReadonlyArray<Uint8Array>): Uint8Array =>
  event(when, bytesField(5, joinedBytes(values.map((value) => bytesField(1, value)))));

/**
 * Numbers of a step, by tag.
 *
 * @param when - of which step
 * @param numbers - by tag; what is before the last `/` is a heading
 */
export const scalars = (when: When, numbers: Readonly<Record<string, number>>): Uint8Array =>
  summary(
    when,
    Object.entries(numbers).map(([tag, value]) => joinedBytes([textField(1, tag), floatField(2, value)])),
  );

/**
 * How numbers are spread, by tag.
 *
 * @param when - at which step
 * @param histograms - by tag
 */
export const histograms = (when: When, all: Readonly<Record<string, Histogram>>): Uint8Array =>
  summary(
    when,
    Object.entries(all).map(([tag, { min, max, count, sum, sumOfSquares, limits, counts }]) =>
      joinedBytes([
        textField(1, tag),
        bytesField(
          5,
          joinedBytes([
            ...[min, max, count, sum, sumOfSquares].map((value, i) => doubleField(i + 1, value)),
            doublesField(6, limits),
            doublesField(7, counts),
          ]),
        ),
      ]),
    ),
  );

/** Channels by the type of colour in the header of a PNG file. */
const channels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };

/**
 * A picture.
 *
 * @param when - at which step
 * @param tag - its name
 * @param png - a PNG file
 */
export const image = (when: When, tag: string, png: Uint8Array): Uint8Array => {
  const header = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  const picture = [
    wholeField(1, height),
    wholeField(2, width),
    wholeField(3, channels[header.getUint8(25)] ?? 4),
    bytesField(4, png),
  ];
  return summary(when, [joinedBytes([textField(1, tag), bytesField(4, joinedBytes(picture))])]);
};
