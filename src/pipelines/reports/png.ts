/**
 * PNG files of grey images.
 *
 * Written here because all it takes is zlib: signature, header, one block of deflated rows, end. Rows are stored without
 * prediction, which suits images that are mostly black.
 *
 * @module
 */
import { crc32, deflateSync } from 'node:zlib';

/** A grey image. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  /** Grey levels row by row, 0 is black: `width · height` bytes. */
  readonly pixels: Uint8Array;
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const uint32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

/** Length, type, content, checksum. */
const chunk = (type: string, content: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  return Buffer.concat([uint32(content.length), body, uint32(crc32(body))]);
};

/** Each row after a zero byte, which says that the row is stored as it is. */
const scanlines = ({ width, height, pixels }: GreyImage): Buffer =>
  Buffer.concat(
    Array.from({ length: height }, (_, y) => [Buffer.from([0]), pixels.subarray(y * width, (y + 1) * width)]).flat(),
  );

/**
 * An image as a PNG file, 8 bits a pixel.
 *
 * @param image - a grey image
 * @example
 * ```ts
 * import { encodePng } from 'kfac-ts/pipelines';
 *
 * const file = encodePng({ width: 2, height: 2, pixels: new Uint8Array([0, 255, 255, 0]) });
 * String.fromCharCode(...file.slice(1, 4)); // => 'PNG'
 * ```
 */
export const encodePng = (image: GreyImage): Uint8Array => {
  const bitDepth = 8;
  const grey = 0;
  const header = [uint32(image.width), uint32(image.height), Buffer.from([bitDepth, grey, 0, 0, 0])];
  return Buffer.concat([
    signature,
    chunk('IHDR', Buffer.concat(header)),
    chunk('IDAT', deflateSync(scanlines(image))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};
