// UTF-8. The web's own coders are missing in audio worklets, so these stand in for them there.

const hasCoders = typeof TextEncoder === 'function' && typeof TextDecoder === 'function';
const encoder = hasCoders ? new TextEncoder() : undefined;
const decoder = hasCoders ? new TextDecoder('utf-8', { ignoreBOM: true }) : undefined;

export function encodeText(text: string): Uint8Array {
  return encoder?.encode(text) ?? encodeUtf8(text);
}

/** `bytes` may lie in shared memory, which TextDecoder refuses: they are copied. */
export function decodeText(bytes: Uint8Array): string {
  const copy = bytes.slice();
  return decoder?.decode(copy) ?? decodeUtf8(copy);
}

/** As TextEncoder does it: halves of a surrogate pair that stand alone become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    const code = point >= 0xd800 && point < 0xe000 ? 0xfffd : point;
    const tail = (shift: number) => 0x80 | ((code >> shift) & 0x3f);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), tail(0));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), tail(6), tail(0));
    else bytes.push(0xf0 | (code >> 18), tail(12), tail(6), tail(0));
  }
  return Uint8Array.from(bytes);
}

/** Of well-formed bytes; anything else becomes U+FFFD, a byte at a time. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++] as number;
    const more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : -1;
    let code = more === 0 ? first : first & (0x3f >> more);
    let left = more;
    while (left > 0 && at < bytes.length && ((bytes[at] as number) & 0xc0) === 0x80) {
      code = (code << 6) | ((bytes[at++] as number) & 0x3f);
      left -= 1;
    }
    text += left === 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}
